"""TensorFlow Lite Micro's int8 softmax: gemmlowp's exponential and reciprocal in fixed point."""

from __future__ import annotations

import numpy as np

from .gemmlowp import exp_on_negative_values, one_over_one_plus_x
from .quantisation import (
    INT8_MAX,
    INT8_MIN,
    Int8,
    Int64,
    quantize_multiplier,
    rounding_divide_by_pot,
)
from .quantisation import saturating_rounding_doubling_high_mul as mul

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
    table = exp_on_negative_values(mul(-kept << left, q31), _SCALED_DIFF_INTEGER_BITS)
    return np.where(distance <= radius, table, 0)


_SUM_INTEGER_BITS = 12


def softmax(rows: Int8, exponentials: Int64) -> Int8:
    """int8 [rows, depth] with scale 1/256 and zero point -128, of int8 of that shape; depth below 4096."""
    values = exponentials[rows.max(axis=1, keepdims=True).astype(np.int64) - rows]
    total = rounding_divide_by_pot(values, _SUM_INTEGER_BITS).sum(axis=1, keepdims=True)  # Q12.19
    length = np.frexp(total.astype(np.float64))[1].astype(
        np.int64
    )  # the bit length, 20 at least: the maximum's exp is 1
    reciprocal = one_over_one_plus_x((total << (32 - length)) - (1 << 31))
    product = mul(values, reciprocal)
    unsaturated = rounding_divide_by_pot(product, _SUM_INTEGER_BITS - (32 - length) + 31 - 8)
    return np.clip(unsaturated + INT8_MIN, INT8_MIN, INT8_MAX).astype(np.int8)
