"""The frame of a release's self-test: made from the model's bytes alone, so that a second build gives the same one."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from ..contract import Contract
from ..errors import Status, TinysealError
from ..gate import check
from .network import Network
from .quantisation import INT8_MAX, INT8_MIN, Float32, Int8
from .reference import run
from .tflite_reader import Tensor

_CANDIDATES = 8


def make_self_test(data: bytes, path: Path, contract: Contract, network: Network) -> tuple[Float32, Int8]:
    """A frame that the contract accepts, float32 [length], and the network's int8 output for it.

    Noise over the network's whole input range would drown in averages, so several spans are tried; the frame that
    leaves most outputs off their limits is taken, because a limit hides errors.
    """
    low, high = _input_range(network.input, contract)
    best: tuple[int, Float32, Int8] | None = None
    for candidate in range(_CANDIDATES):
        frame = _frame(data, candidate, contract, low, high)
        if check(frame, contract) is not Status.OK:
            continue
        output = run(network, frame)
        free = int(np.count_nonzero((output != INT8_MIN) & (output != INT8_MAX)))
        if best is None or free > best[0]:
            best = (free, frame, output)
    if best is None:
        raise TinysealError(f"{path}: the contract accepts no self-test frame in its range {low} to {high}")
    return best[1:]


def _input_range(entry: Tensor, contract: Contract) -> tuple[float, float]:
    """What the contract allows and int8 input does not saturate; the contract's range if there is no such thing."""
    scale, zero_point = float(entry.scales[0]), int(entry.zero_points[0])
    low = max(contract.low, (INT8_MIN - zero_point) * scale)
    high = min(contract.high, (INT8_MAX - zero_point) * scale)
    return (low, high) if low < high else (contract.low, contract.high)


def _frame(data: bytes, candidate: int, contract: Contract, low: float, high: float) -> Float32:
    """Uniform noise in a span of low..high that halves with every second candidate, in its middle or at random."""
    seed = hashlib.sha256(data).digest() + bytes([candidate])
    stream = np.frombuffer(hashlib.shake_256(seed).digest(4 * (contract.length + 1)), "<u4") / 2.0**32
    span = (high - low) / 2 ** (candidate // 2)
    start = low + (high - low - span) * (stream[0] if candidate % 2 else 0.5)
    # Clipped before it is rounded: the limits are float32 themselves, so that no value leaves them.
    frame: Float32 = np.clip(start + span * stream[1:], contract.low, contract.high).astype(np.float32)
    frame[frame == 0] = contract.high or contract.low
    return frame
