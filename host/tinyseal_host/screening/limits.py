"""Limits from figures of clean frames: a quantile over the frames, widened by a margin, rounded outwards."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from enum import Enum

import numpy as np

from .survey import Figures


class Axis(Enum):
    """Along what a limit is widened by a margin."""

    LINEAR = "of their span"
    LOGARITHMIC = "of their span on a logarithmic axis"
    SHARE = "of all values"


@dataclass(frozen=True)
class Rule:
    """`quantile` of the frames, below 0.5, are disregarded at either end; `margin`, 0 or more, widens what is left."""

    margin: float
    quantile: float

    def limits(self, lows: Figures, highs: Figures, axis: Axis) -> tuple[float, float]:
        """The least and the greatest figure allowed, from those of every frame, float64 [frames] each."""
        count = len(lows)
        skipped = self._skipped(count)
        low = np.array([np.sort(lows)[skipped]])
        high = np.array([np.sort(highs)[count - 1 - skipped]])
        low, high = self._widen(low, high, axis)
        return float(low[0]), float(high[0])

    def limits_without(self, lows: Figures, highs: Figures, axis: Axis) -> tuple[Figures, Figures]:
        """For every frame the limits that the others alone would give, float64 [frames] each."""
        return self._widen(self.lowest_without(lows), self.highest_without(highs), axis)

    def lowest_without(self, figures: Figures) -> Figures:
        """For every frame the quantile at the low end of the others' figures, not widened."""
        skipped = self._skipped(len(figures) - 1)
        ordered = np.sort(figures)
        rank = np.argsort(np.argsort(figures, kind="stable"), kind="stable")
        found: Figures = np.where(rank > skipped, ordered[skipped], ordered[skipped + 1])
        return found

    def highest_without(self, figures: Figures) -> Figures:
        """The same at the high end."""
        return -self.lowest_without(-figures)

    def _skipped(self, count: int) -> int:
        return int(self.quantile * count + 1e-9)  # 0.07 of 100 frames are 7

    def _widen(self, low: Figures, high: Figures, axis: Axis) -> tuple[Figures, Figures]:
        if axis is Axis.SHARE:
            return low, np.minimum(high + self.margin, 1.0)
        if axis is Axis.LINEAR:
            room = self.margin * (high - low)
            return low - room, high + room
        # What can be a hundred times larger in one frame than in another is widened by a factor; zero has none.
        positive = low > 0
        factor = np.where(positive, (high / np.where(positive, low, 1.0)) ** self.margin, 1.0 + self.margin)
        return low / factor, high * factor


def rounded_down(value: float, exponent: int) -> float:
    """The greatest multiple of 10^exponent that is no greater than `value`, as it is written."""
    return _rounded(value, exponent, ROUND_FLOOR)


def rounded_up(value: float, exponent: int) -> float:
    """The least multiple of 10^exponent that is no less than `value`, as it is written."""
    return _rounded(value, exponent, ROUND_CEILING)


def unit_of(span: float) -> int:
    """The exponent with which multiples of a power of ten have three digits in a positive span."""
    return math.floor(math.log10(span)) - 2


def _rounded(value: float, exponent: int, direction: str) -> float:
    # The decimal number that is meant by a float is the shortest one: 0.3 is no tenth less than three tenths.
    return float(Decimal(repr(value)).quantize(Decimal(1).scaleb(exponent), direction, Context(prec=400)))
