"""Reads one operator of a `.tflite` as a Layer, or says why it cannot be computed.

What is refused is what the board's kernels cannot do exactly, and what TensorFlow Lite Micro itself refuses.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, cast

import numpy as np

from . import elementwise, maps, moves, windows
from .filters import read_filter, read_weights
from .layer_reader import LayerReader, quantisation
from .layers import Alias, Computation, FullyConnected, Layer, Mean, Softmax
from .quantisation import INT8_MAX, INT8_MIN, Requantisation, mean_multiplier
from .softmax import softmax_exponentials
from .tflite_reader import shape_text

_MAX_DEPTH = 255  # of a softmax: the sum of exponentials stays below 2^27


def read_layer(layer: LayerReader) -> Layer | None:
    """The Layer of an operator, or None with at least one problem."""
    operator = layer.operator
    if operator.name not in _READERS:
        layer.refuse("operator is not supported")
        return None
    reader = _READERS[operator.name]
    if not layer.check_counts(reader.least, reader.most):
        return None
    if reader.activations is not None:
        layer.check_activations(range(min(reader.activations, layer.input_count)))
    computation = None if layer.problems else reader.read(layer)
    if layer.problems or computation is None:
        return None
    return Layer(operator.number, operator.name, tuple(layer.activations), layer.output, computation)


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


class _Reader(NamedTuple):
    """The least and greatest number of inputs, what reads the operator, and how many of its first inputs are
    activations; None when it finds that out."""

    least: int
    most: int
    read: Callable[[LayerReader], Computation | None]
    activations: int | None = 1


_MAX_JOINED = 256

_READERS = {
    "CONV_2D": _Reader(2, 3, windows.conv_2d),
    "DEPTHWISE_CONV_2D": _Reader(2, 3, windows.depthwise_conv_2d),
    "FULLY_CONNECTED": _Reader(2, 3, _fully_connected),
    "MAX_POOL_2D": _Reader(1, 1, windows.max_pool_2d),
    "AVERAGE_POOL_2D": _Reader(1, 1, windows.average_pool_2d),
    "MEAN": _Reader(2, 2, _mean),
    "SOFTMAX": _Reader(1, 1, _softmax),
    "RELU": _Reader(1, 1, maps.relu),
    "RELU6": _Reader(1, 1, maps.relu6),
    "LEAKY_RELU": _Reader(1, 1, maps.leaky_relu),
    "HARD_SWISH": _Reader(1, 1, maps.hard_swish),
    "LOGISTIC": _Reader(1, 1, maps.logistic),
    "TANH": _Reader(1, 1, maps.tanh),
    "QUANTIZE": _Reader(1, 1, maps.quantize),
    "ADD": _Reader(2, 2, elementwise.add, None),
    "SUB": _Reader(2, 2, elementwise.sub, None),
    "MUL": _Reader(2, 2, elementwise.mul, None),
    "MINIMUM": _Reader(2, 2, elementwise.minimum, None),
    "MAXIMUM": _Reader(2, 2, elementwise.maximum, None),
    "PAD": _Reader(2, 2, moves.pad),
    "PADV2": _Reader(3, 3, moves.pad),
    "CONCATENATION": _Reader(1, _MAX_JOINED, moves.concatenation, _MAX_JOINED),
    "STRIDED_SLICE": _Reader(4, 4, moves.strided_slice),
    "TRANSPOSE": _Reader(2, 2, moves.transpose),
    "RESHAPE": _Reader(1, 2, _alias),
    "EXPAND_DIMS": _Reader(2, 2, _alias),
    "SQUEEZE": _Reader(1, 1, _alias),
}
SUPPORTED = (*_READERS, "DEQUANTIZE")
"""All operators that can be computed, QUANTIZE from and DEQUANTIZE to float32 only at the edges of a network."""
