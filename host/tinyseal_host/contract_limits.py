"""From what is asked of a channel in physical units to the whole numbers that host and board compare."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np

from .contract import NO_ZERO, Channel, raw_limits
from .errors import TinysealError
from .units import Units

Pair = tuple[Decimal, Decimal]

_SPREAD_END = 1 << 62  # above n^2 times any variance


def float32(number: Decimal) -> float:
    """The float32 nearest to a number, infinity where it is out of reach."""
    with np.errstate(over="ignore"):
        return float(np.float32(float(number)))


@dataclass(frozen=True)
class Wishes:
    """Of a channel with `samples` values in a frame: None where a check is not asked for. Physical units throughout."""

    type: str
    samples: int
    range: Pair
    scale: Decimal
    offset: Decimal
    max_saturated: int | None
    rails: Pair | None
    least_movement: Decimal | None
    largest_step: Decimal | None
    mean: Pair | None
    deviation: Pair | None


def channel_of(wishes: Wishes, path: Path) -> Channel:
    """The Channel; TinysealError, with `path` before it, for limits that no frame can keep."""
    if wishes.type == "float32":
        ends: tuple[float, float] = float32(wishes.range[0]), float32(wishes.range[1])
        units, zero = Units.of_float32(*ends), 0
    else:
        ends = _raw_range(wishes, path)
        units = Units.of_integers(int(ends[0]), int(ends[1]), Fraction(wishes.scale), Fraction(wishes.offset))
        zero = _raw_zero(wishes)
    return Channel(
        ends[0],
        ends[1],
        scale=float32(wishes.scale),
        offset=float32(wishes.offset),
        zero=zero,
        max_saturated=wishes.max_saturated or 0,
        **_rails(wishes, units, path),
        **_movement(wishes, units, path),
        **_statistics(wishes, units, path),
    )


def _raw(wishes: Wishes, physical: Decimal) -> Fraction:
    """The raw number that stands for a physical one, by scale and offset as they were written."""
    return (Fraction(physical) - Fraction(wishes.offset)) / Fraction(wishes.scale)


def _raw_range(wishes: Wishes, path: Path) -> tuple[int, int]:
    """The least and the greatest raw value that stand for a number in the range."""
    least, most = raw_limits(wishes.type)
    low = max(least, math.ceil(_raw(wishes, wishes.range[0])))
    high = min(most, math.floor(_raw(wishes, wishes.range[1])))
    if low >= high:
        reach = " to ".join(f"{float(raw * wishes.scale + wishes.offset):g}" for raw in (least, most))
        wanted = f"wanted two values or more of {wishes.type}'s {reach}"
        raise _wrong(path, f"range is {_shown(wishes.range)}, {wanted}")
    return low, high


def _raw_zero(wishes: Wishes) -> int:
    """The raw value nearest to physical zero; NO_ZERO when the type has none there."""
    zero = round(_raw(wishes, Decimal(0)))
    least, most = raw_limits(wishes.type)
    return zero if least <= zero <= most else NO_ZERO


def _rails(wishes: Wishes, units: Units, path: Path) -> dict[str, int]:
    """u at or below which, and at or above which, a value is saturated."""
    if wishes.max_saturated is None:
        return {}
    if wishes.rails is None:
        return {"rail_low": 0, "rail_high": units.span}
    low, high = wishes.rails
    if not wishes.range[0] <= low < high <= wishes.range[1]:
        raise _wrong(path, f"rails are {low} and {high}, wanted both in the range {_shown(wishes.range)}")
    if wishes.type == "float32":
        rail_low, rail_high = units.u(np.array([float32(low), float32(high)], np.float32)).tolist()
    else:
        rail_low = max(0, math.floor(_raw(wishes, low)) - units.base)
        rail_high = min(units.span, math.ceil(_raw(wishes, high)) - units.base)
    return {"rail_low": rail_low, "rail_high": rail_high}


def _movement(wishes: Wishes, units: Units, path: Path) -> dict[str, int]:
    """The least difference of greatest and least value, and the largest of two neighbours, as differences of u."""
    found = {}
    if wishes.least_movement is not None:
        found["min_movement"] = math.ceil(Fraction(wishes.least_movement) / units.unit)
        if found["min_movement"] > units.span:
            raise _wrong(path, f"least_movement is {wishes.least_movement}, more than the range {_shown(wishes.range)}")
    if wishes.largest_step is not None:
        found["max_step"] = min(units.span, math.floor(Fraction(wishes.largest_step) / units.unit))
    return found


def _statistics(wishes: Wishes, units: Units, path: Path) -> dict[str, int]:
    """Least and greatest sum of q, and n * sum(q^2) - sum(q)^2, which is n^2 times the variance."""
    found = {}
    lsb = units.unit * 2**units.shift
    n = wishes.samples
    if wishes.mean is not None:
        # q is rounded down: by half of what it leaves away, a mean of many is.
        centre = units.origin + Fraction(2**units.shift - 1, 2) * units.unit
        low, high = (n * (Fraction(end) - centre) / lsb for end in wishes.mean)
        found["mean_low"] = max(0, math.ceil(low))
        found["mean_high"] = min(n * (units.span >> units.shift), math.floor(high))
        if found["mean_low"] > found["mean_high"]:
            raise _wrong(path, f"mean is {_shown(wishes.mean)}, which no frame has in the range {_shown(wishes.range)}")
    if wishes.deviation is not None:
        low, high = ((n * Fraction(end) / lsb) ** 2 for end in wishes.deviation)
        found["deviation_low"] = math.ceil(low)
        found["deviation_high"] = min(_SPREAD_END, math.floor(high))
        if found["deviation_low"] > _greatest_spread(n, units.span >> units.shift):
            wanted = f"which no frame has in the range {_shown(wishes.range)}"
            raise _wrong(path, f"deviation is {_shown(wishes.deviation)}, {wanted}")
    return found


def _greatest_spread(n: int, most: int) -> int:
    """n^2 times the variance of n values of which half are 0 and half are `most`."""
    return (n // 2) * (n - n // 2) * most * most


def _shown(ends: tuple[object, object]) -> str:
    return f"{ends[0]} to {ends[1]}"


def _wrong(path: Path, message: str) -> TinysealError:
    return TinysealError(f"{path}: {message}")
