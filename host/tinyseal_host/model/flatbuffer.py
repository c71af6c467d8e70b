"""Reads FlatBuffers tables and vectors with every offset checked: the file may be hostile.

Layout as in the FlatBuffers internals document: a table begins with the distance back to its vtable; the vtable holds
its own length, the table's length, and each field's offset in the table, 0 for a field that has its default value.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

_UOFFSET = struct.Struct("<I")
_SOFFSET = struct.Struct("<i")
_VOFFSET = struct.Struct("<H")


class FlatbufferError(ValueError):
    """An offset, a length or a count that the buffer cannot hold."""


@dataclass(frozen=True)
class Table:
    """The table at byte `at` of `data`; fields are numbered as the schema declares them, a union taking two numbers."""

    data: bytes
    at: int

    def _field(self, number: int) -> int | None:
        """Where the field's value lies, None when it is absent."""
        vtable = self.at - int(_read(_SOFFSET, self.data, self.at))
        entry = 4 + 2 * number
        if entry + 2 > _read(_VOFFSET, self.data, vtable):
            return None
        offset = int(_read(_VOFFSET, self.data, vtable + entry))
        return self.at + offset if offset else None

    def integer(self, number: int, code: str, default: int = 0) -> int:
        """An integer field with the struct code `code`."""
        at = self._field(number)
        return default if at is None else int(_read(struct.Struct("<" + code), self.data, at))

    def real(self, number: int, default: float = 0.0) -> float:
        """A float32 field."""
        at = self._field(number)
        return default if at is None else _read(struct.Struct("<f"), self.data, at)

    def table(self, number: int) -> Table | None:
        """A table field, or the value of a union field."""
        at = self._field(number)
        return None if at is None else self._at(at)

    def tables(self, number: int, limit: int) -> list[Table]:
        """A vector of tables with at most `limit` entries; an absent vector is empty."""
        at = self._field(number)
        if at is None:
            return []
        start, count = self._vector(at, 4)
        if count > limit:
            raise FlatbufferError(f"a vector has {count} tables, wanted at most {limit}")
        return [self._at(start + 4 * i) for i in range(count)]

    def numbers(self, number: int, dtype: str) -> npt.NDArray[np.generic]:
        """A vector of scalars of a numpy type, as a view of the buffer, not a copy; an absent vector is empty."""
        at = self._field(number)
        if at is None:
            return np.empty(0, dtype)
        start, count = self._vector(at, np.dtype(dtype).itemsize)
        return np.frombuffer(self.data, dtype, count, start) if count else np.empty(0, dtype)

    def _at(self, at: int) -> Table:
        """The table that the offset stored at `at` points to."""
        return Table(self.data, at + int(_read(_UOFFSET, self.data, at)))

    def _vector(self, at: int, item_len: int) -> tuple[int, int]:
        """First byte and number of the items of the vector that the offset stored at `at` points to."""
        start = at + int(_read(_UOFFSET, self.data, at))
        count = int(_read(_UOFFSET, self.data, start))
        if start + 4 + count * item_len > len(self.data):
            raise FlatbufferError(f"a vector of {count} items at {start} runs past the end of {len(self.data)} bytes")
        return start + 4, count


NO_FIELDS = Table(bytes((4, 0, 4, 0, 4, 0, 0, 0)), 4)
"""Stands for a table that a file leaves out: all fields have their default values."""


def root(data: bytes, identifier: bytes) -> Table:
    """The root table of a buffer that carries the four-byte file identifier."""
    if data[4:8] != identifier:
        raise FlatbufferError(f"file identifier is {data[4:8]!r}, wanted {identifier!r}")
    return Table(data, int(_read(_UOFFSET, data, 0)))


def _read(code: struct.Struct, data: bytes, at: int) -> float:
    # struct counts a negative offset from the end, so both ends are checked here.
    if not 0 <= at <= len(data) - code.size:
        raise FlatbufferError(f"an offset points to {at}, the file has {len(data)} bytes")
    value: float = code.unpack_from(data, at)[0]
    return value
