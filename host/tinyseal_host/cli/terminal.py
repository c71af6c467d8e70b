"""A stranger's text as it may be printed: nothing in it moves the cursor, colours a line or turns the reading order."""

from __future__ import annotations


def printable(text: str) -> str:
    r"""`text` with every character that is not printable written out, an escape as `\x1b`; nothing is cut or quoted.

    Unicode's printable characters are those that `str.isprintable` takes: no controls of C0 and C1, no format
    characters (among them the bidirectional ones), no line or paragraph separators.
    """
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)
