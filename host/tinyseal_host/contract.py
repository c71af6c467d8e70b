"""What a frame must be: read from TOML, packed into the contract and labels sections of a release, and parsed back."""

from __future__ import annotations

import decimal
import math
import struct
import tomllib
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import numpy as np

from .errors import Refusal, RefusedError, TinysealError, quoted
from .files import TEXT_LIMIT, read_bounded

CONTRACT_FIELDS = (("type", "I"), ("length", "I"), ("low", "f"), ("high", "f"), ("max_zeros", "I"))
"""Field names and struct codes of the contract section, in order, little-endian."""
_CONTRACT = struct.Struct("<" + "".join(code for _, code in CONTRACT_FIELDS))
CONTRACT_LEN = _CONTRACT.size

TYPES = {"float32": 1}
_VALUE_BYTES = 4
_MAX_LENGTH = 0xFFFFFFFF // _VALUE_BYTES
_MAX_LABELS = 255
_MAX_LABEL_BYTES = 255
_REQUIRED = ("type", "length", "range", "zero_ratio")
_OPTIONAL = ("labels",)


@dataclass(frozen=True)
class Contract:
    """A frame is `length` values of `type`, all of them finite and in `low`..`high`, at most `max_zeros` of them zero.

    `low` and `high` are exact float32 values. `labels` name the network's outputs, or are empty.
    """

    type: str
    length: int
    low: float
    high: float
    max_zeros: int
    labels: tuple[str, ...] = ()

    @property
    def frame_bytes(self) -> int:
        """Bytes of one frame."""
        return self.length * _VALUE_BYTES

    def pack(self) -> bytes:
        """The 20 bytes of the contract section; the labels have a section of their own."""
        return _CONTRACT.pack(TYPES[self.type], self.length, self.low, self.high, self.max_zeros)


def parse_contract(section: bytes) -> Contract:
    """A Contract without labels from its 20-byte section; RefusedError RELEASE when it breaks a rule."""
    if len(section) != CONTRACT_LEN:
        raise _refused(f"contract has {len(section)} bytes, wanted {CONTRACT_LEN}")
    number, length, low, high, max_zeros = _CONTRACT.unpack(section)
    names = [name for name, known in TYPES.items() if known == number]
    if not names:
        raise _refused(f"contract type is {number}, wanted 1 (float32)")
    if not 1 <= length <= _MAX_LENGTH:
        raise _refused(f"contract length is {length}, wanted 1 to {_MAX_LENGTH}")
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise _refused(f"contract range is {low} to {high}, wanted finite and low < high")
    if max_zeros > length:
        raise _refused(f"contract allows {max_zeros} zeros in {length} values")
    return Contract(names[0], length, low, high, max_zeros)


def pack_labels(labels: tuple[str, ...]) -> bytes:
    """The labels section before padding: a count, then a length and UTF-8 bytes for each."""
    encoded = [label.encode() for label in labels]
    return bytes([len(encoded)]) + b"".join(bytes([len(label)]) + label for label in encoded)


def parse_labels(section: bytes) -> tuple[str, ...]:
    """The labels of an unpadded section, which they must fill; RefusedError RELEASE when they do not."""
    labels, at = [], 1
    for _ in range(section[0] if section else 0):
        end = at + 1 + section[at] if at < len(section) else len(section) + 1
        if end > len(section):
            raise _refused("labels run past the end of their section")
        try:
            labels.append(section[at + 1 : end].decode())
        except UnicodeDecodeError as error:
            raise _refused("a label is not UTF-8") from error
        at = end
    if at != len(section):
        raise _refused(f"labels fill {at} of {len(section)} bytes")
    return tuple(labels)


