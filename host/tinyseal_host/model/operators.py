"""Reads one operator of a `.tflite` as a Layer, or says why it cannot be computed.

What is refused is what the board's kernels cannot do exactly, and what TensorFlow Lite Micro itself refuses.
"""

from __future__ import annotations

from typing import cast

import numpy as np

from .convolution import Axis, Window, same_or_valid
from .filters import read_filter, read_weights
from .layer_reader import LayerReader, quantisation
from .layers import Alias, Computation, Convolution, FullyConnected, Layer, Mean, Softmax
from .quantisation import INT8_MAX, INT8_MIN, Int8, Requantisation, mean_multiplier
from .softmax import softmax_exponentials
from .tflite_reader import shape_text

_MAX_STRIDE = 1024  # also of a dilation: with kernels of at most 16384, positions stay within 32 bits
_MAX_DEPTH = 255  # of a softmax: the sum of exponentials stays below 2^27


def read_layer(layer: LayerReader) -> Layer | None:
    """The Layer of an operator, or None with at least one problem."""
    operator = layer.operator
    if operator.name not in _READERS:
        layer.refuse("operator is not supported")
        return None
    least, most, read = _READERS[operator.name]
    layer.check_tensors(least, most)
    computation = None if layer.problems else read(layer)
    if layer.problems or computation is None:
        return None
    return Layer(operator.number, operator.name, layer.input, layer.output, computation)


def _alias(layer: LayerReader) -> Computation | None:
    if layer.input.size != layer.output.size:
        sizes = f"{shape_text(layer.output.shape)} from {shape_text(layer.input.shape)}"
        layer.refuse(f"makes {sizes}, wanted as many values")
    return Alias()


def _fully_connected(layer: LayerReader) -> Computation | None:
    if layer.operator.options["weights_format"] != "DEFAULT":
        layer.refuse(f"weights format is {layer.operator.options['weights_format']}, wanted DEFAULT")
    weights = read_weights(layer, 2)
    if weights is None:
        return None
    m, k = weights.shape
    pixels = layer.input.size // k
    if layer.input.size % k or layer.output.shape[-1:] != (m,) or layer.output.size != pixels * m:
        shapes = f"{shape_text(layer.input.shape)} to {shape_text(layer.output.shape)}"
        layer.refuse(f"computes {shapes} with weights {shape_text(weights.shape)}")
    rows = read_filter(layer, weights, per_tensor=layer.tensor(1).scales.size == 1)
    return None if rows is None else FullyConnected(rows, pixels)


def _conv_2d(layer: LayerReader) -> Computation | None:
    weights = read_weights(layer, 4)
    window = None if weights is None else _window(layer, weights)
    rows = None if weights is None else read_filter(layer, weights, per_tensor=False)
    return None if rows is None or window is None else Convolution(rows, window)


def _window(layer: LayerReader, weights: Int8) -> Window | None:
    options = layer.operator.options
    m, kernel_h, kernel_w, c = weights.shape
    if len(layer.input.shape) != 4 or layer.input.shape[0] != 1 or layer.input.shape[3] != c:
        layer.refuse(f"input is {shape_text(layer.input.shape)}, wanted 1 x height x width x {c} (no groups)")
        return None
    if options["padding"] not in ("SAME", "VALID"):
        layer.refuse(f"padding is {options['padding']}, wanted SAME or VALID")
        return None
    axes: list[Axis] = []
    for name, size, kernel in (("h", layer.input.shape[1], kernel_h), ("w", layer.input.shape[2], kernel_w)):
        stride, dilation = cast(int, options[f"stride_{name}"]), cast(int, options[f"dilation_{name}"])
        if not (1 <= stride <= _MAX_STRIDE and 1 <= dilation <= _MAX_STRIDE):
            wanted = f"wanted 1 to {_MAX_STRIDE} of each"
            layer.refuse(f"has stride {stride} and dilation {dilation} in {name}, {wanted}")
            continue
        axis = same_or_valid(str(options["padding"]), size, kernel, stride, dilation)
        if axis is None:
            layer.refuse(f"kernel of {kernel} with dilation {dilation} does not fit into {size} in {name}")
        else:
            axes.append(axis)
    if len(axes) != 2:
        return None
    expected = (1, axes[0].out, axes[1].out, m)
    if layer.output.shape != expected:
        layer.refuse(f"output is {shape_text(layer.output.shape)}, wanted {shape_text(expected)}")
    return Window(axes[0], axes[1], c)


