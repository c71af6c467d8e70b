"""Where the signing key's passphrase comes from: the environment, for scripts, or a person at a terminal."""

from __future__ import annotations

import getpass
import os
import sys
from pathlib import Path

from ..errors import TinysealError
from .terminal import printable

VARIABLE = "TINYSEAL_PASSPHRASE"
_MAX_LEN = 1023  # bytes; OpenSSL's prompt takes no more, and should be able to open the key


def ask(path: Path) -> bytes:
    """The passphrase of the key file at `path`, asked for once; TinysealError when there is nobody to ask."""
    return _from_environment() or _typed(f"passphrase of {printable(str(path))}: ")


def ask_new() -> bytes:
    """The passphrase of a key that is about to be made, typed twice at a terminal; TinysealError as above."""
    given = _from_environment()
    if given is not None:
        return given
    first = _typed("passphrase of the new signing key: ")
    if _typed("the same again: ") != first:
        raise TinysealError("the two passphrases differ")
    return first


def _from_environment() -> bytes | None:
    given = os.environ.get(VARIABLE)
    return None if given is None else _checked(given, VARIABLE)


def _typed(prompt: str) -> bytes:
    # getpass would fall back to reading a pipe, with a warning and with echo.
    if not sys.stdin.isatty():
        raise TinysealError("a passphrase is wanted, and there is no terminal to ask at", hint=f"set {VARIABLE}")
    try:
        return _checked(getpass.getpass(prompt), "the passphrase")
    except EOFError as error:
        raise TinysealError("no passphrase was given") from error


def _checked(text: str, what: str) -> bytes:
    passphrase = text.encode("utf-8", "surrogateescape")  # as the environment had it, whatever its encoding
    if not 1 <= len(passphrase) <= _MAX_LEN:
        raise TinysealError(f"{what} has {len(passphrase)} bytes, wanted 1 to {_MAX_LEN}")
    return passphrase
