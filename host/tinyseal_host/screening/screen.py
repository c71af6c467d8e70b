"""Many frames held against a contract: what was refused, for what and in which channel, and where in the frame."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..contract import Contract
from ..errors import Status, TinysealError
from ..gate import Verdict, examine
from ..picture import Panel, draw

Frames = npt.NDArray[np.generic]
Marks = npt.NDArray[np.bool_]
MOST_PANELS = 64


@dataclass(frozen=True)
class Screening:
    """The gate's verdict on every frame."""

    verdicts: tuple[Verdict, ...]

    @property
    def refused(self) -> int:
        """Frames that did not pass."""
        return sum(verdict.status is not Status.OK for verdict in self.verdicts)

    def counts(self) -> list[tuple[Status, int, int]]:
        """(status, channel, frames) in the order of the checks, for all that occur."""
        found = Counter((verdict.status, verdict.channel) for verdict in self.verdicts)
        return [(status, channel, found[status, channel]) for status, channel in sorted(found)]


def screen(frames: Frames, contract: Contract, progress: Callable[[int, int], None] | None = None) -> Screening:
    """Hold every row of `frames`, of the contract's type, [frames, values], against the contract."""
    verdicts = []
    for number, frame in enumerate(frames):
        verdicts.append(examine(frame, contract))
        if progress:
            progress(number + 1, len(frames))
    return Screening(tuple(verdicts))


def spots(frame: Frames, contract: Contract, verdict: Verdict) -> Marks:
    """The values that a frame of the right size was refused for, bool [samples, channels].

    NaN, infinity, and what lies out of range, are marked in every channel, zeros in the whole frame; the rest in the
    channel of the verdict, all of it where no single value is to blame.
    """
    values = frame.reshape(contract.samples, len(contract.channels))
    marks = np.zeros(values.shape, np.bool_)
    channel = verdict.channel
    match verdict.status:
        case Status.NAN:
            marks |= ~np.isfinite(values)
        case Status.RANGE:
            marks |= (values < [own.low for own in contract.channels]) | (
                values > [own.high for own in contract.channels]
            )
        case Status.ZEROS:
            marks |= values == np.array([own.zero for own in contract.channels])
        case Status.SATURATED:
            u = contract.units(channel).u(values[:, channel])
            limits = contract.channels[channel]
            marks[:, channel] = (u <= limits.rail_low) | (u >= limits.rail_high)
        case Status.STEP:
            u = contract.units(channel).u(values[:, channel])
            far = np.abs(np.diff(u)) > contract.channels[channel].max_step
            marks[1:, channel] |= far
            marks[:-1, channel] |= far
        case Status.FLAT | Status.MEAN | Status.DEVIATION:
            marks[:, channel] = True
        case _:
            pass
    return marks


def picture(frames: Frames, contract: Contract, screening: Screening, title: str) -> bytes:
    """A PNG of the channels with the range's limits and what was refused of `frames`, [frames, values]."""
    count = len(contract.channels)
    if frames.shape[1] != contract.length:
        raise TinysealError(
            f"nothing to draw: frames have {frames.shape[1]} values, the contract wants {contract.length}"
        )
    if count > MOST_PANELS:
        raise TinysealError(f"nothing to draw: {count} channels, wanted at most {MOST_PANELS} in a picture")
    marks = np.stack([spots(frame, contract, v) for frame, v in zip(frames, screening.verdicts, strict=True)])
    values = frames.reshape(len(frames), contract.samples, count)
    panels = []
    for number, channel in enumerate(contract.channels):
        low, high = (_physical(contract, number, end) for end in (channel.low, channel.high))
        refused = np.array([v.status is not Status.OK and v.channel in (-1, number) for v in screening.verdicts])
        panels.append(
            Panel(
                f"channel {number}: range {low:g} to {high:g}{_counted(screening.verdicts, number)}",
                channel.physical(values[:, :, number]),
                low,
                high,
                marks[:, :, number],
                refused | marks[:, :, number].any(axis=1),
            )
        )
    return draw(title, panels)


def _physical(contract: Contract, number: int, end: float) -> float:
    return float(contract.channels[number].physical(np.array([end], contract.dtype))[0])


def _counted(verdicts: Sequence[Verdict], channel: int) -> str:
    found = Counter(verdict.status for verdict in verdicts if verdict.channel == channel)
    return "".join(f", {found[status]} {status.name.lower()}" for status in sorted(found))
