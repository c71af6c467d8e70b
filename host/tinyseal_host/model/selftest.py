"""The frame of a release's self-test: made from the model's bytes alone, so that a second build gives the same one."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..contract import Checks, Contract
from ..errors import Status, TinysealError
from ..gate import check
from .network import Network
from .quantisation import INT8_MAX, INT8_MIN, Int8
from .reference import run
from .tflite_reader import Tensor

Frame = npt.NDArray[np.generic]
Float64 = npt.NDArray[np.float64]

_CANDIDATES = 8


def make_self_test(data: bytes, path: Path, contract: Contract, network: Network) -> tuple[Frame, Int8]:
    """A frame that the contract accepts, [length] of its type, and the network's int8 output for it.

    Noise over the network's whole input range would drown in averages, so several spans are tried; the frame that
    leaves most outputs off their limits is taken, because a limit hides errors.
    """
    best: tuple[int, Frame, Int8] | None = None
    for frame in _candidates(data, contract, network.input):
        if check(frame, contract) is not Status.OK:
            continue
        output = run(network, physical(frame, contract))
        free = int(np.count_nonzero((output != INT8_MIN) & (output != INT8_MAX)))
        if best is None or free > best[0]:
            best = (free, frame, output)
    if best is None:
        raise TinysealError(
            f"{path}: none of the frames that are tried for the self-test passes the contract",
            hint="the limits may leave no frame, or hardly one",
        )
    return best[1:]


def physical(frame: Frame, contract: Contract) -> npt.NDArray[np.float32]:
    """What the values of a frame, [length], stand for: float32."""
    columns = frame.reshape(contract.samples, len(contract.channels))
    found = [channel.physical(columns[:, i]) for i, channel in enumerate(contract.channels)]
    return np.stack(found, axis=1).reshape(-1)


def _candidates(data: bytes, contract: Contract, entry: Tensor) -> Iterator[Frame]:
    ends = [_input_range(entry, contract, number) for number in range(len(contract.channels))]
    low, high = np.array(ends).T
    for candidate in range(_CANDIDATES):
        seed = hashlib.sha256(data).digest() + bytes([candidate])
        stream = np.frombuffer(hashlib.shake_256(seed).digest(4 * (contract.length + 1)), "<u4") / 2.0**32
        noise = stream[1:].reshape(contract.samples, -1)
        if contract.checks:
            waves = [_wave(candidate, contract, i, *end, noise[:, i]) for i, end in enumerate(ends)]
            yield _frame(np.stack(waves, axis=1), contract, near=True)
        # Uniform noise in a span that halves with every second candidate, in the range's middle or at random.
        span = (high - low) / 2 ** (candidate // 2)
        start = low + (high - low - span) * (stream[0] if candidate % 2 else 0.5)
        yield _frame(start + span * noise, contract, near=False)


def _input_range(entry: Tensor, contract: Contract, number: int) -> tuple[float, float]:
    """What the contract allows a channel and int8 input does not saturate; if there is no such thing, its range."""
    scale, zero_point = float(entry.scales[0]), int(entry.zero_points[0])
    channel = contract.channels[number]
    ends = channel.physical(np.array([channel.low, channel.high], contract.dtype)).astype(np.float64)
    low = max(ends[0], (INT8_MIN - zero_point) * scale)
    high = min(ends[1], (INT8_MAX - zero_point) * scale)
    return (low, high) if low < high else (float(ends[0]), float(ends[1]))


def _wave(candidate: int, contract: Contract, number: int, low: float, high: float, noise: Float64) -> Float64:
    """Whole periods of a triangle with a little noise, made to the limits that the contract has for a channel."""
    channel, units, n = contract.channels[number], contract.units(number), contract.samples
    lsb = float(units.unit) * 2.0**units.shift
    middle, deviation, steepest = (low + high) / 2, (high - low) / 8, high - low
    if contract.checks & Checks.MEAN:
        least, most = (float(units.origin) + end / n * lsb for end in (channel.mean_low, channel.mean_high))
        middle = (max(low, least) + min(high, most)) / 2
    room = max(0.0, min(middle - low, high - middle))
    if contract.checks & Checks.DEVIATION:
        least, most = (math.sqrt(end) / n * lsb for end in (channel.deviation_low, channel.deviation_high))
        deviation = (least + min(most, max(least, room))) / 2
    if contract.checks & Checks.FLAT:
        deviation = max(deviation, 0.7 * channel.min_movement * float(units.unit))
    if contract.checks & Checks.STEP:
        steepest = channel.max_step * float(units.unit)
    deviation *= 1 - 0.05 * (candidate // 2)
    shortest = max(4.0, 8.0 * deviation / steepest) if steepest else n  # a triangle's slope is 4 sqrt(3) deviation
    periods = max(1, int(n / shortest) >> candidate % 2 * 2)
    phase = (np.arange(n) * periods / n + noise[0]) % 1
    shape = np.abs(phase - 0.5) - 0.25 + 0.01 * (noise - 0.5)
    shape -= shape.mean()
    spread = float(shape.std())
    wave: Float64 = middle + shape * (deviation / spread if spread else 0.0)
    return wave


def _frame(values: Float64, contract: Contract, *, near: bool) -> Frame:
    """Physical values, [samples, channels], as a frame within the ranges, without zeros where there is another value.

    A zero is replaced by the range's end, or with `near` by a value close to it.
    """
    columns = []
    for column, channel in zip(values.T, contract.channels, strict=True):
        integers = contract.type != "float32"
        exact = np.rint((column - channel.offset) / channel.scale) if integers else column
        # Clipped before it is rounded: the limits are float32 themselves, so that no value leaves them.
        found = np.clip(exact, channel.low, channel.high).astype(contract.dtype)
        aside = 1 if integers else (channel.high - channel.low) * 2.0**-20
        beside = channel.zero + aside if channel.zero + aside <= channel.high else channel.zero - aside
        end = channel.high if channel.high != channel.zero else channel.low
        found[found == channel.zero] = np.array(beside if near else end).astype(contract.dtype)
        columns.append(found)
    return np.stack(columns, axis=1).reshape(-1)
