"""What is compared: a file, the frames it is given, and the int8 outputs that TensorFlow Lite Micro gives for them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from compiling import entry_of, frames_of
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy
from tflite_parts import RandomModel, run_tflm
from tinyseal_host.model.network import Network, read_network
from tinyseal_host.model.tflite_reader import read_model

_PATH = Path("case.tflite")
_UINT8_ZERO = 128


@dataclass(frozen=True)
class Case:
    """A file, float32 frames for it [n, length], and int8 outputs [n, outputs]."""

    name: str
    data: bytes
    frames: np.ndarray
    expected: np.ndarray


class NotSupportedError(Exception):
    """A file that the host refuses and that the campaign means to run."""


def network_of(data: bytes) -> Network:
    """The Network in a file; NotSupportedError with all its problems."""
    network = read_network(read_model(data, _PATH))
    if not isinstance(network, Network):
        raise NotSupportedError("; ".join(network.problems))
    return network


def case_of(model: RandomModel) -> Case:
    """The Case of a file with int8 inputs for its int8 entry, whatever its edges are."""
    network = network_of(model.data)
    file = read_model(model.data, _PATH)
    frames = np.array([frame.reshape(-1) for frame in frames_of(model.data, model.inputs)])
    given = file.tensors[file.inputs[0]]
    inputs = model.inputs
    if given.type == "FLOAT32":
        inputs = frames.reshape(inputs.shape)
    elif given.type == "UINT8":
        inputs = (inputs.astype(np.int16) + _UINT8_ZERO).astype(np.uint8)
    found = run_tflm(model.oracle or model.data, inputs)
    if (
        found.dtype == np.float32
    ):  # scale * (q - zero point), each rounded once: the quotient is within 2^-15 of a whole
        result = network.output
        found = np.round(found.astype(np.float64) / float(result.scales[0])) + int(result.zero_points[0])
    elif found.dtype == np.uint8:
        found = found.astype(np.int16) - _UINT8_ZERO
    return Case(model.name, model.data, frames, found.astype(np.int8))


def draw(strategy: SearchStrategy[RandomModel], count: int, number: int) -> list[RandomModel]:
    """At most `count` files; the same ones for the same `number`."""
    found: list[RandomModel] = []

    @seed(number)
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def collect(model: RandomModel) -> None:
        found.append(model)

    collect()
    return found[:count]


def public_model(path: Path, frames: int, number: int) -> RandomModel:
    """A file with `frames` frames of noise, as many of both extremes mixed, and frames of one value."""
    data = path.read_bytes()
    network_of(data)
    entry = entry_of(data)
    shape, rng = entry.shape, np.random.default_rng(number)
    noise = rng.integers(-128, 128, (frames, *shape), dtype=np.int8)
    extremes = rng.choice(np.array([-128, 127], np.int8), (frames, *shape))
    constants = np.array([np.full(shape, value) for value in (-128, 127, 0, int(entry.zero_points[0]))], np.int8)
    return RandomModel(path.name, data, np.concatenate([noise, extremes, constants]))


Engine = Callable[[list[Case]], list[np.ndarray | str]]
"""From cases to int8 outputs [n, outputs], or to a line that says why there are none."""
