"""What can go wrong, as the user is told it: one base class, an exit status a class, the codes of FORMAT.md section 5.

Everything else that leaves this package as an exception is a defect of the package.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path

_QUOTED_LEN = 60


class Refusal(IntEnum):
    """Why a sealed file or a release is refused; a board's `SealError.code` is one of these numbers."""

    NO_MODEL = 1
    FORMAT = 2
    WRONG_BOARD = 3
    ROLLBACK = 4
    NO_KEY = 5
    ENGINE = 6
    AUTHENTICATION = 7
    SIGNATURE = 8
    RELEASE = 9
    SELF_TEST = 10
    MEMORY = 11
    CLOSED = 12
    STORE = 13


class Status(IntEnum):
    """What is said of one frame, in the numbers of a board's `infer`. SENSOR is `infer`'s, the rest the gate's."""

    OK = 0
    SIZE = 1
    NAN = 2
    RANGE = 3
    ZEROS = 4
    SATURATED = 5
    FLAT = 6
    STEP = 7
    MEAN = 8
    DEVIATION = 9
    SENSOR = 10


_NOT_THE_FILE = {Refusal.NO_MODEL, Refusal.ENGINE, Refusal.MEMORY, Refusal.CLOSED, Refusal.STORE}


class TinysealError(Exception):
    """A failure that a person is told about in one line; `hint` says what to do about it, if there is something.

    Neither text ever holds key material. `exit_status` is the status of the command that failed of it.
    """

    exit_status = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(TinysealError):
    """The command line asks for something that cannot be meant."""

    exit_status = 2


class RefusedError(TinysealError):
    """A board, or the host in its place, refuses a sealed file or a release, for the reason that `code` names.

    `exit_status` is 3 where the file is to blame, and 1 where the board is: no model, memory, engine or store.
    """

    def __init__(self, code: int, message: str, *, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.code = int(code)
        self.exit_status = 1 if code in _NOT_THE_FILE else 3

    @property
    def name(self) -> str:
        """The code's name in FORMAT.md, or `CODE n` for a number that this version does not know."""
        try:
            return Refusal(self.code).name
        except ValueError:
            return f"CODE {self.code}"


@contextmanager
def about(path: Path) -> Iterator[None]:
    """Name the file in what is said of its contents here, on the host.

    That a file is not whole is no refusal but a failure: TinysealError. Authentication and signature stay refusals.
    """
    try:
        yield
    except RefusedError as error:
        message = f"{path}: {error.message}"
        if error.code in (Refusal.FORMAT, Refusal.RELEASE):
            raise TinysealError(message, hint=error.hint) from error
        raise RefusedError(error.code, message, hint=error.hint) from error


class BoardError(TinysealError):
    """There is no board, or it does not answer."""

    exit_status = 4


def quoted(text: str) -> str:
    """A stranger's text as it may stand in a message: in quotes, on one line, cut to 60 printable characters."""
    shown = f'"{text}"' if text.isprintable() else ascii(text)
    return shown if len(shown) <= _QUOTED_LEN else shown[: _QUOTED_LEN - 3] + "..."
