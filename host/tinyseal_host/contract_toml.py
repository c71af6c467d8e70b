"""A contract as people write it: TOML, in physical units, to the limits that are compared."""

from __future__ import annotations

import decimal
import math
import tomllib
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

from .contract import MAX_CHANNELS, MAX_LENGTH, MAX_MEAN_SAMPLES, TYPES, Checks, Contract
from .contract_limits import Wishes, channel_of, float32
from .errors import TinysealError, quoted
from .files import TEXT_LIMIT, read_bounded

T = TypeVar("T")

_MAX_LABELS = 255
_MAX_LABEL_BYTES = 255
_MAX_FAILURE_AFTER = (1 << 31) - 1
_REQUIRED = ("type", "length", "range", "zero_ratio")
_OPTIONAL = (
    *("channels", "scale", "offset", "saturated_ratio", "rails", "least_movement", "largest_step", "mean"),
    *("deviation", "sensor_failure", "labels"),
)
_EXAMPLES = {
    "type": 'type = "float32"',
    "length": "length = 600",
    "range": "range = [-20.0, 20.0]",
    "zero_ratio": "zero_ratio = 0.3",
}
_CHECKS = {
    "saturated_ratio": Checks.SATURATED,
    "least_movement": Checks.FLAT,
    "largest_step": Checks.STEP,
    "mean": Checks.MEAN,
    "deviation": Checks.DEVIATION,
}
_MAX_DIGITS = 60  # before or behind the point: more than any float32 has, and quick to compute with
_FLOAT32_PAIR = "two finite float32 numbers, the lower one first"
_PAIR = "two numbers, the lower one first"
_RATIO = "a number from 0 to 1"
_POSITIVE = "a positive number"


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
    return contract_of(table, path)


def contract_of(table: dict[str, object], path: Path) -> Contract:
    """A Contract from a table whose numbers are int and Decimal; `path` names it in what is said of a fault."""
    for key in table:
        if key not in _REQUIRED + _OPTIONAL:
            raise TinysealError(
                f"{path}: unknown key {quoted(key)}", hint=f"the keys are {', '.join(_REQUIRED + _OPTIONAL)}"
            )
    for key in _REQUIRED:
        if key not in table:
            raise TinysealError(f"{path}: key {key} is missing", hint=f"for example: {_EXAMPLES[key]}")
    return _Reader(table, path).contract()


