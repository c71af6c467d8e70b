"""A contract from clean frames: every limit, what it refuses of them, and what limits from the others alone would."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..errors import Status
from .limits import Axis, Rule, rounded_down, rounded_up, unit_of
from .survey import Figures, Survey

_INTEGERS = {"int16": (-32768, 32767), "int8": (-128, 127), "uint8": (0, 255)}
_FLOAT32_MAX = float(np.finfo(np.float32).max)
_SHARE_UNIT = -2
_MOST_SAMPLES = 65535  # of a channel whose mean and deviation the gate can take
_VALUE_BITS, _STATISTIC_BITS = 29, 14  # at least, of the numbers that the gate's checks of float32 are made in


@dataclass(frozen=True)
class Limit:
    """One limit of one channel, None for the whole frame; `low` or `high` is None where nothing is asked.

    `seen_low` and `seen_high` are the figure's extremes in the frames. `refused` are the frames outside of the limit,
    `left_out` those outside of the limit that the other frames alone would give, both bool [frames].
    """

    key: str
    status: Status
    channel: int | None
    seen_low: float
    seen_high: float
    low: float | None
    high: float | None
    refused: npt.NDArray[np.bool_]
    left_out: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Proposal:
    """What was proposed for `count` frames; `rails` are the ends, a pair a channel, that `saturated_ratio` is about."""

    type: str
    count: int
    samples: int
    channels: int
    rule: Rule
    limits: tuple[Limit, ...]
    rails: tuple[tuple[float, float], ...]

    def of(self, key: str) -> list[Limit]:
        """The limits of one key, by channel."""
        return [limit for limit in self.limits if limit.key == key]

    @property
    def refused(self) -> int:
        """How many of the frames some limit refuses."""
        return int(np.any([limit.refused for limit in self.limits], axis=0).sum())

    @property
    def left_out(self) -> int:
        """How many of the frames limits from the others alone would refuse: what to expect of new clean frames."""
        return int(np.any([limit.left_out for limit in self.limits], axis=0).sum())


def propose(seen: Survey, frame_type: str, rule: Rule) -> Proposal:
    """Limits for every check that the frames allow to be limited."""
    channels = seen.mean.shape[1]
    whole = frame_type in _INTEGERS
    limits: list[Limit] = []
    rails = []
    for channel in range(channels):
        limits.append(_range(seen, channel, rule, frame_type))
        rails.append(_rails(seen, channel, rule, whole))
    limits.append(
        _share("zero_ratio", Status.ZEROS, None, seen.zeros[:, 0], rule.highest_without(seen.zeros[:, 0]), rule)
    )
    for channel in range(channels):
        limits.append(_saturated(seen, channel, rule, rails[channel]))
        value_error, statistic_error = _errors(limits[channel], whole)
        ends = _Ends(channel, rule, whole, off=value_error)
        if seen.samples > 1:
            limits += ends.scale("least_movement", Status.FLAT, seen.movement, low=True)
            limits += ends.scale("largest_step", Status.STEP, seen.step, high=True)
        if seen.samples <= _MOST_SAMPLES:
            ends = _Ends(channel, rule, whole=False, off=statistic_error)
            limits += ends.interval("mean", Status.MEAN, seen.mean)
            if seen.samples > 1:
                limits += ends.scale("deviation", Status.DEVIATION, seen.deviation, low=True, high=True)
    order = ["range", "zero_ratio", "saturated_ratio", "least_movement", "largest_step", "mean", "deviation"]
    limits.sort(key=lambda limit: order.index(limit.key))
    return Proposal(frame_type, len(seen.values), seen.samples, channels, rule, tuple(limits), tuple(rails))


def _errors(ends: Limit, whole: bool) -> tuple[float, float]:
    """How far a difference of two values, and a mean or a deviation, may be off in the gate's whole numbers."""
    low, high = ends.low or 0.0, ends.high or 0.0
    value_error = 0.0 if whole else max(abs(low), abs(high)) * 2.0**-_VALUE_BITS
    return value_error, max(value_error, (high - low) * 2.0**-_STATISTIC_BITS)


