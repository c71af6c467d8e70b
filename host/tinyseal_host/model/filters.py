"""Reads the weights, bias and requantisation that convolutions and fully connected layers share."""

from __future__ import annotations

from typing import cast

import numpy as np

from .layer_reader import LayerReader, quantisation
from .layers import Filter
from .quantisation import (
    INT8_MAX,
    INT8_MIN,
    Int8,
    Int64,
    Requantisation,
    activation_range,
    layer_multiplier,
)
from .tflite_reader import shape_text

_MAX_K = 16384  # 255 * 255 * 16384 < 2^31: the kernels' sum of products
_MAX_BIAS_SCALE_ERROR = 0.02  # of the output's scale, as TFLM has it


def read_weights(layer: LayerReader, rank: int, channel_dimension: int = 0) -> Int8 | None:
    """int8 weights of that rank, one scale or one for each output along a dimension; None after a refusal."""
    tensor = layer.tensor(1)
    before = len(layer.problems)
    if tensor.type != "INT8" or tensor.data is None or not tensor.plain:
        layer.refuse(f"weights are {tensor.type}, wanted plain constant INT8")
        return None
    if len(tensor.shape) != rank or tensor.size == 0:
        layer.refuse(f"weights are {shape_text(tensor.shape)}, wanted {rank} dimensions")
        return None
    m = tensor.shape[channel_dimension]
    if tensor.scales.size not in (1, m):
        layer.refuse(f"weights have {tensor.scales.size} scales, wanted 1 or {m}")
    elif tensor.scales.size > 1 and tensor.quantised_dimension != channel_dimension:
        dimension = tensor.quantised_dimension
        layer.refuse(f"weights are quantised along dimension {dimension}, wanted {channel_dimension}")
    elif not (np.isfinite(tensor.scales) & (tensor.scales >= 0)).all():
        layer.refuse("weights have a scale that is negative or not finite")
    if tensor.zero_points.size > m or tensor.zero_points.any():
        layer.refuse("weights have a zero point other than 0")
    if tensor.size // m > _MAX_K:
        layer.refuse(f"has {tensor.size // m} weights an output, wanted at most {_MAX_K}")
    return cast(Int8, tensor.data) if len(layer.problems) == before else None


def read_filter(layer: LayerReader, weights: Int8, *, per_tensor: bool) -> Filter | None:
    """A Filter of weights [m, ...], the accumulator bounded; `per_tensor` has the bias held to its scale."""
    m = weights.shape[0]
    activation = layer.activation()
    (in_scale, zero_point), (out_scale, out_zero_point) = quantisation(layer.input), quantisation(layer.output)
    scales = layer.tensor(1).scales
    bias = _bias(layer, m, in_scale * float(scales[0]) if per_tensor else None, out_scale)
    if bias is None or activation is None or layer.problems:
        return None
    multiplier = layer_multiplier(in_scale, np.broadcast_to(scales, (m,)), out_scale)
    rows = weights.reshape(m, -1)
    positive = np.maximum(rows, 0).sum(axis=1, dtype=np.int64)
    negative = rows.sum(axis=1, dtype=np.int64) - positive
    # The extremes over all int8 inputs; padding stands for the zero point and adds 0, which lies between.
    above, below = INT8_MAX - zero_point, INT8_MIN - zero_point
    greatest = bias + positive * above + negative * below
    least = bias + positive * below + negative * above
    bounds = np.maximum(np.abs(greatest), np.abs(least))
    layer.check_bound(bounds, multiplier)
    low, high = activation_range(activation, out_scale, out_zero_point)
    return Filter(rows, bias, zero_point, Requantisation(multiplier, out_zero_point, low, high), int(bounds.max()))


def _bias(layer: LayerReader, m: int, scale: float | None, out_scale: float) -> Int64 | None:
    """int64 [m], zeros without a bias; None after a refusal. TFLM holds its scale against `scale`, if not None."""
    tensor = layer.optional(2)
    if tensor is None:
        return np.zeros(m, np.int64)
    if tensor.type != "INT32" or tensor.data is None or not tensor.plain or tensor.size != m:
        layer.refuse(f"bias is {shape_text(tensor.shape)} {tensor.type}, wanted {m} plain constant INT32")
        return None
    if scale is not None:
        given = float(tensor.scales[0]) if tensor.scales.size else 0.0
        if not abs(given - scale) <= _MAX_BIAS_SCALE_ERROR * out_scale:
            layer.refuse(f"bias has scale {given}, wanted input scale x weight scale = {scale}")
    bias: Int64 = tensor.data.reshape(m).astype(np.int64)
    return bias
