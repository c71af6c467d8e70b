"""The lines that an application prints, and what they say: README.md, "What an application prints"."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from ..errors import Status

_LONGEST = 65536  # bytes of a line: 4096 scores and room; what is longer is read as several, none of which is whole
_REASONS = {status.name.lower(): status for status in Status}


@dataclass(frozen=True)
class Frame:
    """A frame's line. `reason` and `channel` are the gate's; `scores` is empty and `net_us` 0 for a refused frame."""

    number: int
    status: Status
    reason: Status
    channel: int | None
    top: int
    name: str
    scores: tuple[int, ...]
    gate_us: int
    net_us: int
    counts: dict[str, int]
    longest: int
    failed: bool

    @property
    def accepted(self) -> bool:
        """Whether the network has seen it."""
        return self.status is Status.OK


@dataclass(frozen=True)
class About:
    """What model the lines are of."""

    name: str
    version: int
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Trouble:
    """Why the application has no frame, in its own words."""

    text: str


@dataclass(frozen=True)
class Unreadable:
    """A line of something else."""

    text: str


Line = Frame | About | Trouble | Unreadable


class Splitter:
    """Bytes as they come from a port, into lines without their ends; empty ones are left out."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[str]:
        """The lines that `data` ends."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > _LONGEST:
            lines.append(self._rest)
            self._rest = b""
        texts = (line.strip(b"\r\0 ").decode(errors="replace") for line in lines)
        return [text for text in texts if text]


def read(text: str) -> Line:
    """What a line says; Unreadable unless it says all that it should, and in the right types."""
    try:
        found = json.loads(text)
        if "error" in found:
            return Trouble(_text(found["error"]))
        if "model" in found:
            labels = tuple(_text(label) for label in found["labels"])
            return About(_text(found["model"]), _whole(found["version"]), labels)
        return _frame(found)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return Unreadable(text)


def _frame(found: dict[str, Any]) -> Frame:
    status = Status(_whole(found["status"]))
    accepted = status is Status.OK
    health, channel = found["health"], found["channel"]
    scores = tuple(_whole(score, -128) for score in found["scores"]) if accepted else ()
    top = _whole(found["top"]) if accepted else 0
    if accepted and top >= len(scores):
        raise ValueError
    return Frame(
        number=_whole(found["frame"]),
        status=status,
        reason=_REASONS[found["reason"]],
        channel=None if channel is None else _whole(channel),
        top=top,
        name=_text(found["class"]) if accepted else "",
        scores=scores,
        gate_us=_whole(found["gate_us"]),
        net_us=_whole(found["net_us"]) if accepted else 0,
        counts=_counts(health["counts"]),
        longest=_whole(health["longest"]),
        failed=bool(health["failed"]),
    )


def _counts(found: dict[str, Any]) -> dict[str, int]:
    """In the order of the statuses, which a board's have not; KeyError for a name that is none."""
    return {name: _whole(found[name]) for name in sorted(found, key=lambda name: _REASONS[name])}


def _whole(value: object, least: int = 0) -> int:
    if type(value) is not int or value < least:
        raise ValueError
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value
