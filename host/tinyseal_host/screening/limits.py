"""Limits from figures of clean frames: a quantile over the frames, widened by a margin, rounded outwards."""

from __future__ import annotations

import math
from dataclasses import dataclass
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
        return int(self.quantile * (count - 1))

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


def rounded_down(value: float, unit: float) -> float:
    """The greatest multiple of `unit`, a power of ten, that is no greater than `value`."""
    return _multiple(math.floor(value / unit), value, unit, -1)


def rounded_up(value: float, unit: float) -> float:
    """The least multiple of `unit`, a power of ten, that is no less than `value`."""
    return _multiple(math.ceil(value / unit), value, unit, 1)


def unit_of(span: float, digits: int = 3) -> float:
    """The power of ten with which a positive span has `digits` digits before the point."""
    return 10.0 ** (math.floor(math.log10(span)) - digits + 1)


def _multiple(times: int, value: float, unit: float, outwards: int) -> float:
    """`times` units as the decimal number that is meant, one unit further out where division rounded inwards."""
    places = max(0, -round(math.log10(unit)))
    rounded = round(times * unit, places)
    return rounded if (rounded - value) * outwards >= 0 else round((times + outwards) * unit, places)
