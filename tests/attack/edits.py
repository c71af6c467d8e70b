"""Every small change of a file: flipped bits, cuts, extensions, and fields that change places."""

import itertools
import random
import struct
from dataclasses import dataclass

from tinyseal_host.contract import CHANNEL_FIELDS, CONTRACT_FIELDS
from tinyseal_host.formats import RELEASE_FIELDS, SEALED_FIELDS, SEALED_HEADER_LEN, TAG_LEN, parse_release
from tinyseal_host.program import PROGRAM_FIELDS

_EXTENSIONS = range(1, 65)  # bytes


@dataclass(frozen=True)
class Field:
    """A field's place, in bytes."""

    name: str
    at: int
    length: int

    @property
    def end(self) -> int:
        """The byte behind it."""
        return self.at + self.length


@dataclass(frozen=True)
class Flip:
    """One bit, counted from the lowest of byte 0."""

    bit: int

    def apply(self, data: bytes) -> bytes:
        """The altered copy."""
        altered = bytearray(data)
        altered[self.bit // 8] ^= 1 << self.bit % 8
        return bytes(altered)


@dataclass(frozen=True)
class Cut:
    """The first `length` bytes alone."""

    length: int

    def apply(self, data: bytes) -> bytes:
        """The altered copy."""
        return data[: self.length]


@dataclass(frozen=True)
class Extend:
    """`tail` behind the end; without one, the file a second time."""

    tail: bytes | None

    def apply(self, data: bytes) -> bytes:
        """The altered copy."""
        return data + (data if self.tail is None else self.tail)


@dataclass(frozen=True)
class Swap:
    """Two fields change places. When their lengths differ, what lies between them moves."""

    first: Field
    second: Field

    def apply(self, data: bytes) -> bytes:
        """The altered copy."""
        a, b = self.first, self.second
        return data[: a.at] + data[b.at : b.end] + data[a.end : b.at] + data[a.at : a.end] + data[b.end :]


Edit = Flip | Cut | Extend | Swap


def flips(data: bytes) -> list[Edit]:
    """Each bit."""
    return [Flip(bit) for bit in range(8 * len(data))]


def cuts(data: bytes) -> list[Edit]:
    """Each shorter length, zero too."""
    return [Cut(length) for length in range(len(data))]


def extensions(seed: int = 0) -> list[Edit]:
    """Zeros, ones and random bytes, 1 to 64 of them, and the file doubled."""
    source = random.Random(seed)
    tails = [tail for n in _EXTENSIONS for tail in (bytes(n), b"\xff" * n, source.randbytes(n))]
    return [Extend(tail) for tail in tails] + [Extend(None)]


def swaps(data: bytes, fields: list[Field]) -> list[Edit]:
    """Each two fields, but for those pairs that leave the file as it is: they hold the same bytes."""
    pairs = [Swap(a, b) for a, b in itertools.combinations(fields, 2)]
    return [swap for swap in pairs if swap.apply(data) != data]


def sealed_fields(sealed: bytes) -> list[Field]:
    """The header's fields, three parts of the ciphertext, and the tag."""
    body = len(sealed) - TAG_LEN
    return [
        *_table(SEALED_FIELDS, 0),
        *_thirds("ciphertext", SEALED_HEADER_LEN, body),
        Field("tag", body, TAG_LEN),
    ]


def release_fields(release: bytes) -> list[Field]:
    """All that FORMAT.md section 3 has a table for, and what the sections have without one; without the signature."""
    places = parse_release(release).header.layout()
    program_at, program_len = places["program"]
    operands_at = program_at + 4 * len(PROGRAM_FIELDS)
    words = range(operands_at, program_at + program_len, 4)
    tables_at, tables_len = places["tables"]
    return [
        *_table(RELEASE_FIELDS, 0),
        *_table(CONTRACT_FIELDS + CHANNEL_FIELDS, places["contract"][0]),
        Field("labels", *places["labels"]),
        *_table(PROGRAM_FIELDS, program_at),
        *(Field(f"word {number} of the steps", at, 4) for number, at in enumerate(words)),
        *_table((("zero", "I"), ("first", "I"), ("count", "I")), tables_at),
        *_thirds("tables", tables_at + 12, tables_at + tables_len),
        Field("selftest", *places["selftest"]),
    ]


def _table(described: tuple[tuple[str, str], ...], at: int) -> list[Field]:
    fields = []
    for name, code in described:
        length = struct.calcsize("<" + code)
        fields.append(Field(name, at, length))
        at += length
    return fields


def _thirds(name: str, at: int, end: int) -> list[Field]:
    third = (end - at) // 3
    ends = (at, at + third, at + 2 * third, end)
    return [Field(f"{name} {i}", ends[i], ends[i + 1] - ends[i]) for i in range(3)]
