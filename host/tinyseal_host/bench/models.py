"""Models and single layers as releases that a board is given without a key: the network alone is measured."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..building import default_name
from ..contract import Contract
from ..errors import TinysealError
from ..files import MODEL_LIMIT, read_bounded, reason
from ..formats import SIGNATURE_LEN, parse_release
from ..model.compiler import compile_model
from ..model.network import Unsupported, read_network
from ..model.quantisation import INT8_MAX, INT8_MIN
from ..model.tflite_reader import read_model
from ..program import Program

VERSION = 1
_LAYERS = Path(__file__).with_name("layers")
_EXAMPLE = Path(__file__).parents[1] / "example" / "motion.tflite"


@dataclass(frozen=True)
class Ready:
    """A release without its signature, which nobody asks for; or why there is none."""

    name: str
    release: bytes
    refused: str = ""

    @property
    def program(self) -> Program:
        """Its steps."""
        return parse_release(self.release).program


def layers() -> list[Ready]:
    """One for each kernel, the largest layer of its file being the one that the file is for."""
    return [_ready(path) for path in sorted(_LAYERS.glob("*.tflite"))]


def models(folder: Path | None) -> list[Ready]:
    """Every `.tflite` in a folder, else the example's; TinysealError when there is none."""
    if folder is None:
        return [_ready(_EXAMPLE)]
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix == ".tflite")
    except OSError as error:
        raise TinysealError(f"{folder}: {reason(error)}") from error
    if not paths:
        raise TinysealError(f"{folder}: has no .tflite in it, wanted the models to measure")
    return [_ready(path) for path in paths]


def _ready(path: Path) -> Ready:
    """A model that cannot be compiled is one that was not measured, and no failure of the others."""
    data = read_bounded(path, MODEL_LIMIT)
    try:
        body = compile_model(data, path, _contract(data, path), name=default_name(path), version=VERSION)
    except TinysealError as error:
        return Ready(path.stem, b"", error.message)
    return Ready(path.stem, body + bytes(SIGNATURE_LEN))


def _contract(data: bytes, path: Path) -> Contract:
    """float32, anything that the model's input can tell apart."""
    network = read_network(read_model(data, path))
    if isinstance(network, Unsupported):
        raise TinysealError(f"{path}: {'; '.join(network.problems)}")
    scale, zero_point = float(network.input.scales[0]), int(network.input.zero_points[0])
    low, high = ((end - zero_point) * scale for end in (INT8_MIN, INT8_MAX))
    return Contract.simple(network.input.size, low, high, network.input.size)
