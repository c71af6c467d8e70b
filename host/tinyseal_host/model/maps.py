"""Reads the operators that take each value by itself: their 256 answers, by TensorFlow Lite Micro's arithmetic."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import cast

import numpy as np

from .gemmlowp import logistic as logistic_q31
from .gemmlowp import tanh as tanh_q31
from .layer_reader import LayerReader, quantisation
from .layers import Computation, Map
from .quantisation import (
    INT8_MAX,
    INT8_MIN,
    Int8,
    Int64,
    Multiplier,
    Requantisation,
    activation_range,
    quantise,
    quantize_multiplier,
    rounding_divide_by_pot,
)
from .quantisation import saturating_rounding_doubling_high_mul as mul

_INPUTS = np.arange(INT8_MIN, INT8_MAX + 1, dtype=np.int64)
MAX_FACTOR = 1 << 22
"""Of a requantisation, which stays below it: |255 * factor| stays within 32 bits."""
_INT16_MIN, _INT16_MAX = -(1 << 15), (1 << 15) - 1


def quantize(layer: LayerReader) -> Computation | None:
    """QUANTIZE from int8 to int8."""
    return _requantised(layer, INT8_MIN, INT8_MAX)


def dequantize(layer: LayerReader) -> Computation | None:
    """DEQUANTIZE with the QUANTIZE behind it: int8 to int8 by way of float32."""
    (in_scale, in_zero_point), (out_scale, zero_point) = quantisation(layer.input), quantisation(layer.output)
    with np.errstate(over="ignore"):
        values = (in_scale * (_INPUTS - in_zero_point)).astype(np.float32)
    return _map(layer, quantise(values, out_scale, zero_point))


def relu(layer: LayerReader) -> Computation | None:
    """RELU."""
    return _requantised(layer, *activation_range("RELU", *quantisation(layer.output)))


def relu6(layer: LayerReader) -> Computation | None:
    """RELU6, which TFLM clamps by the input's scale and does not requantise."""
    low, high = activation_range("RELU6", *quantisation(layer.input))
    return _map(layer, np.clip(_INPUTS, low, high))


def leaky_relu(layer: LayerReader) -> Computation | None:
    """LEAKY_RELU."""
    alpha = cast(float, layer.operator.options["alpha"])
    if not 0 <= alpha < np.inf:
        layer.refuse(f"alpha is {alpha}, wanted a number from 0")
        return None
    (in_scale, in_zero_point), (out_scale, zero_point) = quantisation(layer.input), quantisation(layer.output)
    positive = _multiplier(layer, in_scale / out_scale)
    negative = _multiplier(layer, in_scale * alpha / out_scale)
    if positive is None or negative is None:
        return None
    centred = _INPUTS - in_zero_point
    above, below = (Requantisation(m, zero_point, INT8_MIN, INT8_MAX).apply(centred) for m in (positive, negative))
    return _map(layer, np.where(centred >= 0, above, below))


def logistic(layer: LayerReader) -> Computation | None:
    """LOGISTIC, whose output has scale 1/256 and zero point -128."""
    return _sigmoid(layer, logistic_q31, 1 / 256, INT8_MIN)


def tanh(layer: LayerReader) -> Computation | None:
    """TANH, whose output has scale 1/128 and zero point 0."""
    return _sigmoid(layer, tanh_q31, 1 / 128, 0)


