"""The person at the terminal: a stranger's text as it may be shown to one, and a question that only one can answer.

Nothing that is printed moves the cursor, colours a line or turns the reading order.
"""

from __future__ import annotations

import sys

from ..errors import TinysealError, UsageError


def printable(text: str) -> str:
    r"""`text` with every character that is not printable written out, an escape as `\x1b`; nothing is cut or quoted.

    Unicode's printable characters are those that `str.isprintable` takes: no controls of C0 and C1, no format
    characters (among them the bidirectional ones), no line or paragraph separators.
    """
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def confirm(question: str) -> None:
    """Ask on stderr; TinysealError for any answer but yes, UsageError when there is nobody to ask."""
    if not sys.stdin.isatty():
        raise UsageError("a yes is wanted, and there is no terminal to ask at", hint="--yes")
    print(f"{printable(question)} [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise TinysealError("nothing was changed: the answer was not yes")
