"""The layers whose cost the chapter "engine" states, each in a `.tflite` of its own with a frame for it.

A board gives out 4,096 values at most. Behind a layer that has more stands a MAX_POOL_2D of 2x2, which is not counted.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from tflite_parts import conv_output
from tflite_writer import ACTIVATION, PADDING, TfliteWriter, options

_SCALE = 0.05  # of activations
_MOST_OUTPUTS = 4096
_SEED = 11


@dataclass(frozen=True)
class Case:
    """The file's bytes and its int8 input [1, ...]; `before` and `after`: steps around the layer that do not count.

    `count` is how many MACs the layer has, those with padding counted, or values: what its instructions are divided by.
    """

    data: bytes
    frame: np.ndarray
    count: int
    shapes: str
    unit: str = "instructions/MAC"
    goal: float | None = None
    before: int = 0
    after: int = 0


class _File:
    """A file in the making; every tensor has its own zero point."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.rng = np.random.default_rng(_SEED)
        self.writer = TfliteWriter()
        self.entry = self.activations(shape)
        self.frame = self.rng.integers(-128, 128, shape, dtype=np.int8)
        self.after = 0

    def activations(self, shape: tuple[int, ...], scale: float = _SCALE, zero_point: int | None = None) -> int:
        """A tensor without data."""
        point = int(self.rng.integers(-20, 20)) if zero_point is None else zero_point
        return self.writer.tensor(shape, scale=scale, zero_point=point)

    def filter(self, shape: tuple[int, ...], dimension: int, taps: int) -> list[int]:
        """Weights as training leaves them, about normal and up to 127 in each channel, and a bias.

        Scaled for outputs as wide as the inputs.
        """
        m = shape[dimension]
        weights = self.rng.normal(0, 1, shape)
        axes = tuple(axis for axis in range(len(shape)) if axis != dimension)
        weights = np.rint(127 * weights / np.abs(weights).max(axis=axes, keepdims=True)).astype(np.int8)
        scales = (self.rng.uniform(0.5, 1.5, m) / (40 * math.sqrt(taps))).astype(np.float32)
        bias = self.rng.integers(-2000, 2000, m, dtype=np.int32)
        return [
            self.writer.constant(weights, scale=scales, dimension=dimension),
            self.writer.constant(bias, scale=(np.float32(_SCALE) * scales).astype(np.float32)),
        ]

    def finish(self, result: int, shape: tuple[int, ...]) -> bytes:
        """The file's bytes, with the pool if it takes one."""
        if math.prod(shape) > _MOST_OUTPUTS:
            _, height, width, c = shape
            wide = self.writer.tensors[result].quantization
            pooled = self.activations((1, height + 1 >> 1, width + 1 >> 1, c), _SCALE, int(wide.zeroPoint[0]))
            self.writer.operator("MAX_POOL_2D", [result], [pooled], _pool_options("SAME"))
            result, self.after = pooled, 1
        return self.writer.finish([self.entry], [result])


def _pool_options(padding: str) -> object:
    sizes = {"filterHeight": 2, "filterWidth": 2, "strideH": 2, "strideW": 2}
    return options("Pool2DOptions", padding=PADDING[padding], **sizes)


def _dense(k: int, m: int, goal: float) -> Case:
    file = _File((1, k))
    result = file.activations((1, m))
    file.writer.operator(
        "FULLY_CONNECTED",
        [file.entry, *file.filter((m, k), 0, k)],
        [result],
        options("FullyConnectedOptions", fusedActivationFunction=ACTIVATION["RELU"]),
    )
    return Case(file.finish(result, (1, m)), file.frame, k * m, f"{k} to {m}", goal=goal)


