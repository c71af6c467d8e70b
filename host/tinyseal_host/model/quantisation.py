"""TensorFlow Lite Micro's int8 arithmetic, in numpy: multipliers, requantisation and ranges.

The functions bear the names that gemmlowp and TensorFlow Lite give to what they compute (`fixedpoint.h`,
`quantization_util.cc`). Qm.n is a 32-bit fixed-point number with m integer and n fractional bits, held in an int64.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Int64 = npt.NDArray[np.int64]
Int8 = npt.NDArray[np.int8]
Float32 = npt.NDArray[np.float32]

INT8_MIN, INT8_MAX = -128, 127


@dataclass(frozen=True)
class Multiplier:
    """Real factors as `q31 / 2^31 * 2^shift`, one for each channel: int64 [m] each; shift is -31 or more."""

    q31: Int64 = field(repr=False)
    shift: Int64 = field(repr=False)

    @property
    def left(self) -> Int64:
        """Bits that an accumulator is shifted left before it is multiplied."""
        return np.maximum(self.shift, 0)

    @property
    def right(self) -> Int64:
        """Bits that a product is divided by, rounding, after it."""
        return np.maximum(-self.shift, 0)

    def apply(self, accumulators: Int64) -> Int64:
        """MultiplyByQuantizedMultiplier of int64 [..., m]; exact while |accumulator * 2^left| < 2^31."""
        product = saturating_rounding_doubling_high_mul(accumulators << self.left, self.q31)
        return rounding_divide_by_pot(product, self.right)


@dataclass(frozen=True)
class Requantisation:
    """From an accumulator to int8: the factors, the output's zero point, and the limits of the fused activation."""

    multiplier: Multiplier
    zero_point: int
    low: int
    high: int

    def apply(self, accumulators: Int64) -> Int8:
        """int8 of int64 [..., m]; exact while |accumulator * 2^left| < 2^31."""
        scaled = self.multiplier.apply(accumulators)
        return np.clip(scaled + self.zero_point, self.low, self.high).astype(np.int8)


def quantize_multiplier(factors: npt.NDArray[np.float64]) -> Multiplier:
    """The Multiplier of finite, non-negative real factors, float64 [m]; below 2^-32 it is zero."""
    fraction, exponent = np.frexp(factors)
    q31 = np.floor(fraction * 2.0**31 + 0.5).astype(np.int64)  # exact: the product has at most 53 bits
    shift = exponent.astype(np.int64)
    carried = q31 == 1 << 31
    q31, shift = np.where(carried, q31 >> 1, q31), shift + carried
    vanished = shift < -31
    return Multiplier(np.where(vanished, 0, q31), np.where(vanished, 0, shift))


def layer_multiplier(input_scale: float, weight_scales: Float32, output_scale: float) -> Multiplier:
    """Multipliers of a convolution or a fully connected layer from its scales, float32 values, taken as doubles."""
    return quantize_multiplier(input_scale * weight_scales.astype(np.float64) / output_scale)


def mean_multiplier(input_scale: float, output_scale: float, count: int) -> Multiplier:
    """The Multiplier that also divides by `count`, at least 1; one channel (QuantizedMeanOrSum)."""
    plain = quantize_multiplier(np.array([input_scale / output_scale]))
    q31, shift = int(plain.q31[0]), int(plain.shift[0])
    bits = min(count.bit_length() - 1, 32, 31 + shift)
    return Multiplier(np.array([(q31 << bits) // count]), np.array([shift - bits]))


def activation_range(activation: str, scale: float, zero_point: int) -> tuple[int, int]:
    """int8 limits of the fused activation NONE, RELU or RELU6 (CalculateActivationRangeQuantized)."""
    if activation == "NONE":
        return INT8_MIN, INT8_MAX
    if activation == "RELU":
        return zero_point, INT8_MAX
    if activation == "RELU6":
        with np.errstate(over="ignore"):
            six = float(np.float32(6) / np.float32(scale))
        return zero_point, INT8_MAX if six >= 255 else min(INT8_MAX, zero_point + math.floor(six + 0.5))
    raise ValueError(f"activation {activation}")


def quantise(frame: Float32, scale: float, zero_point: int) -> Int8:
    """int8 of float32 values as TFLM's QUANTIZE has them: x / scale in float32, half away from zero, saturating."""
    with np.errstate(over="ignore", under="ignore"):
        quotient = (frame / np.float32(scale)).astype(np.float64)  # exact from here on
    rounded = np.copysign(np.floor(np.abs(quotient) + 0.5), quotient)
    quantised: Int8 = np.clip(rounded + zero_point, INT8_MIN, INT8_MAX).astype(np.int8)
    return quantised


def saturating_rounding_doubling_high_mul(a: Int64, b: Int64 | int) -> Int64:
    """a * b / 2^31, ties towards plus infinity; never both -2^31, so that nothing saturates.

    gemmlowp nudges by 2^30 or 1 - 2^30 and truncates; for either sign that is floor((a * b + 2^30) / 2^31).
    """
    return (a * b + (1 << 30)) >> 31


def rounding_divide_by_pot(x: Int64, exponent: Int64 | int) -> Int64:
    """x / 2^exponent, ties away from zero."""
    mask = (np.int64(1) << np.asarray(exponent, np.int64)) - 1
    return (x >> exponent) + ((x & mask) > (mask >> 1) + (x < 0))
