"""Two results side by side, and results as a picture."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import TinysealError
from ..picture import Bar, draw_bars
from .result import Figure, Measured


@dataclass(frozen=True)
class Pair:
    """A figure of two results; None where one of them has not got it."""

    first: Figure | None
    second: Figure | None

    @property
    def name(self) -> str:
        """The figure's."""
        return (self.first or self.second or _NOTHING).name

    @property
    def ratio(self) -> float | None:
        """The second's time to the first's, for one of what is counted; None without both, or where the first is 0."""
        if self.first is None or self.second is None or not self.first.us:
            return None
        return (self.second.us / self.second.count) / (self.first.us / self.first.count)


_NOTHING = Figure("", "", "", 0, 0, 1, "")


def pairs(first: Measured, second: Measured) -> list[Pair]:
    """All figures of both, the first's in their order and then what only the second has."""
    ours = {figure.name: figure for figure in first.figures}
    theirs = {figure.name: figure for figure in second.figures}
    return [Pair(ours.get(name), theirs.get(name)) for name in dict.fromkeys([*ours, *theirs])]


def picture(results: list[Measured]) -> bytes:
    """A PNG of every figure's microseconds a call, a bar for each of one or two results, on a logarithmic axis.

    TinysealError when there is none.
    """
    first, last = results[0], results[-1]
    bars = []
    for pair in pairs(first, last):
        found = [pair.first, pair.second][: len(results)]
        bars.append(Bar(pair.name, tuple(figure.us if figure and figure.us else None for figure in found)))
    if not any(value for bar in bars for value in bar.values):
        raise TinysealError("nothing to draw: no figure is above zero")
    return draw_bars("microseconds a call", [result.title for result in results], bars)
