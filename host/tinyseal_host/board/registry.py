"""`boards.toml` in a key folder: which boards were provisioned with its keys, and what they had when last asked.

A table a board, sorted by id, a value a line: made to be read, edited, and merged by any version control. What a person
adds to a board's table stays; comments do not. Nothing in it is secret. Only `seal` decides by it, where a board's key
source is not named.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import TinysealError
from ..files import TEXT_LIMIT, read_bounded, reason, write_whole
from ..keys.key_files import MASTER_FILE

FILE = "boards.toml"
_HEAD = "# Boards by id; tinyseal keeps this up to date. `name` is yours to choose, and so is whatever you add.\n"
_ID = re.compile(r"(?:[0-9a-f]{2}){1,16}")
_NAME = re.compile(r"[A-Za-z0-9_-]+")

Value = str | int | float | bool


@dataclass(frozen=True)
class Entry:
    """What is known of one board; a field that a command did not learn is None, and leaves the file's as it is.

    `efuse_key` is the block that its key was burned into. `lacks` are the fields of which the board turned out to have
    nothing: they go from the file.
    """

    device_id: bytes
    board: str | None = None
    chip: str | None = None
    key_source: str | None = None
    signer: str | None = None
    micropython: str | None = None
    efuse_key: str | None = None
    package: str | None = None
    model: str | None = None
    version: int | None = None
    name: str | None = None
    lacks: Sequence[str] = ()


OURS = ("key_source", "signer", "package", "model", "version")
"""The fields of an Entry for what tinyseal puts on a board."""
_FIELDS = ("name", "board", "chip", "micropython", "efuse_key", *OURS)


def folder_of(folders: Sequence[Path]) -> Path:
    """The key folder whose registry counts: the first with a master key, else the first."""
    return next((folder for folder in folders if os.path.lexists(folder / MASTER_FILE)), folders[0])


def read(folder: Path) -> dict[str, dict[str, Value]]:
    """Every board's table by its id in hexadecimal, none without a file; TinysealError when it is not right."""
    path = folder / FILE
    if not os.path.lexists(path):
        return {}
    try:
        tables = tomllib.loads(read_bounded(path, TEXT_LIMIT).decode())
    except ValueError as error:  # of TOML, of UTF-8
        raise TinysealError(f"{path}: {error}", hint="mend it by hand, or move it away to begin a new one") from error
    for device_id, table in tables.items():
        if not _ID.fullmatch(device_id) or not isinstance(table, dict):
            raise TinysealError(f"{path}: has {device_id!r}, wanted a table for each board's id in lower case")
        for name, value in table.items():
            if not isinstance(value, Value):
                raise TinysealError(f"{path}: {name} of {device_id} is no text, number or truth value")
    return tables


def remember(folder: Path, entries: Sequence[Entry]) -> None:
    """Bring the file up to date for these boards, whole or not at all; TinysealError as for `read`."""
    with _alone(folder):
        tables = read(folder)
        for entry in entries:
            table = tables.setdefault(entry.device_id.hex(), {})
            for name in entry.lacks:
                table.pop(name, None)
            for name in _FIELDS:
                value: Value | None = getattr(entry, name)
                if value is not None:
                    table[name] = value
            table.setdefault("name", "")
        text = "\n".join([_HEAD, *(_table(device_id, tables[device_id]) for device_id in sorted(tables))])
        write_whole(folder / FILE, text.encode())


def _table(device_id: str, table: dict[str, Value]) -> str:
    own = [name for name in _FIELDS if name in table]
    others = sorted(table.keys() - set(own))
    # A table's name in quotes: one of digits alone would be read as such by other tools.
    return "".join([f'["{device_id}"]\n', *(f"{_key(name)} = {_value(table[name])}\n" for name in own + others)])


def _key(name: str) -> str:
    return name if _NAME.fullmatch(name) else _value(name)


def _value(value: Value) -> str:
    if isinstance(value, str):
        # JSON's escapes are TOML's, but for DEL, which TOML wants escaped, and for surrogates, which neither has.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return repr(value) if isinstance(value, float) else json.dumps(value)


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Other processes that remember something wait, where folders can be locked."""
    try:
        import fcntl  # noqa: PLC0415 - not on Windows
    except ImportError:
        yield
        return
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise TinysealError(f"{folder}: {reason(error)}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
