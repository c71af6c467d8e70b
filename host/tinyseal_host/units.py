"""The whole numbers in which the optional checks of a contract are made (FORMAT.md "Fixed point")."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

Int64 = npt.NDArray[np.int64]

_STATISTICS_BITS = 15  # of q: its square, times 65535 values, stays below 2^46
_FRACTION_BITS = 6  # below a float32's 24: 30 bits, so that the difference of two fits 31
_MOST_SHIFT = 31


def float_bits(value: float) -> int:
    """The bits of the float32 that `value` is."""
    return int(np.float32(value).view(np.uint32))


def _fixed(bits: Int64, exponent: int) -> Int64:
    """F of FORMAT.md: float32 by their bits, as floor(v * 2^(156 - exponent)); no exponent is greater than that one."""
    own = bits >> 23 & 0xFF
    mantissa = (bits & 0x7FFFFF) + np.where(own > 0, 1 << 23, 0)
    signed = np.where(bits >> 31 & 1, -mantissa, mantissa)
    shift = np.minimum(exponent - np.maximum(own, 1), _MOST_SHIFT)
    found: Int64 = signed << _FRACTION_BITS >> shift
    return found


@dataclass(frozen=True)
class Units:
    """The fixed point of one channel, from u = 0 for its `low` to u = `span` for its `high`.

    `unit` is what one u stands for, in physical units; `origin` the physical value at which u is 0 begins.
    q = u >> `shift` has 15 bits.
    """

    exponent: int | None
    base: int
    span: int
    unit: Fraction
    origin: Fraction

    @classmethod
    def of_float32(cls, low: float, high: float) -> Units:
        """Of a range of float32."""
        ends = np.array([float_bits(low), float_bits(high)], np.int64)
        exponent = int(np.maximum(ends >> 23 & 0xFF, 1).max())
        base, top = _fixed(ends, exponent).tolist()
        unit = Fraction(2) ** (exponent - 156)
        return cls(exponent, base, top - base, unit, base * unit)

    @classmethod
    def of_integers(cls, low: int, high: int, scale: Fraction, offset: Fraction) -> Units:
        """Of a range of raw integers, that stand for raw * scale + offset."""
        return cls(None, low, high - low, scale, low * scale + offset)

    @property
    def shift(self) -> int:
        """How many bits of u the mean and the deviation do without."""
        return max(0, self.span.bit_length() - _STATISTICS_BITS)

    def u(self, values: npt.NDArray[np.generic]) -> Int64:
        """u of values that are in the range: float32, or raw integers."""
        if self.exponent is None:
            return values.astype(np.int64) - self.base
        return _fixed(values.view(np.uint32).astype(np.int64), self.exponent) - self.base

    def q(self, values: npt.NDArray[np.generic]) -> Int64:
        """The 15 bits of u that mean and deviation are made of."""
        return self.u(values) >> self.shift

    def physical(self, u: float | Fraction) -> Fraction:
        """The least physical value that has this u."""
        return self.origin + Fraction(u) * self.unit
