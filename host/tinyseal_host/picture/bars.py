"""Named numbers as bars on a logarithmic axis, those of two series one above the other."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .canvas import CHARACTER_WIDTH, TEXT_HEIGHT, Canvas, Ink

_BAR = 14
_GAP = 10
_RIGHT = 120  # room for the number behind the longest bar
_INKS = (Ink.TRACE, Ink.LIMIT)


@dataclass(frozen=True)
class Bar:
    """A name with a number above zero for each series, None where it has none."""

    name: str
    values: tuple[float | None, ...]


def draw_bars(title: str, series: list[str], bars: list[Bar], width: int = 1200) -> bytes:
    """A PNG file, `width` pixels wide, of one or two series, of which some bar has a value."""
    line = TEXT_HEIGHT + 8
    top = line * (1 + len(series)) + 10
    row = len(series) * _BAR + _GAP
    canvas = Canvas(width, top + row * len(bars) + line)
    canvas.text(10, 6, title)
    for number, name in enumerate(series):
        y = 6 + line * (1 + number)
        canvas.area(10, y + 2, 27, y + 11, _INKS[number])
        canvas.text(36, y, name)
    values = [value for bar in bars for value in bar.values if value]
    low = math.floor(math.log10(min(values)))
    decades = max(1, math.ceil(math.log10(max(values))) - low)
    left = min(20 + CHARACTER_WIDTH * max(len(bar.name) for bar in bars), width // 2)
    span = width - _RIGHT - left
    bottom = top + row * len(bars)
    for decade in range(decades + 1):
        x = left + decade * span // decades
        canvas.area(x, top, x, bottom, Ink.GRID)
        text = f"{10.0 ** (low + decade):g}"
        canvas.text(x - len(text) * CHARACTER_WIDTH // 2, bottom + 4, text)
    for number, bar in enumerate(bars):
        y = top + number * row + _GAP // 2
        canvas.text(left - 10, y + (len(series) * _BAR - TEXT_HEIGHT) // 2, bar.name, right=True)
        for i, value in enumerate(bar.values):
            if value:
                end = left + round((math.log10(value) - low) / decades * span)
                canvas.area(left, y + i * _BAR, max(end, left + 1), y + i * _BAR + _BAR - 3, _INKS[i])
                canvas.text(max(end, left + 1) + 8, y + i * _BAR - 1, f"{value:.4g}")
    return canvas.encode()