def _convolution(
    height: int, width: int, c: int, m: int, kernel: tuple[int, int], *, depthwise: bool = False, goal: float | None
) -> Case:
    """Stride 1, SAME, RELU."""
    file = _File((1, height, width, c))
    out_h, out_w = (conv_output(n, k, 1, 1, "SAME") for n, k in zip((height, width), kernel, strict=True))
    shape = (1, out_h, out_w, m)
    result = file.activations(shape)
    if depthwise:
        name, taps = "DEPTHWISE_CONV_2D", math.prod(kernel)
        filters = file.filter((1, *kernel, m), 3, taps)
        chosen = options("DepthwiseConv2DOptions", depthMultiplier=1)
    else:
        name, taps = "CONV_2D", math.prod(kernel) * c
        filters = file.filter((m, *kernel, c), 0, taps)
        chosen = options("Conv2DOptions")
    chosen.padding, chosen.strideH, chosen.strideW = PADDING["SAME"], 1, 1
    chosen.fusedActivationFunction = ACTIVATION["RELU"]
    file.writer.operator(name, [file.entry, *filters], [result], chosen)
    data = file.finish(result, shape)
    text = f"{c} to {m} channels, {height}x{width} pixels, {kernel[0]}x{kernel[1]} SAME"
    return Case(data, file.frame, out_h * out_w * m * taps, text, goal=goal, after=file.after)


def _add() -> Case:
    """The input and a map of it, as a residual connection has two tensors of one shape."""
    shape = (1, 16, 16, 16)
    file = _File(shape)
    other, result = file.activations(shape, 0.04), file.activations(shape, 0.08)
    file.writer.operator("RELU", [file.entry], [other])
    file.writer.operator("ADD", [file.entry, other], [result], options("AddOptions"))
    return _per_value(file, result, shape, "16x16x16 and another tensor", before=1)


def _mul() -> Case:
    """A constant by channel, as batch norm has it that was not fused."""
    shape = (1, 16, 16, 16)
    file = _File(shape)
    result = file.activations(shape, 0.06)
    factor = file.writer.constant(file.rng.integers(-128, 128, shape[3:], dtype=np.int8), scale=0.01, zero_point=0)
    file.writer.operator("MUL", [file.entry, factor], [result], options("MulOptions"))
    return _per_value(file, result, shape, "16x16x16 by a constant of 16")


def _map() -> Case:
    shape = (1, 16, 16, 16)
    file = _File(shape)
    result = file.activations(shape, 1 / 256, -128)
    file.writer.operator("LOGISTIC", [file.entry], [result])
    return _per_value(file, result, shape, "LOGISTIC of 16x16x16")


def _pool(name: str) -> Case:
    shape = (1, 16, 16, 16)
    file = _File((1, 32, 32, 16))
    zero_point = int(file.writer.tensors[file.entry].quantization.zeroPoint[0])
    result = file.activations(shape, _SCALE, zero_point)
    file.writer.operator(name, [file.entry], [result], _pool_options("VALID"))
    return _per_value(file, result, shape, "2x2 of 32x32x16, by outputs")


def _mean() -> Case:
    file = _File((1, 25, 5, 64))
    result = file.activations((1, 64))
    axes = file.writer.constant(np.array([1, 2], np.int32))
    file.writer.operator("MEAN", [file.entry, axes], [result], options("ReducerOptions"))
    return _per_value(file, result, (1, 64), "25x5 pixels of 64 channels, by inputs", count=25 * 5 * 64)


def _softmax() -> Case:
    file = _File((1, 12))
    result = file.activations((1, 12), 1 / 256, -128)
    file.writer.operator("SOFTMAX", [file.entry], [result], options("SoftmaxOptions", beta=1.0))
    return _per_value(file, result, (1, 12), "12 values")


def _per_value(
    file: _File, result: int, shape: tuple[int, ...], text: str, *, before: int = 0, count: int | None = None
) -> Case:
    data = file.finish(result, shape)
    return Case(data, file.frame, count or math.prod(shape), text, "instructions/value", before=before)


CASES: dict[str, Callable[[], Case]] = {
    "dense_640x128": lambda: _dense(640, 128, 6.5),
    "conv_1x1": lambda: _convolution(25, 5, 64, 64, (1, 1), goal=7.5),
    "conv_3x3": lambda: _convolution(32, 32, 16, 16, (3, 3), goal=8),
    "conv_3x3_rgb": lambda: _convolution(32, 32, 3, 16, (3, 3), goal=None),
    "depthwise_3x3": lambda: _convolution(25, 5, 64, 64, (3, 3), depthwise=True, goal=18),
    "conv_1d": lambda: _convolution(1, 128, 16, 32, (1, 5), goal=None),
    "add": _add,
    "mul": _mul,
    "map": _map,
    "max_pool": lambda: _pool("MAX_POOL_2D"),
    "average_pool": lambda: _pool("AVERAGE_POOL_2D"),
    "mean": _mean,
    "softmax": _softmax,
}
"""By the name of the line."""
