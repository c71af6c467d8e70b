"""The rules of FORMAT.md's quantise tables, one form for float32 and one for each size of raw integers."""

from __future__ import annotations

from .contract import Contract
from .errors import Refusal, RefusedError

FLOAT32_HEAD_LEN = 12 + 257 * 4
RAW8_LEN = 256
"""Bytes of a table for int8 or uint8 values."""
RAW16_LEN = 4 + 256 + 2 * 256
"""Of one for int16."""
_NO_MORE = 0x7FFFFFFF


def check_quantise(contract: Contract, at: int, tables: bytes, tables_at: int) -> None:
    """RefusedError RELEASE unless the tables for frames of that contract lie whole and in order at release offset `at`.

    `tables` is the tables section, whose release offset is `tables_at`.
    """
    if contract.type == "float32":
        _check_float32(_table(at, FLOAT32_HEAD_LEN, tables, tables_at))
        count = int.from_bytes(tables[at - tables_at + 8 :][:4], "little")
        _table(at, FLOAT32_HEAD_LEN + count, tables, tables_at)
        return
    count = len(contract.conversions())
    if contract.dtype.itemsize == 1:
        _table(at, count * RAW8_LEN, tables, tables_at)
        return
    found = _table(at, count * RAW16_LEN, tables, tables_at)
    for end in range(RAW16_LEN, len(found) + 1, RAW16_LEN):
        if found[end - 2 : end] != b"\xff\xff":
            raise _refused("quantise table has no end")


def _check_float32(head: bytes) -> None:
    words = [int.from_bytes(head[i : i + 4], "little") for i in range(0, FLOAT32_HEAD_LEN, 4)]
    thresholds = words[3:]
    if words[0] > 255 or thresholds[-1] != _NO_MORE:
        raise _refused("quantise table")
    if thresholds != sorted(thresholds):
        raise _refused("thresholds do not ascend")


def _table(at: int, length: int, tables: bytes, tables_at: int) -> bytes:
    if at % 4 or at < tables_at or at + length > tables_at + len(tables):
        raise _refused(f"quantise_at {at} with {length} bytes is not aligned in the tables")
    return tables[at - tables_at : at - tables_at + length]


def _refused(message: str) -> RefusedError:
    return RefusedError(Refusal.RELEASE, f"release: program: {message}")
