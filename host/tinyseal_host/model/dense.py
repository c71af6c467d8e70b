"""Reads the operators that take all values of an axis at once: FULLY_CONNECTED, MEAN, SOFTMAX."""

from __future__ import annotations

from typing import cast

import numpy as np

from .filters import read_filter, read_weights
from .layer_reader import LayerReader, quantisation
from .layers import Computation, FullyConnected, Mean, Softmax
from .quantisation import INT8_MAX, INT8_MIN, Requantisation, mean_multiplier
from .softmax import softmax_exponentials
from .tflite_reader import shape_text

MAX_DEPTH = 255
"""Values in a row of a softmax: the sum of exponentials stays below 2^27."""


def fully_connected(layer: LayerReader) -> Computation | None:
    """FULLY_CONNECTED."""
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


def mean(layer: LayerReader) -> Computation | None:
    """MEAN over all but the last axis."""
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


def softmax(layer: LayerReader) -> Computation | None:
    """SOFTMAX over the last axis."""
    depth = layer.input.shape[-1] if layer.input.shape else 0
    if layer.input.shape != layer.output.shape or not 1 <= depth <= MAX_DEPTH:
        shapes = f"{shape_text(layer.input.shape)} to {shape_text(layer.output.shape)}"
        layer.refuse(f"computes {shapes}, wanted one shape with a last axis of 1 to {MAX_DEPTH}")
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
