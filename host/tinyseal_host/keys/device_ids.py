"""Device ids as people write them: one in hexadecimal, or a file of them."""

from __future__ import annotations

import re
from pathlib import Path

from ..errors import TinysealError, UsageError, quoted
from ..files import read_bounded
from ..formats import MAX_DEVICE_ID_LEN

_DEVICE_ID = re.compile(r"[0-9a-f]{2}(?:(?::[0-9a-f]{2})*|(?:[0-9a-f]{2})*)", re.IGNORECASE)
_LIST_LIMIT = 16 << 20  # bytes: a million ids, each with a comment


def parse_device_id(text: str) -> bytes:
    """1 to 16 bytes from hexadecimal, with colons between the bytes as in a MAC, or none; UsageError if not."""
    if _DEVICE_ID.fullmatch(text):
        device_id = bytes.fromhex(text.replace(":", ""))
        if len(device_id) <= MAX_DEVICE_ID_LEN:
            return device_id
    raise UsageError(
        f"device id is {quoted(text)}, wanted 1 to {MAX_DEVICE_ID_LEN} bytes in hexadecimal",
        hint="`tinyseal status --port P` shows a board's, for example 7cdfa1e0c3b4 or 7c:df:a1:e0:c3:b4",
    )


def read_device_list(path: Path) -> list[bytes]:
    """The ids of a file, one a line; blanks and what follows a # do not count. TinysealError names file and line.

    An id that stands there twice is refused: more often than not it is in the place of a board that now has none.
    """
    try:
        lines = read_bounded(path, _LIST_LIMIT).decode("utf-8-sig").split("\n")  # Windows' editors begin with a BOM
    except UnicodeDecodeError as error:
        raise TinysealError(f"{path}: not UTF-8 text at byte {error.start}, wanted one device id a line") from error
    line_of: dict[bytes, int] = {}
    for number, line in enumerate(lines, 1):
        text = line.partition("#")[0].strip()
        if not text:
            continue
        try:
            device_id = parse_device_id(text)
        except UsageError as error:
            raise TinysealError(f"{path}, line {number}: {error.message}", hint=error.hint) from error
        if device_id in line_of:
            raise TinysealError(f"{path}, line {number}: {device_id.hex()} stands in line {line_of[device_id]} already")
        line_of[device_id] = number
    if not line_of:
        raise TinysealError(f"{path}: names no board, wanted one device id a line")
    return list(line_of)
