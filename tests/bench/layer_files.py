"""Layers whose cost is counted, each in a `.tflite` of its own with a frame for it.

A board gives out 4,096 values at most. Behind a layer that has more stand as many MAX_POOL_2D of 2x2 as it takes;
its answer is then seen through them.
"""

import math
from dataclasses import dataclass

import numpy as np
from tflite_parts import conv_output
from tflite_writer import ACTIVATION, PADDING, TfliteWriter, options

_SCALE = 0.05  # of activations
_MOST_OUTPUTS = 4096
_SEED = 11

Pair = tuple[int, int]
"""Height and width."""


@dataclass(frozen=True)
class LayerFile:
    """The file's bytes, its int8 input [1, ...], and how many layers stand before and after the one that it is for."""

    data: bytes
    frame: np.ndarray
    before: int
    after: int


class _File:
    """A file in the making; every tensor has its own zero point."""

    def __init__(self, shape: tuple[int, ...], seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.writer = TfliteWriter()
        self.entry = self.activations(shape)
        self._frame = self.rng.integers(-128, 128, shape, dtype=np.int8)

    def activations(self, shape: tuple[int, ...], scale: float = _SCALE, zero_point: int | None = None) -> int:
        """A tensor without data."""
        point = int(self.rng.integers(-20, 20)) if zero_point is None else zero_point
        return self.writer.tensor(shape, scale=scale, zero_point=point)

    def like(self, tensor: int, shape: tuple[int, ...]) -> int:
        """A tensor without data, quantised as another."""
        zero_point = int(self.writer.tensors[tensor].quantization.zeroPoint[0])
        return self.activations(shape, float(self.writer.tensors[tensor].quantization.scale[0]), zero_point)

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

    def finish(self, result: int, *, before: int = 0) -> LayerFile:
        """With the pools that it takes."""
        after = 0
        while math.prod(shape := self.writer.tensors[result].shape) > _MOST_OUTPUTS:
            _, height, width, c = shape
            pooled = self.like(result, (1, height + 1 >> 1, width + 1 >> 1, c))
            self.writer.operator("MAX_POOL_2D", [result], [pooled], _pool_options((2, 2), 2, "SAME"))
            result, after = pooled, after + 1
        return LayerFile(self.writer.finish([self.entry], [result]), self._frame, before, after)


def _pool_options(kernel: Pair, stride: int, padding: str) -> object:
    sizes = {"filterHeight": kernel[0], "filterWidth": kernel[1], "strideH": stride, "strideW": stride}
    return options("Pool2DOptions", padding=PADDING[padding], **sizes)


def dense(k: int, m: int, *, pixels: int = 1, seed: int = _SEED) -> LayerFile:
    """FULLY_CONNECTED with RELU."""
    file = _File((pixels, k) if pixels == 1 else (1, pixels, k), seed)
    result = file.activations((1, m) if pixels == 1 else (1, pixels, m))
    chosen = options("FullyConnectedOptions", fusedActivationFunction=ACTIVATION["RELU"], keepNumDims=pixels > 1)
    file.writer.operator("FULLY_CONNECTED", [file.entry, *file.filter((m, k), 0, k)], [result], chosen)
    return file.finish(result)


def convolution(
    size: Pair, c: int, m: int, kernel: Pair, *, stride: int = 1, padding: str = "SAME", seed: int = _SEED
) -> LayerFile:
    """CONV_2D with RELU."""
    weights = (m, *kernel, c)
    return _windowed("CONV_2D", size, c, weights, 0, options("Conv2DOptions"), stride, padding, seed)


def depthwise(
    size: Pair,
    c: int,
    kernel: Pair,
    *,
    multiplier: int = 1,
    stride: int = 1,
    padding: str = "SAME",
    seed: int = _SEED,
) -> LayerFile:
    """DEPTHWISE_CONV_2D with RELU."""
    weights = (1, *kernel, c * multiplier)
    chosen = options("DepthwiseConv2DOptions", depthMultiplier=multiplier)
    return _windowed("DEPTHWISE_CONV_2D", size, c, weights, 3, chosen, stride, padding, seed)


def _windowed(
    name: str,
    size: Pair,
    c: int,
    weights: tuple[int, ...],
    dimension: int,
    chosen: object,
    stride: int,
    padding: str,
    seed: int,
) -> LayerFile:
    file = _File((1, *size, c), seed)
    m, kernel = weights[dimension], weights[1:3]
    out = (conv_output(n, k, stride, 1, padding) for n, k in zip(size, kernel, strict=True))
    result = file.activations((1, *out, m))
    chosen.padding, chosen.strideH, chosen.strideW = PADDING[padding], stride, stride
    chosen.fusedActivationFunction = ACTIVATION["RELU"]
    taps = math.prod(weights) // m
    file.writer.operator(name, [file.entry, *file.filter(weights, dimension, taps)], [result], chosen)
    return file.finish(result)


def pool(
    name: str, size: Pair, c: int, kernel: Pair, *, stride: int = 2, padding: str = "VALID", seed: int = _SEED
) -> LayerFile:
    """MAX_POOL_2D or AVERAGE_POOL_2D, by name."""
    file = _File((1, *size, c), seed)
    out = (conv_output(n, k, stride, 1, padding) for n, k in zip(size, kernel, strict=True))
    result = file.like(file.entry, (1, *out, c))
    file.writer.operator(name, [file.entry], [result], _pool_options(kernel, stride, padding))
    return file.finish(result)


def pair(name: str, shape: tuple[int, ...], *, constant: bool, scale: float = 0.0413, seed: int = _SEED) -> LayerFile:
    """ADD, SUB, MUL, MINIMUM or MAXIMUM, by name: with a constant by channel, or with a map of the input.

    `scale` is the map's. Round ones, 0.04 beside 0.05 and 0.08, give sums that a board cannot do without a multiplier.
    """
    file = _File(shape, seed)
    alike = name in ("MINIMUM", "MAXIMUM")
    if constant:
        zero_point = int(file.writer.tensors[file.entry].quantization.zeroPoint[0]) if alike else 0
        values = file.rng.integers(-128, 128, shape[-1:], dtype=np.int8)
        other = file.writer.constant(values, scale=_SCALE, zero_point=zero_point)
    else:
        other = file.like(file.entry, shape) if alike else file.activations(shape, scale)
        file.writer.operator("RELU", [file.entry], [other])
    result = file.like(file.entry, shape) if alike else file.activations(shape, 0.3 if name == "MUL" else 0.08)
    chosen = None if alike else options(f"{name.capitalize()}Options")
    file.writer.operator(name, [file.entry, other], [result], chosen)
    return file.finish(result, before=0 if constant else 1)


def logistic(shape: tuple[int, ...], *, seed: int = _SEED) -> LayerFile:
    """LOGISTIC, as an example of a map."""
    file = _File(shape, seed)
    result = file.activations(shape, 1 / 256, -128)
    file.writer.operator("LOGISTIC", [file.entry], [result])
    return file.finish(result)


def mean(size: Pair, c: int, *, seed: int = _SEED) -> LayerFile:
    """MEAN over height and width."""
    file = _File((1, *size, c), seed)
    result = file.activations((1, c))
    axes = file.writer.constant(np.array([1, 2], np.int32))
    file.writer.operator("MEAN", [file.entry, axes], [result], options("ReducerOptions"))
    return file.finish(result)


def softmax(rows: int, depth: int, *, seed: int = _SEED) -> LayerFile:
    """SOFTMAX."""
    shape = (rows, depth) if rows == 1 else (1, rows, depth)
    file = _File(shape, seed)
    result = file.activations(shape, 1 / 256, -128)
    file.writer.operator("SOFTMAX", [file.entry], [result], options("SoftmaxOptions", beta=1.0))
    return file.finish(result)


def pad(size: Pair, c: int, amount: int, *, seed: int = _SEED) -> LayerFile:
    """PAD of height and width on either side."""
    file = _File((1, *size, c), seed)
    amounts = file.writer.constant(np.array([[0, 0], [amount] * 2, [amount] * 2, [0, 0]], np.int32))
    result = file.like(file.entry, (1, *(n + 2 * amount for n in size), c))
    file.writer.operator("PAD", [file.entry, amounts], [result], options("PadOptions"))
    return file.finish(result)


def transpose(shape: tuple[int, ...], order: tuple[int, ...], *, seed: int = _SEED) -> LayerFile:
    """TRANSPOSE."""
    file = _File(shape, seed)
    result = file.like(file.entry, tuple(shape[axis] for axis in order))
    axes = file.writer.constant(np.array(order, np.int32))
    file.writer.operator("TRANSPOSE", [file.entry, axes], [result], options("TransposeOptions"))
    return file.finish(result)