def read_contract(path: Path) -> Contract:
    """A Contract from a TOML file; any fault is a one-line TinysealError naming file, key, what was got and wanted."""
    data = read_bounded(path, TEXT_LIMIT)
    try:
        table = tomllib.loads(data.decode(), parse_float=Decimal)
    except UnicodeDecodeError as error:
        raise TinysealError(f"{path}: not UTF-8 text at byte {error.start}, wanted TOML") from error
    except (ValueError, ArithmeticError, RecursionError) as error:
        detail = " ".join(str(error).split()) if isinstance(error, tomllib.TOMLDecodeError) else "a number out of reach"
        raise TinysealError(f"{path}: not TOML: {detail}") from error
    for key in table:
        if key not in _REQUIRED + _OPTIONAL:
            raise TinysealError(
                f"{path}: unknown key {quoted(key)}", hint=f"the keys are {', '.join(_REQUIRED + _OPTIONAL)}"
            )
    for key in _REQUIRED:
        if key not in table:
            raise TinysealError(f"{path}: key {key} is missing", hint=f"for example: {_EXAMPLES[key]}")
    if not isinstance(table["type"], str) or table["type"] not in TYPES:
        raise _wrong(path, "type", table["type"], '"float32"')
    length = table["length"]
    if isinstance(length, bool) or not isinstance(length, int) or not 1 <= length <= _MAX_LENGTH:
        raise _wrong(path, "length", length, f"a whole number from 1 to {_MAX_LENGTH}")
    low, high = _range(path, table["range"])
    max_zeros = _max_zeros(path, table["zero_ratio"], length)
    return Contract(table["type"], length, low, high, max_zeros, _labels(path, table.get("labels", [])))


_EXAMPLES = {
    "type": 'type = "float32"',
    "length": "length = 600",
    "range": "range = [-20.0, 20.0]",
    "zero_ratio": "zero_ratio = 0.3",
}


def _range(path: Path, value: object) -> tuple[float, float]:
    wanted = "two finite float32 numbers, the lower one first"
    if not isinstance(value, list) or len(value) != 2:
        raise _wrong(path, "range", value, wanted)
    ends = [_decimal(item) for item in value]
    if None in ends:
        raise _wrong(path, "range", value, wanted)
    with np.errstate(over="ignore"):
        low, high = (float(np.float32(float(end))) for end in ends if end is not None)
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise _wrong(path, "range", value, wanted)
    return low, high


def _max_zeros(path: Path, value: object, length: int) -> int:
    ratio = _decimal(value)
    if ratio is None or not 0 <= ratio <= 1:
        raise _wrong(path, "zero_ratio", value, "a number from 0 to 1")
    # Rounded down to 28 digits and then to an integer of at most 10: the floor of the exact product.
    return int(decimal.Context(prec=28, rounding=decimal.ROUND_FLOOR, traps=[]).multiply(ratio, Decimal(length)))


def _labels(path: Path, value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > _MAX_LABELS:
        raise _wrong(path, "labels", value, f"a list of at most {_MAX_LABELS} strings")
    for label in value:
        if not isinstance(label, str) or not label.isprintable() or not 1 <= len(label.encode()) <= _MAX_LABEL_BYTES:
            raise _wrong(path, "labels", label, f"printable strings of 1 to {_MAX_LABEL_BYTES} bytes")
    return tuple(value)


def _decimal(value: object) -> Decimal | None:
    """A TOML number as an exact and finite Decimal, None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        return None
    number = Decimal(value)
    return number if number.is_finite() else None


def _wrong(path: Path, key: str, value: object, wanted: str) -> TinysealError:
    return TinysealError(f"{path}: {key} is {_shown(value)}, wanted {wanted}")


def _shown(value: object) -> str:
    """A TOML value as it may stand in a one-line message."""
    if isinstance(value, list):
        text = "[" + ", ".join(_shown(item) for item in value[:4]) + (", ...]" if len(value) > 4 else "]")
    elif isinstance(value, bool):
        text = str(value).lower()
    elif isinstance(value, str):
        text = quoted(value)
    elif isinstance(value, dict):
        text = "a table"
    elif isinstance(value, int) and abs(value) >= 1 << 128:
        text = "a very large number"
    else:
        text = str(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _refused(message: str) -> RefusedError:
    return RefusedError(Refusal.RELEASE, f"release: {message}")
