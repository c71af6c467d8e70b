"""A result of `tinyseal bench`: figures with the board that they are of, as a JSON file."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from ..errors import TinysealError
from ..files import read_bounded

FORMAT = 1
_LIMIT = 4 << 20


@dataclass(frozen=True)
class Figure:
    """Microseconds of one call in the quickest round, and in the slowest; a call does `count` of `unit`."""

    group: str
    name: str
    about: str
    us: float
    worst_us: float
    count: int
    unit: str

    def cycles(self, clock_hz: int | None) -> float | None:
        """Cycles for one of `unit`; None where the clock is not known."""
        return self.us * clock_hz / 1e6 / self.count if clock_hz else None


@dataclass(frozen=True)
class Measured:
    """The board as it says itself, without what tells it from others of its kind; figures; models; heap.

    `clock_hz` is None where time says nothing about a chip. `left_out` says of figures why they are not there. `models`
    have bytes, steps and heap of each, or why it was not measured. `heap` has [free bytes, bytes of the largest piece]
    before and after.
    """

    package: str
    board: dict[str, Any]
    clock_hz: int | None
    figures: tuple[Figure, ...]
    left_out: dict[str, str]
    models: tuple[dict[str, Any], ...]
    heap: dict[str, list[int]]

    @property
    def virtual(self) -> bool:
        """Whether the figures are a computer's."""
        return bool(self.board["virtual"])

    @property
    def title(self) -> str:
        """Board, clock and version in a line."""
        clock = f" at {self.clock_hz / 1e6:g} MHz" if self.clock_hz else ""
        pc = ", figures of a PC and not of a chip" if self.virtual else ""
        return f"{self.board['board']}{clock}, MicroPython {self.board['micropython']}, tinyseal {self.package}{pc}"

    def fields(self) -> dict[str, Any]:
        """As JSON has it."""
        figures = [{**asdict(one), "cycles": one.cycles(self.clock_hz)} for one in self.figures]
        return {
            "tinyseal_bench": FORMAT,
            "package": self.package,
            "board": self.board,
            "clock_hz": self.clock_hz,
            "heap": self.heap,
            "figures": figures,
            "left_out": self.left_out,
            "models": list(self.models),
        }


_NAMES = [field.name for field in fields(Figure)]
_BOARD = ("board", "machine", "micropython", "architecture", "kernels", "virtual")


def read_result(path: Path) -> Measured:
    """The Measured in a file; TinysealError when it holds anything else."""
    try:
        found = json.loads(read_bounded(path, _LIMIT))
        if found["tinyseal_bench"] != FORMAT:
            raise TinysealError(
                f"{path}: is of format {found['tinyseal_bench']!r}, wanted {FORMAT}", hint="measure again"
            )
        board = {name: found["board"][name] for name in _BOARD}
        figures = tuple(_figure(one) for one in found["figures"])
        clock = found["clock_hz"]
        if not (clock is None or (isinstance(clock, int) and clock > 0)):
            raise ValueError
        heap = {name: [int(n) for n in found["heap"][name]] for name in ("before", "after")}
        left_out = {str(name): str(why) for name, why in found["left_out"].items()}
        model_fields = tuple(dict(one) for one in found["models"])
        return Measured(str(found["package"]), board, clock, figures, left_out, model_fields, heap)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise TinysealError(f"{path}: is no result of tinyseal bench, wanted what -o has saved") from error


def _figure(found: dict[str, Any]) -> Figure:
    """ValueError, TypeError or KeyError when it is none."""
    figure = Figure(**{name: found[name] for name in _NAMES})
    numbers = (figure.us, figure.worst_us, figure.count)
    if not all(type(number) in (int, float) and math.isfinite(number) and number >= 0 for number in numbers):
        raise ValueError
    if figure.count < 1 or not all(type(text) is str for text in (figure.group, figure.name, figure.unit)):
        raise ValueError
    return figure
