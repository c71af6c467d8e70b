"""What a frame must be: packed into the contract and labels sections of a release, and parsed back."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass, fields
from enum import IntFlag
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from .errors import Refusal, RefusedError
from .units import Units

CONTRACT_FIELDS = (
    ("type", "I"),
    ("length", "I"),
    ("channels", "I"),
    ("checks", "I"),
    ("max_zeros", "I"),
    ("failure_after", "I"),
    ("reserved", "I"),
)
"""Field names and struct codes of the contract section up to its channels, in order, little-endian."""
CHANNEL_FIELDS = (
    ("low", "4s"),
    ("high", "4s"),
    ("scale", "f"),
    ("offset", "f"),
    ("zero", "i"),
    ("rail_low", "I"),
    ("rail_high", "I"),
    ("max_saturated", "I"),
    ("min_movement", "I"),
    ("max_step", "I"),
    ("mean_low", "I"),
    ("mean_high", "I"),
    ("deviation_low", "Q"),
    ("deviation_high", "Q"),
)
"""Of one channel. `low` and `high` are f32 or i32, as the type of the frame is."""
_FIXED = struct.Struct("<" + "".join(code for _, code in CONTRACT_FIELDS))
_CHANNEL = {
    code: struct.Struct(f"<{code}{code}" + "".join(code for _, code in CHANNEL_FIELDS[2:])) for code in ("f", "i")
}
CONTRACT_LEN = _FIXED.size
CHANNEL_LEN = _CHANNEL["f"].size

TYPES = {"float32": 1, "int16": 2, "int8": 3, "uint8": 4}
DTYPES = {name: np.dtype(name).newbyteorder("<") for name in TYPES}
MAX_LENGTH = 0xFFFFFFFF // 4
MAX_CHANNELS = 256
MAX_MEAN_SAMPLES = 65535
"""Values of a channel whose mean and deviation can be checked."""
NO_ZERO = 65536
"""In the place of the raw value of physical zero, when no raw value stands for it."""


def raw_limits(name: str) -> tuple[int, int]:
    """The least and the greatest value of an integer type."""
    bits = 8 * DTYPES[name].itemsize
    return (0, (1 << bits) - 1) if DTYPES[name].kind == "u" else (-1 << bits - 1, (1 << bits - 1) - 1)


class Checks(IntFlag):
    """The optional checks, in their order."""

    SATURATED = 1
    FLAT = 2
    STEP = 4
    MEAN = 8
    DEVIATION = 16


@dataclass(frozen=True)
class Channel:
    """The limits of one channel, as they are compared: `low` and `high` float32 values or raw integers, the rest whole
    numbers in the fixed point of FORMAT.md. Raw integers stand for raw * scale + offset, in float32.
    """

    low: float
    high: float
    scale: float = 1.0
    offset: float = 0.0
    zero: int = 0
    rail_low: int = 0
    rail_high: int = 0
    max_saturated: int = 0
    min_movement: int = 0
    max_step: int = 0
    mean_low: int = 0
    mean_high: int = 0
    deviation_low: int = 0
    deviation_high: int = 0

    def physical(self, values: npt.NDArray[np.generic]) -> npt.NDArray[np.float32]:
        """What raw integers stand for, in float32 and in this order; float32 values are what they are."""
        if values.dtype == np.float32:
            return values.astype(np.float32)
        scaled = values.astype(np.float32) * np.float32(self.scale)
        found: npt.NDArray[np.float32] = scaled + np.float32(self.offset)
        return found


_CHANNEL_NAMES = tuple(field.name for field in fields(Channel))


@dataclass(frozen=True)
class Contract:
    """A frame is `length` values of `type`, those of `channels` in turn, at most `max_zeros` of them zero.

    `checks` are the optional ones; `failure_after` refused frames in a row are a sensor's failure, 0 for never.
    `labels` name the network's outputs, or are empty.
    """

    type: str
    length: int
    channels: tuple[Channel, ...]
    max_zeros: int
    checks: Checks = Checks(0)  # noqa: RUF009 (a number, which nobody can change)
    failure_after: int = 0
    labels: tuple[str, ...] = ()

    @classmethod
    def simple(cls, length: int, low: float, high: float, max_zeros: int, labels: tuple[str, ...] = ()) -> Contract:
        """One channel of float32 and no optional check."""
        return cls("float32", length, (Channel(low, high),), max_zeros, labels=labels)

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """Of a value, little-endian."""
        return DTYPES[self.type]

    @property
    def samples(self) -> int:
        """Values of one channel."""
        return self.length // len(self.channels)

    @property
    def frame_bytes(self) -> int:
        """Bytes of one frame."""
        return self.length * self.dtype.itemsize

    @property
    def section_len(self) -> int:
        """Bytes of the contract section."""
        return CONTRACT_LEN + len(self.channels) * CHANNEL_LEN

    def units(self, channel: int) -> Units:
        """The fixed point of a channel."""
        limits = self.channels[channel]
        if self.type == "float32":
            return Units.of_float32(limits.low, limits.high)
        return Units.of_integers(int(limits.low), int(limits.high), Fraction(limits.scale), Fraction(limits.offset))

    @property
    def check_names(self) -> list[str]:
        """The optional checks in words."""
        return [str(check.name).lower() for check in Checks if check & self.checks]

    def conversions(self) -> list[tuple[float, float]]:
        """(scale, offset) of each channel; one alone when they are all the same."""
        found = [(channel.scale, channel.offset) for channel in self.channels]
        bits = {struct.pack("<ff", *pair) for pair in found}
        return found[:1] if len(bits) == 1 else found

    def pack(self) -> bytes:
        """The contract section; the labels have a section of their own."""
        numbers = (TYPES[self.type], self.length, len(self.channels), self.checks, self.max_zeros, self.failure_after)
        record = _CHANNEL[_code(self.type)]
        records = [record.pack(*(getattr(channel, name) for name in _CHANNEL_NAMES)) for channel in self.channels]
        return _FIXED.pack(*numbers, 0) + b"".join(records)


def parse_contract(section: bytes) -> Contract:
    """A Contract without labels from its section; RefusedError RELEASE when it breaks a rule."""
    if len(section) < CONTRACT_LEN:
        raise _refused(f"contract has {len(section)} bytes, wanted at least {CONTRACT_LEN}")
    number, length, count, checks, max_zeros, failure_after, reserved = _FIXED.unpack_from(section)
    names = {value: name for name, value in TYPES.items()}
    if number not in names:
        raise _refused(f"contract type is {number}, wanted 1 to {len(TYPES)}")
    if not 1 <= length <= MAX_LENGTH:
        raise _refused(f"contract length is {length}, wanted 1 to {MAX_LENGTH}")
    if not 1 <= count <= MAX_CHANNELS or length % count:
        raise _refused(f"contract has {count} channels in {length} values, wanted 1 to {MAX_CHANNELS} that divide them")
    if len(section) != CONTRACT_LEN + count * CHANNEL_LEN:
        raise _refused(f"contract has {len(section)} bytes, wanted {CONTRACT_LEN + count * CHANNEL_LEN}")
    if max_zeros > length:
        raise _refused(f"contract allows {max_zeros} zeros in {length} values")
    if checks >= 2 * Checks.DEVIATION or reserved:
        raise _refused(f"contract has checks {checks} and reserved {reserved}, wanted checks below 32 and 0")
    if checks & (Checks.MEAN | Checks.DEVIATION) and length // count > MAX_MEAN_SAMPLES:
        raise _refused(f"contract has a mean of {length // count} values, wanted at most {MAX_MEAN_SAMPLES}")
    records = [section[CONTRACT_LEN + i * CHANNEL_LEN :][:CHANNEL_LEN] for i in range(count)]
    channels = tuple(_parse_channel(names[number], record) for record in records)
    return Contract(names[number], length, channels, max_zeros, Checks(checks), failure_after)


def _parse_channel(name: str, record: bytes) -> Channel:
    channel = Channel(*_CHANNEL[_code(name)].unpack(record))
    low, high = channel.low, channel.high
    if name == "float32":
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            raise _refused(f"contract range is {low} to {high}, wanted finite and low < high")
        if struct.pack("<ffi", channel.scale, channel.offset, channel.zero) != struct.pack("<ffi", 1.0, 0.0, 0):
            raise _refused(f"contract has a scale of {channel.scale:g} for float32")
    else:
        least, most = raw_limits(name)
        if not least <= low < high <= most:
            raise _refused(f"contract range is {low} to {high}, wanted low < high, both {name}")
        if not (0 < channel.scale < math.inf and math.isfinite(channel.offset)):
            raise _refused(
                f"contract scales by {channel.scale:g} and adds {channel.offset:g}, wanted positive and finite"
            )
        if channel.zero != NO_ZERO and not least <= channel.zero <= most:
            raise _refused(f"contract has its zero at {channel.zero}, wanted {name} or {NO_ZERO}")
    small = (channel.rail_low, channel.rail_high, channel.max_saturated, channel.min_movement, channel.max_step)
    if max(*small, channel.mean_low, channel.mean_high) >> 31 or (channel.deviation_low | channel.deviation_high) >> 63:
        raise _refused("contract has a limit of 2^31 or more")
    return channel


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


def _code(name: str) -> str:
    return "f" if name == "float32" else "i"


def _refused(message: str) -> RefusedError:
    return RefusedError(Refusal.RELEASE, f"release: {message}")