class _Reader:
    """Reads one table key by key."""

    def __init__(self, table: dict[str, object], path: Path) -> None:
        self.table = table
        self.path = path
        self.channels = 1

    def wrong(self, key: str, wanted: str, part: object = None) -> TinysealError:
        """What is said of a key's value, or of a part of it."""
        shown = _shown(self.table[key] if part is None else part)
        return TinysealError(f"{self.path}: {key} is {shown}, wanted {wanted}")

    def whole(self, key: str, most: int, default: int) -> int:
        """A whole number from 1 on."""
        value = self.table.get(key)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
            raise self.wrong(key, f"a whole number from 1 to {most}")
        return value

    def each(self, key: str, convert: Callable[[object], T | None], wanted: str, default: T) -> list[T]:
        """One value for all channels, or a list of one a channel."""
        if key not in self.table:
            return [default] * self.channels
        value = self.table[key]
        one = convert(value)
        if one is not None:
            return [one] * self.channels
        items = value if isinstance(value, list) and self.channels > 1 else []
        several = [item for item in map(convert, items) if item is not None]
        if not len(several) == len(items) == self.channels:
            raise self.wrong(key, wanted + (f", or a list of {self.channels}" if self.channels > 1 else ""))
        return several

    def contract(self) -> Contract:
        """All of it."""
        kind = self.table["type"]
        if not isinstance(kind, str) or kind not in TYPES:
            raise self.wrong("type", " or ".join(f'"{name}"' for name in TYPES))
        length = self.whole("length", MAX_LENGTH, 0)
        self.channels = self.whole("channels", MAX_CHANNELS, 1)
        if length % self.channels:
            raise self.wrong("channels", f"a divisor of the length {length}")
        for key in ("scale", "offset"):
            if kind == "float32" and key in self.table:
                raise TinysealError(f"{self.path}: {key} is for integer types, float32 is in physical units as it is")
        if "rails" in self.table and "saturated_ratio" not in self.table:
            raise TinysealError(f"{self.path}: rails without saturated_ratio are looked at by nothing")
        checks = Checks(sum(check for key, check in _CHECKS.items() if key in self.table))
        samples = length // self.channels
        if checks & (Checks.MEAN | Checks.DEVIATION) and samples > MAX_MEAN_SAMPLES:
            raise TinysealError(
                f"{self.path}: a channel has {samples} values, wanted at most {MAX_MEAN_SAMPLES} for mean and deviation"
            )
        ratio = _ratio(self.table["zero_ratio"])
        if ratio is None:
            raise self.wrong("zero_ratio", _RATIO)
        channels = [channel_of(wishes, self.path) for wishes in self.wishes(kind, samples)]
        failure_after = self.whole("sensor_failure", _MAX_FAILURE_AFTER, 0)
        return Contract(
            kind, length, tuple(channels), _share(ratio, length), checks, failure_after, labels=self.labels()
        )

    def wishes(self, kind: str, samples: int) -> list[Wishes]:
        """What is asked of each channel."""
        columns = (
            self.each("range", _float32_pair, _FLOAT32_PAIR, (Decimal(0), Decimal(0))),
            self.each("scale", _positive_float32, "a positive float32 number", Decimal(1)),
            self.each("offset", _float32, "a finite float32 number", Decimal(0)),
            self.each("saturated_ratio", _ratio, _RATIO, None),
            self.each("rails", _float32_pair, _FLOAT32_PAIR, None),
            self.each("least_movement", _positive, _POSITIVE, None),
            self.each("largest_step", _positive, _POSITIVE, None),
            self.each("mean", _pair, _PAIR, None),
            self.each("deviation", _pair_from_zero, _PAIR + " and not negative", None),
        )
        return [
            Wishes(kind, samples, ends, scale, offset, None if ratio is None else _share(ratio, samples), *rest)
            for ends, scale, offset, ratio, *rest in zip(*columns, strict=True)
        ]

    def labels(self) -> tuple[str, ...]:
        """Names of the outputs."""
        value = self.table.get("labels", [])
        if not isinstance(value, list) or len(value) > _MAX_LABELS:
            raise self.wrong("labels", f"a list of at most {_MAX_LABELS} strings")
        for label in value:
            if (
                not isinstance(label, str)
                or not label.isprintable()
                or not 1 <= len(label.encode()) <= _MAX_LABEL_BYTES
            ):
                raise self.wrong("labels", f"printable strings of 1 to {_MAX_LABEL_BYTES} bytes", label)
        return tuple(value)


def _decimal(value: object) -> Decimal | None:
    """A TOML number as an exact and finite Decimal, None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        return None
    number = Decimal(value)
    return number if number.is_finite() else None


def _ratio(value: object) -> Decimal | None:
    ratio = _decimal(value)
    return ratio if ratio is not None and 0 <= ratio <= 1 else None


def _share(ratio: Decimal, length: int) -> int:
    # Rounded down to 28 digits and then to an integer of at most 10: the floor of the exact product.
    return int(decimal.Context(prec=28, rounding=decimal.ROUND_FLOOR, traps=[]).multiply(ratio, Decimal(length)))


def _positive(value: object) -> Decimal | None:
    number = _decimal(value)
    return number if number is not None and number > 0 and abs(number.adjusted()) < _MAX_DIGITS else None


def _float32(value: object) -> Decimal | None:
    """A number that float32 reaches, as it was written; what is zero in float32 is zero."""
    number = _decimal(value)
    if number is None or not math.isfinite(float32(number)):
        return None
    return number if float32(number) else Decimal(0).copy_sign(number)


def _positive_float32(value: object) -> Decimal | None:
    found = _float32(value)
    return found if found is not None and found > 0 else None


def _float32_pair(value: object) -> tuple[Decimal, Decimal] | None:
    ends = [_float32(end) for end in value] if isinstance(value, list) and len(value) == 2 else []
    low, high = ends or (None, None)
    return (low, high) if low is not None and high is not None and float32(low) < float32(high) else None


def _pair(value: object) -> tuple[Decimal, Decimal] | None:
    ends = [_decimal(end) for end in value] if isinstance(value, list) and len(value) == 2 else []
    low, high = ends or (None, None)
    if low is None or high is None or max(abs(low.adjusted()), abs(high.adjusted())) >= _MAX_DIGITS:
        return None
    return (low, high) if low < high else None


def _pair_from_zero(value: object) -> tuple[Decimal, Decimal] | None:
    pair = _pair(value)
    return pair if pair is not None and pair[0] >= 0 else None


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
