"""ADD and SUB as a board computes them: both addends looked up, and their sum multiplied or, mostly, only shifted."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from .elementwise import scaled
from .layers import Addition
from .quantisation import INT8_MAX, INT8_MIN, Int64
from .tables import multiplier_words

_MIDDLE = 1 << 29
"""Added to every entry, which is below it in size: a board loads no negative word, whatever its word size."""
_SHIFT_MAX = 30
_Q31 = 31
_FAR = 1 << 40
_ROUNDS = 4


@dataclass(frozen=True)
class Sums:
    """The tables of a and b, and FORMAT.md's operands of ADD from `base` to `right` by name."""

    a_table: bytes = field(repr=False)
    b_table: bytes = field(repr=False)
    operands: dict[str, int]


def sums_of(addition: Addition) -> Sums:
    """Without a multiplier where that gives the same byte for every a and b, which is nearly always."""
    every = np.arange(INT8_MIN, INT8_MAX + 1)
    a, b = scaled(every, addition.a), scaled(every, addition.b)
    if addition.subtract:
        b = -b
    shifted = _shifted(a, b, addition)
    if shifted is not None:
        return shifted
    multiplier = addition.requantisation.multiplier
    hi, lo, _, right = multiplier_words(int(multiplier.q31[0]), int(multiplier.shift[0]))
    return _sums(a, b, base=2 * _MIDDLE, hi=hi, lo=lo, away=int(right > 0), right=right)


def _shifted(a: Int64, b: Int64, addition: Addition) -> Sums | None:
    """The addends multiplied here, with as many more bits as there is room for; None where rounding them shows.

    TFLM's byte is that of t = floor(U + 1/2), with U the product, divided by 2^right and rounded half away from zero.
    With v = 2^more * U + 2^more / 2, t is negative when v is, and one less of t is 2^more less of v.
    """
    multiplier = addition.requantisation.multiplier
    q31, right = int(multiplier.q31[0]), int(multiplier.right[0])
    greatest = (int(max(np.abs(a).max(), np.abs(b).max())) * q31 >> _Q31) + 1
    more = min(_SHIFT_MAX - right, _MIDDLE.bit_length() - 1 - greatest.bit_length())
    if right < 1 or more < 0:
        return None
    limits = addition.requantisation
    least, most = limits.low - limits.zero_point, limits.high - limits.zero_point
    total = a[:, None] + b[None, :]
    exact = np.clip(multiplier.apply(total[..., None])[..., 0], least, most)
    half, away, unit = 1 << more >> 1, 1 << more, 1 << right + more
    # The sums of entries that give a byte begin and end here; at the limits they have only one end.
    shift = away * (total < 0) - half - unit // 2
    begin = np.where(exact > least, exact * unit + shift, -_FAR)
    end = np.where(exact < most, (exact + 1) * unit + shift, _FAR)
    a, b = ((addend * q31 + (1 << _Q31 - more - 1)) >> _Q31 - more for addend in (a, b))
    for _ in range(_ROUNDS):  # where rounding shows, other entries near by may still do
        a = np.maximum(np.minimum(a, (end - b).min(axis=1) - 1), (begin - b).max(axis=1))
        b = np.maximum(np.minimum(b, (end - a[:, None]).min(axis=0) - 1), (begin - a[:, None]).max(axis=0))
    v = a[:, None] + b[None, :] + half
    found = np.clip((v - away * (v < 0) + unit // 2) >> right + more, least, most)
    if max(np.abs(a).max(), np.abs(b).max()) >= _MIDDLE or not np.array_equal(found, exact):
        return None
    return _sums(a, b, base=2 * _MIDDLE - half, hi=0, lo=0, away=away, right=right + more)


def _sums(a: Int64, b: Int64, **operands: int) -> Sums:
    a_table, b_table = ((addend + _MIDDLE).astype("<u4").tobytes() for addend in (a, b))
    return Sums(a_table, b_table, operands)
