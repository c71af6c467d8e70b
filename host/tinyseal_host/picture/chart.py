"""Channels one below the other, frames laid end to end: what came in, the limits, and what was refused."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .canvas import CHARACTER_WIDTH, TEXT_HEIGHT, Canvas, Ink

_LEFT, _RIGHT = 110, 20  # room for the numbers of an axis, and for half of the last frame's number
_PANEL = 132  # pixels of a channel, its title not counted
_TITLE = TEXT_HEIGHT + 8
_BELOW = 2 * TEXT_HEIGHT + 14  # the frames' numbers, and what they are
_HEADROOM = 0.12  # of the limits' span, on either side: what lies further out is drawn at the edge
_NARROW = 4.0  # when the limits span more than this many times the values, the values decide
_FRAME_BORDER = 8  # pixels of a frame from which on its border is drawn
_TICKS = (1.0, 2.0, 5.0, 10.0)


@dataclass(frozen=True)
class Panel:
    """One channel: its values, float [frames, samples], in the unit of its limits `low` and `high`.

    `spots` are the values, bool [frames, samples], and `refused` the frames, bool [frames], that are marked.
    """

    title: str
    values: npt.NDArray[np.floating]
    low: float
    high: float
    spots: npt.NDArray[np.bool_]
    refused: npt.NDArray[np.bool_]


def draw(title: str, panels: list[Panel], width: int = 1200) -> bytes:
    """A PNG file, `width` pixels wide, of one panel or more with the same number of frames and samples."""
    height = 2 * _TITLE + len(panels) * (_TITLE + _PANEL) + _BELOW
    canvas = Canvas(width, height)
    canvas.text(10, 6, title)
    _legend(canvas, 10, 6 + _TITLE)
    for number, panel in enumerate(panels):
        top = 2 * _TITLE + number * (_TITLE + _PANEL)
        canvas.text(_LEFT, top + 6, panel.title)
        _Plot(canvas, panel, top + _TITLE, last=number == len(panels) - 1).draw()
    return canvas.encode()


def _legend(canvas: Canvas, x: int, y: int) -> None:
    for ink, text in (
        (Ink.TRACE, "values"),
        (Ink.LIMIT, "limits of the range"),
        (Ink.REFUSED, "frame refused"),
        (Ink.SPOT, "what it was refused for"),
    ):
        canvas.area(x, y + 2, x + 17, y + 11, ink)
        canvas.text(x + 26, y, text)
        x += 26 + CHARACTER_WIDTH * (len(text) + 2)


class _Plot:
    """One panel on a canvas, its upper edge at line `top`."""

    def __init__(self, canvas: Canvas, panel: Panel, top: int, *, last: bool) -> None:
        self._canvas, self._panel, self._last = canvas, panel, last
        self._top, self._bottom = top, top + _PANEL - 1
        self._left, self._right = _LEFT, canvas.width - 1 - _RIGHT
        self._width = self._right - self._left
        self._frames: int = panel.values.shape[0]
        self._samples: int = panel.values.shape[1]
        self._low, self._high = view(panel)

    def draw(self) -> None:
        """What is refused lies below the axes, the axes below the values, and the spots on top."""
        canvas, panel = self._canvas, self._panel
        for frame in np.flatnonzero(panel.refused).tolist():
            left = self._border(frame)
            canvas.area(left, self._top, max(left, self._border(frame + 1) - 1), self._bottom, Ink.REFUSED)
        self._axes()
        for limit in (panel.low, panel.high):
            if self._low <= limit <= self._high:
                canvas.dashes(self._left, self._right, self._y(limit), Ink.LIMIT)
        values = panel.values.reshape(-1).astype(np.float64)
        finite = np.isfinite(values)
        self._trace(values, finite, Ink.TRACE, 0)
        spots = panel.spots.reshape(-1)
        self._trace(values, spots & finite, Ink.SPOT, 1)
        for column in np.flatnonzero(_any(spots & ~finite, self._columns())).tolist():
            x = self._left + column
            canvas.area(x - 1, self._top, x + 1, self._bottom, Ink.SPOT)  # no value to draw it at

    def _axes(self) -> None:
        canvas = self._canvas
        for value in ticks(self._low, self._high, 6):
            y = self._y(value)
            canvas.area(self._left, y, self._right, y, Ink.GRID)
            canvas.text(self._left - 8, y - TEXT_HEIGHT // 2 + 1, f"{value:.6g}", right=True)
        if self._width >= _FRAME_BORDER * self._frames:
            for frame in range(1, self._frames):
                canvas.area(self._border(frame), self._top, self._border(frame), self._bottom, Ink.GRID)
        for y in (self._top, self._bottom):
            canvas.area(self._left, y, self._right, y, Ink.FRAME)
        for x in (self._left, self._right):
            canvas.area(x, self._top, x, self._bottom, Ink.FRAME)
        if self._last:
            for tick in ticks(0, self._frames - 1, 12):
                if tick == int(tick):
                    self._frame_number(int(tick))
            canvas.text(self._left, self._bottom + 10 + TEXT_HEIGHT, f"frame, each {self._samples} samples")

    def _frame_number(self, frame: int) -> None:
        text = str(frame)
        middle = (self._border(frame) + self._border(frame + 1)) // 2
        self._canvas.area(middle, self._bottom, middle, self._bottom + 4, Ink.FRAME)
        self._canvas.text(middle - len(text) * CHARACTER_WIDTH // 2 + 1, self._bottom + 7, text)

    def _trace(self, values: npt.NDArray[np.float64], drawn: npt.NDArray[np.bool_], ink: Ink, more: int) -> None:
        """Column by column from the least to the greatest value that is drawn, joined within a frame."""
        columns = self._columns()
        least = np.minimum.reduceat(np.append(np.where(drawn, values, math.inf), math.inf), columns.reshape(-1))[::2]
        most = np.maximum.reduceat(np.append(np.where(drawn, values, -math.inf), -math.inf), columns.reshape(-1))[::2]
        frames = columns[:, 0] // self._samples
        before: tuple[int, int] | None = None
        for column in range(len(columns)):
            if least[column] > most[column]:
                before = None
                continue
            upper, lower = self._y(float(most[column])), self._y(float(least[column]))
            joined = (upper, lower)
            if before is not None and not more and frames[column] == frames[column - 1]:
                joined = (min(upper, before[1]), max(lower, before[0]))
            x = self._left + column
            self._canvas.area(x - more, joined[0] - more, x + more, joined[1] + more, ink)
            before = (upper, lower)

    def _columns(self) -> npt.NDArray[np.intp]:
        """First and one past the last value of each pixel column, [columns, 2]; a value may be in several columns."""
        count, width = self._frames * self._samples, self._width
        at = np.arange(width + 1) * count
        first = at[:-1] // width
        return np.stack([first, np.maximum(-(-at[1:] // width), first + 1)], axis=1)

    def _border(self, frame: int) -> int:
        return self._left + frame * self._width // self._frames

    def _y(self, value: float) -> int:
        """The line of a value; of one that lies outside, the edge."""
        inside = min(max(value, self._low), self._high)
        span = self._bottom - self._top - 4
        return self._bottom - 2 - round((inside - self._low) / (self._high - self._low) * span)


def view(panel: Panel) -> tuple[float, float]:
    """The least and the greatest value that a panel shows: its limits with some room, or the values'."""
    low, high = panel.low, panel.high
    inside = panel.values[(panel.values >= low) & (panel.values <= high)]
    if inside.size:
        seen_low, seen_high = float(inside.min()), float(inside.max())
        if seen_low < seen_high and (high - low) / (seen_high - seen_low) > _NARROW:
            low, high = seen_low, seen_high
    room = _HEADROOM * (high - low)
    return low - room, high + room


def ticks(low: float, high: float, most: int) -> list[float]:
    """At most `most` round numbers, 1, 2 or 5 times a power of ten apart, in `low`..`high`."""
    if not low < high:
        return [low]
    raw = (high - low) / most
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * times for times in _TICKS if power * times >= raw)
    return [step * i for i in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _any(marks: npt.NDArray[np.bool_], columns: npt.NDArray[np.intp]) -> npt.NDArray[np.bool_]:
    return np.maximum.reduceat(np.append(marks, False), columns.reshape(-1))[::2]
