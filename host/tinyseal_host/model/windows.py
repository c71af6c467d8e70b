"""Reads the operators that move a window over an NHWC tensor: convolutions, depthwise ones, and pools."""

from __future__ import annotations

from typing import cast

import numpy as np

from .convolution import Axis, Window
from .dilation import Blocks, blocked_input, check_joined
from .filters import read_filter, read_weights
from .layer_reader import LayerReader, quantisation
from .layers import Computation, Convolution, Depthwise, Pool
from .quantisation import Int8, activation_range
from .tflite_reader import shape_text

MAX_STRIDE = 1024  # also of a dilation: with kernels of at most 16384, positions stay within 32 bits
MAX_CELLS = 16384  # under the kernel of a pool: sums of bytes stay below 2^22


def conv_2d(layer: LayerReader) -> Computation | None:
    """CONV_2D."""
    weights = read_weights(layer, 4)
    if weights is None:
        return None
    m, kernel_h, kernel_w, c = weights.shape
    window = _window(layer, (kernel_h, kernel_w), c, m)
    rows = read_filter(layer, weights, per_tensor=False)
    return None if rows is None or window is None else Convolution(rows, window)


def depthwise_conv_2d(layer: LayerReader) -> Computation | None:
    """DEPTHWISE_CONV_2D."""
    weights = read_weights(layer, 4, channel_dimension=3)
    if weights is None:
        return None
    batch, kernel_h, kernel_w, m = weights.shape
    c = layer.input.shape[-1] if layer.input.shape else 0
    multiplier = layer.option("multiplier")
    if batch != 1 or m != c * multiplier:
        layer.refuse(f"weights are {shape_text(weights.shape)} for {c} channels, each taken {multiplier} times")
        return None
    window = _window(layer, (kernel_h, kernel_w), c, m)
    rows = read_filter(layer, _by_output(weights), per_tensor=False)
    return None if rows is None or window is None else Depthwise(rows, window, multiplier)


def _by_output(weights: Int8) -> Int8:
    """int8 [m, k] of depthwise weights [1, kernel_h, kernel_w, m]."""
    return np.ascontiguousarray(weights.reshape(-1, weights.shape[3]).T)


def max_pool_2d(layer: LayerReader) -> Computation | None:
    """MAX_POOL_2D."""
    return _pool(layer, average=False)


def average_pool_2d(layer: LayerReader) -> Computation | None:
    """AVERAGE_POOL_2D."""
    return _pool(layer, average=True)


def _pool(layer: LayerReader, *, average: bool) -> Computation | None:
    kernel_h, kernel_w = layer.option("kernel_h"), layer.option("kernel_w")
    if not (kernel_h >= 1 and kernel_w >= 1 and kernel_h * kernel_w <= MAX_CELLS):
        layer.refuse(f"kernel is {kernel_h}x{kernel_w}, wanted 1 to {MAX_CELLS} cells")
        return None
    c = layer.input.shape[-1] if layer.input.shape else 0
    window = _window(layer, (kernel_h, kernel_w), c, c)
    activation = layer.activation()
    if window is None or activation is None:
        return None
    return Pool(window, average, *activation_range(activation, *quantisation(layer.output)))


def _window(layer: LayerReader, kernels: tuple[int, int], c: int, m: int) -> Window | None:
    padding = str(layer.operator.options["padding"])
    if padding not in ("SAME", "VALID"):
        layer.refuse(f"padding is {padding}, wanted SAME or VALID")
        return None
    blocked = blocked_input(layer)
    if blocked is None:
        return None
    if len(blocked.shape) != 4 or blocked.shape[0] != 1 or blocked.shape[3] != c:
        layer.refuse(f"input is {shape_text(blocked.shape)}, wanted 1 x height x width x {c} (no groups)")
        return None
    height, width = (
        _axis(layer, name, padding, blocked.shape[dimension], kernel, blocked.blocks[dimension - 1])
        for dimension, name, kernel in zip((1, 2), "hw", kernels, strict=True)
    )
    if height is None or width is None:
        return None
    whole = (1, height.out, width.out, m)
    expected = tuple(whole[dimension] for dimension in blocked.dimensions)
    if layer.output.shape != expected:
        layer.refuse(f"output is {shape_text(layer.output.shape)}, wanted {shape_text(expected)}")
    if layer.spacing is not None:
        check_joined(layer, layer.spacing, blocked, (height.out, width.out), m)
    return Window(height, width, c)


def _axis(layer: LayerReader, name: str, padding: str, size: int, kernel: int, blocks: Blocks) -> Axis | None:
    stride, own_dilation = layer.option(f"stride_{name}"), cast(int, layer.operator.options.get(f"dilation_{name}", 1))
    dilation = own_dilation * blocks.size
    if not (1 <= stride <= MAX_STRIDE and own_dilation >= 1 and dilation <= MAX_STRIDE):
        wanted = f"wanted 1 to {MAX_STRIDE} of each"
        layer.refuse(f"has stride {stride} and dilation {dilation} in {name}, {wanted}")
        return None
    if layer.spacing is not None and stride != 1:
        layer.refuse(f"has stride {stride} in {name} between blocks, wanted 1")
        return None
    axis = blocks.axis(padding, size, kernel, stride, own_dilation)
    if axis is None:
        layer.refuse(f"kernel of {kernel} with dilation {dilation} does not fit into {size} in {name}")
    return axis
