"""TensorFlow Lite Micro's int8 softmax: gemmlowp's fixed-point exponential and reciprocal (`fixedpoint.h`)."""

from __future__ import annotations

import math

import numpy as np

from .quantisation import (
    INT8_MAX,
    INT8_MIN,
    Int8,
    Int64,
    quantize_multiplier,
    rounding_divide_by_pot,
)
from .quantisation import saturating_rounding_doubling_high_mul as mul

_Q31_ONE = (1 << 31) - 1  # the largest Q0.31, gemmlowp's One()
_EXP_MINUS_EIGHTH = round(math.exp(-1 / 8) * 2**31)
_ONE_THIRD = round(2**31 / 3)
_EXP_BARREL = [(26 + power, round(math.exp(-(2.0**power)) * 2**31)) for power in range(-2, 5)]
"""For each bit above a quarter of a Q5.26 number, from 2^-2 to 2^4: the bit, and exp(-its value) in Q0.31."""


def exp_on_negative_values(a: Int64) -> Int64:
    """exp(a) in Q0.31 for a <= 0 in Q5.26: a Taylor series around -1/8 on [-1/4, 0), then one factor for each bit."""
    quarter = 1 << 24
    reduced = (a & (quarter - 1)) - quarter
    x = (reduced << 5) + (1 << 28)  # Q0.31, less the centre
    x2 = mul(x, x)
    higher = mul(rounding_divide_by_pot(mul(x2, x2), 2) + mul(x2, x), _ONE_THIRD) + x2
    result = _EXP_MINUS_EIGHTH + mul(x + rounding_divide_by_pot(higher, 1), _EXP_MINUS_EIGHTH)
    remainder = reduced - a
    for bit, factor in _EXP_BARREL:
        result = np.where(remainder & (1 << bit), mul(result, factor), result)
    return np.where(a == 0, _Q31_ONE, result)


_SCALED_DIFF_INTEGER_BITS = 5


def softmax_exponentials(input_scale: float, beta: float) -> Int64 | None:
    """int64 [256]: for each distance d from a row's maximum exp(-d * scale * beta) in Q0.31, 0 where TFLM leaves d out.

    None when scale * beta is too small for TFLM, which wants it above 2^-26.
    """
    factor = min(float(beta) * float(input_scale) * 2.0 ** (31 - _SCALED_DIFF_INTEGER_BITS), 2.0**31 - 1)
    if factor <= 1:
        return None
    multiplier = quantize_multiplier(np.array([factor]))
    q31, left = int(multiplier.q31[0]), int(multiplier.shift[0])
    radius = ((1 << _SCALED_DIFF_INTEGER_BITS) - 1 << 31 - _SCALED_DIFF_INTEGER_BITS) >> left
    distance = np.arange(256, dtype=np.int64)
    kept = np.minimum(distance, radius)  # keeps kept << left within 31 bits
    table = exp_on_negative_values(mul(-kept << left, q31))
    return np.where(distance <= radius, table, 0)


_SUM_INTEGER_BITS = 12
_48_OVER_17 = round(48 / 17 * 2**29)
_MINUS_32_OVER_17 = round(-32 / 17 * 2**29)


def softmax(rows: Int8, exponentials: Int64) -> Int8:
    """int8 [rows, depth] with scale 1/256 and zero point -128, of int8 of that shape; depth below 4096."""
    values = exponentials[rows.max(axis=1, keepdims=True).astype(np.int64) - rows]
    total = rounding_divide_by_pot(values, _SUM_INTEGER_BITS).sum(axis=1, keepdims=True)  # Q12.19
    length = np.frexp(total.astype(np.float64))[1].astype(
        np.int64
    )  # the bit length, 20 at least: the maximum's exp is 1
    reciprocal = _reciprocal((total << (32 - length)) - (1 << 31))
    product = mul(values, reciprocal)
    unsaturated = rounding_divide_by_pot(product, _SUM_INTEGER_BITS - (32 - length) + 31 - 8)
    return np.clip(unsaturated + INT8_MIN, INT8_MIN, INT8_MAX).astype(np.int8)


def _reciprocal(a: Int64) -> Int64:
    """1 / (1 + a) in Q0.31 for a in [0, 1) in Q0.31: Newton's iteration in Q2.29 (one_over_one_plus_x_for_x_in_0_1)."""
    half_denominator = (a + _Q31_ONE + 1) >> 1
    x = _48_OVER_17 + mul(half_denominator, _MINUS_32_OVER_17)
    for _ in range(3):
        x = x + (mul(x, (1 << 29) - mul(half_denominator, x)) << 2)
    reciprocal: Int64 = np.minimum(x << 1, _Q31_ONE)
    return reciprocal