def _mean(layer: LayerReader) -> Computation | None:
    axis_tensor = layer.tensor(1)
    shape = layer.input.shape
    if axis_tensor.data is None or axis_tensor.type != "INT32" or axis_tensor.size > len(shape):
        layer.refuse(f"axes are {shape_text(axis_tensor.shape)} {axis_tensor.type}, wanted a constant list of INT32")
        return None
    axes = {int(axis) for axis in axis_tensor.data.flat}
    if not all(-len(shape) <= axis < len(shape) for axis in axes):
        layer.refuse(f"axes {sorted(axes)} do not lie in {shape_text(shape)}")
        return None
    reduced = {axis % len(shape) for axis in axes}
    last = len(shape) - 1
    if last in reduced or any(size > 1 for axis, size in enumerate(shape[:-1]) if axis not in reduced):
        layer.refuse(f"averages {shape_text(shape)} over axes {sorted(axes)}, wanted all but the last axis")
        return None
    channels = shape[-1]
    if layer.output.size != channels:
        layer.refuse(f"output is {shape_text(layer.output.shape)}, wanted {channels} values")
    pixels = layer.input.size // channels
    (in_scale, zero_point), (out_scale, out_zero_point) = quantisation(layer.input), quantisation(layer.output)
    multiplier = mean_multiplier(in_scale, out_scale, pixels)
    bound = np.array([pixels * max(zero_point - INT8_MIN, INT8_MAX - zero_point)])
    layer.check_bound(bound, multiplier)
    return Mean(pixels, channels, zero_point, Requantisation(multiplier, out_zero_point, INT8_MIN, INT8_MAX))


def _softmax(layer: LayerReader) -> Computation | None:
    depth = layer.input.shape[-1] if layer.input.shape else 0
    if layer.input.shape != layer.output.shape or not 1 <= depth <= _MAX_DEPTH:
        shapes = f"{shape_text(layer.input.shape)} to {shape_text(layer.output.shape)}"
        layer.refuse(f"computes {shapes}, wanted one shape with a last axis of 1 to {_MAX_DEPTH}")
    if quantisation(layer.output) != (1 / 256, INT8_MIN):
        scale, zero_point = quantisation(layer.output)
        layer.refuse(f"output has scale {scale} and zero point {zero_point}, wanted 1/256 and {INT8_MIN}")
    beta = cast(float, layer.operator.options["beta"])
    exponentials = softmax_exponentials(quantisation(layer.input)[0], beta) if 0 < beta < np.inf else None
    if exponentials is None:
        layer.refuse(f"beta is {beta} with an input scale of {quantisation(layer.input)[0]}, wanted more")
    if layer.problems or exponentials is None:
        return None
    return Softmax(layer.input.size // depth, depth, exponentials)


_READERS = {
    "CONV_2D": (2, 3, _conv_2d),
    "FULLY_CONNECTED": (2, 3, _fully_connected),
    "MEAN": (2, 2, _mean),
    "SOFTMAX": (1, 1, _softmax),
    "RESHAPE": (1, 2, _alias),
    "EXPAND_DIMS": (2, 2, _alias),
    "SQUEEZE": (1, 1, _alias),
}
"""For each operator the least and greatest number of inputs, and what reads it."""
SUPPORTED = tuple(_READERS)
