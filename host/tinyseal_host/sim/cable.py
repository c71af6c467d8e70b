"""The cable between host and board, and what can happen to it."""

from __future__ import annotations

import enum
import os

_GARBAGE_LEN = 16


class Fault(enum.Enum):
    """What happens when a number of bytes, both ways together, has gone through a cable."""

    DROP = "drop"  # it is pulled out
    HANG = "hang"  # no byte arrives any more, and nobody is told
    GARBAGE = "garbage"  # the next 16 bytes arrive as others


class Cable:
    """One cable, good for `after` bytes; with no fault, for all."""

    def __init__(self, after: int = 0, fault: Fault | None = None) -> None:
        self._left = after
        self._fault = fault
        self.carried = 0
        self.broken: Fault | None = None

    def carry(self, data: bytes) -> bytes:
        """What arrives of bytes on their way, in either direction."""
        self.carried += len(data)
        if self._fault is None:
            return data
        good, rest = data[: self._left], data[self._left :]
        self._left -= len(good)
        if not rest:
            return good
        if self._fault is not Fault.GARBAGE:
            self.broken = self._fault
            return good
        garbage = os.urandom(min(len(rest), _GARBAGE_LEN))
        self._fault = None
        return good + garbage + rest[len(garbage) :]
