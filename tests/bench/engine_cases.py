"""The layers whose cost the chapter "engine" states."""

from collections.abc import Callable
from dataclasses import dataclass

from . import layer_files
from .layer_files import LayerFile


@dataclass(frozen=True)
class Case:
    """`count`: how many MACs the layer has, those with padding counted, or values; instructions are divided by it."""

    file: LayerFile
    count: int
    shapes: str
    unit: str = "instructions/MAC"
    goal: float | None = None


def _dense() -> Case:
    return Case(layer_files.dense(640, 128), 640 * 128, "640 to 128", goal=6.5)


def _conv(height: int, width: int, c: int, m: int, kernel: tuple[int, int], goal: float | None = None) -> Case:
    file = layer_files.convolution((height, width), c, m, kernel)
    macs = height * width * m * kernel[0] * kernel[1] * c
    return Case(file, macs, f"{c} to {m} channels, {height}x{width} pixels, {kernel[0]}x{kernel[1]} SAME", goal=goal)


def _depthwise() -> Case:
    file = layer_files.depthwise((25, 5), 64, (3, 3))
    return Case(file, 25 * 5 * 64 * 9, "64 channels, 25x5 pixels, 3x3 SAME", goal=18)


def _values(file: LayerFile, count: int, shapes: str) -> Case:
    return Case(file, count, shapes, "instructions/value")


_SHAPE = (1, 16, 16, 16)

CASES: dict[str, Callable[[], Case]] = {
    "dense_640x128": _dense,
    "conv_1x1": lambda: _conv(25, 5, 64, 64, (1, 1), goal=7.5),
    "conv_3x3": lambda: _conv(32, 32, 16, 16, (3, 3), goal=8),
    "conv_3x3_rgb": lambda: _conv(32, 32, 3, 16, (3, 3)),
    "depthwise_3x3": _depthwise,
    "conv_1d": lambda: _conv(1, 128, 16, 32, (1, 5)),
    "add": lambda: _values(layer_files.pair("ADD", _SHAPE, constant=False), 4096, "two tensors of 16x16x16"),
    "mul": lambda: _values(layer_files.pair("MUL", _SHAPE, constant=True), 4096, "16x16x16 by a constant of 16"),
    "map": lambda: _values(layer_files.logistic(_SHAPE), 4096, "LOGISTIC of 16x16x16"),
    "max_pool": lambda: _values(
        layer_files.pool("MAX_POOL_2D", (32, 32), 16, (2, 2)), 4096, "2x2 of 32x32x16, by outputs"
    ),
    "average_pool": lambda: _values(
        layer_files.pool("AVERAGE_POOL_2D", (32, 32), 16, (2, 2)), 4096, "2x2 of 32x32x16, by outputs"
    ),
    "mean": lambda: _values(layer_files.mean((25, 5), 64), 8000, "25x5 pixels of 64 channels, by inputs"),
    "softmax": lambda: _values(layer_files.softmax(1, 12), 12, "12 values"),
}
"""By the name of the line."""