def hard_swish(layer: LayerReader) -> Computation | None:
    """HARD_SWISH, in TFLM's 16 bits (`HardSwish` of `hard_swish.h`), its factors in float32."""
    (in_scale, in_zero_point), (out_scale, zero_point) = quantisation(layer.input), quantisation(layer.output)
    with np.errstate(over="ignore", under="ignore"):
        hires_scale = np.float32(1 / 128) * np.float32(in_scale)
        factors = [float(hires_scale / np.float32(out_scale)), float(hires_scale / np.float32(3 / 32768))]
    if not all(0 < factor < 2.0**15 for factor in factors) or factors[0] >= 1:
        layer.refuse(f"output has scale {out_scale}, wanted more than {hires_scale}")
        return None
    (out_q15, out_shift), (relu_q15, relu_shift) = (_int16_multiplier(factor) for factor in factors)
    hires = (_INPUTS - in_zero_point) << 7
    preshift = _mul_q15(hires, out_q15)
    relu_ish = hires
    if relu_shift > 0:
        relu_ish = _saturate_int16(relu_ish << relu_shift - 1)
    relu_ish = _mul_q15(relu_ish, relu_q15)
    if relu_shift > 0:
        relu_ish = _saturate_int16(relu_ish << 1)
    relu_ish = rounding_divide_by_pot(relu_ish, max(-relu_shift, 0))
    relu_ish = (relu_ish + (1 << 15)) >> 1
    product = relu_ish * preshift
    truncated = np.where(product < 0, -(-product >> 15), product >> 15)
    return _map(layer, rounding_divide_by_pot(truncated, -out_shift) + zero_point)


def _map(layer: LayerReader, outputs: Int64 | Int8) -> Map | None:
    if layer.input.size != layer.output.size:
        layer.refuse(f"makes {layer.output.size} values from {layer.input.size}, wanted as many")
        return None
    return Map(layer.output.size, np.clip(outputs, INT8_MIN, INT8_MAX).astype(np.int8))


def _multiplier(layer: LayerReader, factor: float) -> Multiplier | None:
    if factor >= MAX_FACTOR:
        layer.refuse(f"scales ask for a factor of {factor}, wanted below {MAX_FACTOR:g}")
        return None
    return quantize_multiplier(np.array([factor]))


def _requantised(layer: LayerReader, low: int, high: int) -> Map | None:
    (in_scale, in_zero_point), (out_scale, zero_point) = quantisation(layer.input), quantisation(layer.output)
    multiplier = _multiplier(layer, in_scale / out_scale)
    if multiplier is None:
        return None
    return _map(layer, Requantisation(multiplier, zero_point, low, high).apply(_INPUTS - in_zero_point))


def _sigmoid(layer: LayerReader, function: Callable[[Int64], Int64], scale: float, zero_point: int) -> Map | None:
    """Through Q4.27: `function` for what lies within 4 integer bits, the limits of int8 beyond."""
    if quantisation(layer.output) != (scale, zero_point):
        layer.refuse(f"output has scale and zero point {quantisation(layer.output)}, wanted {(scale, zero_point)}")
        return None
    in_scale, in_zero_point = quantisation(layer.input)
    multiplier = quantize_multiplier(np.array([in_scale * 2.0**27]))
    left = int(multiplier.shift[0])
    if not 0 <= left <= 31:
        layer.refuse(f"input has scale {in_scale}, wanted 2^-28 to 16")
        return None
    radius = (15 << 27) >> left
    centred = _INPUTS - in_zero_point
    kept = np.clip(centred, -radius, radius)  # keeps kept << left within 31 bits
    q31 = function(mul(kept << left, multiplier.q31))
    fraction_bits = round(-math.log2(scale))
    inside = rounding_divide_by_pot(q31, 31 - fraction_bits) + zero_point
    outputs = np.where(centred <= -radius, INT8_MIN, np.where(centred >= radius, INT8_MAX, inside))
    return _map(layer, outputs)


def _int16_multiplier(factor: float) -> tuple[int, int]:
    """A real factor as `q15 / 2^15 * 2^shift` (DownScaleInt32ToInt16Multiplier)."""
    multiplier = quantize_multiplier(np.array([factor]))
    q31 = int(multiplier.q31[0])
    return min((q31 + (1 << 15)) >> 16, _INT16_MAX), int(multiplier.shift[0])


def _mul_q15(a: Int64, b: int) -> Int64:
    """a * b / 2^15, ties towards plus infinity: SaturatingRoundingDoublingHighMul in 16 bits."""
    return (a * b + (1 << 14)) >> 15


def _saturate_int16(a: Int64) -> Int64:
    return np.clip(a, _INT16_MIN, _INT16_MAX)