def _range(seen: Survey, channel: int, rule: Rule, frame_type: str) -> Limit:
    least, greatest = seen.least[:, channel], seen.greatest[:, channel]
    low, high = rule.limits(least, greatest, Axis.LINEAR)
    unit = 0 if frame_type in _INTEGERS else unit_of(high - low)
    low, high = rounded_down(low, unit), rounded_up(high, unit)
    smallest, largest = _INTEGERS.get(frame_type, (-_FLOAT32_MAX, _FLOAT32_MAX))
    low, high = max(low, smallest), min(high, largest)
    left_low, left_high = rule.limits_without(least, greatest, Axis.LINEAR)
    refused, left_out = (least < low) | (greatest > high), (least < left_low) | (greatest > left_high)
    seen_low, seen_high = float(least.min()), float(greatest.max())
    return Limit("range", Status.RANGE, channel, seen_low, seen_high, low, high, refused, left_out)


def _rails(seen: Survey, channel: int, rule: Rule, whole: bool) -> tuple[float, float]:
    """The quantiles themselves, rounded inwards so that they count: beyond is little of clean frames."""
    bare = Rule(0.0, rule.quantile)
    low, high = bare.limits(seen.least[:, channel], seen.greatest[:, channel], Axis.LINEAR)
    unit = 0 if whole else unit_of(high - low)
    return rounded_up(low, unit), rounded_down(high, unit)


def _saturated(seen: Survey, channel: int, rule: Rule, rails: tuple[float, float]) -> Limit:
    shares = seen.at_rails(*rails, channel)
    lows = rule.lowest_without(seen.least[:, channel])
    highs = rule.highest_without(seen.greatest[:, channel])
    own, others = np.empty_like(shares), np.empty_like(shares)
    # Leaving a frame out moves a rail for the outermost frames only, so there are few pairs of rails.
    for low, high in {(float(a), float(b)) for a, b in zip(lows, highs, strict=True)}:
        at_these = (lows == low) & (highs == high)
        figures = seen.at_rails(low, high, channel)
        own[at_these] = figures[at_these]
        others[at_these] = rule.highest_without(figures)[at_these]
    return _share("saturated_ratio", Status.SATURATED, channel, shares, others, rule, own)


def _share(
    key: str,
    status: Status,
    channel: int | None,
    shares: Figures,
    others: Figures,
    rule: Rule,
    own: Figures | None = None,
) -> Limit:
    """A greatest share of values; `others` is that of the frames without this one, `own` this one's by their rails."""
    high = min(rounded_up(rule.limits(shares, shares, Axis.SHARE)[1], _SHARE_UNIT), 1.0)
    left_out = (shares if own is None else own) > np.minimum(others + rule.margin, 1.0)
    return Limit(key, status, channel, float(shares.min()), float(shares.max()), None, high, shares > high, left_out)


@dataclass(frozen=True)
class _Ends:
    """Limits of one channel: three digits, `whole` numbers where asked for, `off` further out for the gate's error."""

    channel: int
    rule: Rule
    whole: bool
    off: float = 0.0

    def interval(self, key: str, status: Status, figures: Figures) -> list[Limit]:
        """Both ends, widened along a linear axis."""
        return [self._limit(key, status, figures[:, self.channel], Axis.LINEAR, (True, True))]

    def scale(
        self, key: str, status: Status, figures: Figures, *, low: bool = False, high: bool = False
    ) -> list[Limit]:
        """One end or both, widened along a logarithmic axis; nothing where the limit would be zero."""
        limit = self._limit(key, status, figures[:, self.channel], Axis.LOGARITHMIC, (low, high))
        return [limit] if (limit.low if limit.high is None else limit.high) else []

    def _limit(self, key: str, status: Status, own: Figures, axis: Axis, asked: tuple[bool, bool]) -> Limit:
        low, high = self.rule.limits(own, own, axis)
        left_low, left_high = self.rule.limits_without(own, own, axis)
        low, high = low - self.off, high + self.off
        if axis is Axis.LOGARITHMIC:
            low = max(low, 0.0)
            units = [unit_of(end) if end > 0 else 0 for end in (low, high)]
        else:
            units = [unit_of(high - low)] * 2
        if self.whole:
            units = [max(unit, 0) for unit in units]
        bottom = rounded_down(low, units[0]) if asked[0] else None
        top = rounded_up(high, units[1]) if asked[1] else None
        refused = np.zeros(len(own), np.bool_)
        left_out = np.zeros(len(own), np.bool_)
        if bottom is not None:
            refused |= own < bottom
            left_out |= own < left_low
        if top is not None:
            refused |= own > top
            left_out |= own > left_high
        return Limit(key, status, self.channel, float(own.min()), float(own.max()), bottom, top, refused, left_out)
