"""gemmlowp's fixed-point functions (`fixedpoint.h`), by its names: Qm.n in int64, of which 32 bits are used."""

from __future__ import annotations

import math

import numpy as np

from .quantisation import Int64, rounding_divide_by_pot
from .quantisation import saturating_rounding_doubling_high_mul as mul

_Q31_ONE = (1 << 31) - 1  # the largest Q0.31, gemmlowp's One()
_Q31_HALF = 1 << 30
_Q29_ONE = 1 << 29  # 1 in Q2.29
_EXP_MINUS_EIGHTH = round(math.exp(-1 / 8) * 2**31)
_ONE_THIRD = round(2**31 / 3)
_48_OVER_17 = round(48 / 17 * 2**29)
_MINUS_32_OVER_17 = round(-32 / 17 * 2**29)


def exp_on_negative_values(a: Int64, integer_bits: int) -> Int64:
    """exp(a) in Q0.31 for a <= 0 with 4 or 5 integer bits: a Taylor series around -1/8 on [-1/4, 0), then one factor
    for each bit above a quarter, from 2^-2 up."""
    fractional_bits = 31 - integer_bits
    quarter = 1 << fractional_bits - 2
    reduced = (a & (quarter - 1)) - quarter
    x = (reduced << integer_bits) + (1 << 28)  # Q0.31, less the centre
    x2 = mul(x, x)
    higher = mul(rounding_divide_by_pot(mul(x2, x2), 2) + mul(x2, x), _ONE_THIRD) + x2
    result = _EXP_MINUS_EIGHTH + mul(x + rounding_divide_by_pot(higher, 1), _EXP_MINUS_EIGHTH)
    remainder = reduced - a
    for power in range(-2, integer_bits):
        factor = round(math.exp(-(2.0**power)) * 2**31)
        result = np.where(remainder & (1 << fractional_bits + power), mul(result, factor), result)
    return np.where(a == 0, _Q31_ONE, result)


def one_over_one_plus_x(a: Int64) -> Int64:
    """1 / (1 + a) in Q0.31 for a in [0, 1) in Q0.31 (one_over_one_plus_x_for_x_in_0_1)."""
    reciprocal: Int64 = np.minimum(_twice_reciprocal(a) << 1, _Q31_ONE)
    return reciprocal


def _twice_reciprocal(a: Int64) -> Int64:
    """2 / (1 + a) in Q2.29 for a in [0, 1) in Q0.31, by Newton's iteration."""
    half_denominator = (a + _Q31_ONE + 1) >> 1
    x = _48_OVER_17 + mul(half_denominator, _MINUS_32_OVER_17)
    for _ in range(3):
        x = x + (mul(x, _Q29_ONE - mul(half_denominator, x)) << 2)
    return x


def logistic(a: Int64) -> Int64:
    """1 / (1 + exp(-a)) in Q0.31 for a in Q4.27."""
    positive = one_over_one_plus_x(exp_on_negative_values(-np.abs(a), 4))
    return np.where(a == 0, _Q31_HALF, np.where(a > 0, positive, _Q31_ONE - positive))


def tanh(a: Int64) -> Int64:
    """tanh(a) in Q0.31 for a in Q4.27: (1 - x) / (1 + x) with x = exp(-2 |a|), whose raw number is a's in Q5.26."""
    x = exp_on_negative_values(-np.abs(a), 5)
    magnitude = np.minimum((_twice_reciprocal(x) - _Q29_ONE) << 2, _Q31_ONE)
    return np.where(a == 0, 0, np.where(a > 0, magnitude, -magnitude))
