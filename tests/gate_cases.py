"""Frames at the limits of a contract, for the board's gate and the host's: limits are packed by FORMAT.md alone."""

import itertools
import math
import random
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

SATURATED, FLAT, STEP, MEAN, DEVIATION = 1, 2, 4, 8, 16
TYPES = {"float32": 1, "int16": 2, "int8": 3, "uint8": 4}
FORMATS = {"float32": "f", "int16": "i", "int8": "i", "uint8": "i"}
NO_ZERO = 65536


@dataclass
class Limits:
    """One channel's record."""

    low: float
    high: float
    scale: float = 1.0
    offset: float = 0.0
    zero: int = 0
    rails: tuple[int, int] = (0, 0)
    max_saturated: int = 0
    min_movement: int = 0
    max_step: int = 0
    mean: tuple[int, int] = (0, 0)
    deviation: tuple[int, int] = (0, 0)


@dataclass
class Case:
    """A contract and a frame, as its bytes."""

    type: str
    channels: list[Limits]
    length: int
    frame: bytes = b""
    max_zeros: int = 0
    checks: int = 0
    failure_after: int = 0

    def section(self) -> bytes:
        """The contract section."""
        numbers = (TYPES[self.type], self.length, len(self.channels), self.checks, self.max_zeros, self.failure_after)
        section = struct.pack("<7I", *numbers, 0)
        code = FORMATS[self.type]
        for c in self.channels:
            section += struct.pack(
                f"<{code}{code}ffi7I2Q",
                *(c.low, c.high, c.scale, c.offset, c.zero, *c.rails, c.max_saturated, c.min_movement, c.max_step),
                *(*c.mean, *c.deviation),
            )
        return section

    def question(self) -> list[str]:
        """For a script on the VM."""
        return [self.section().hex(), self.frame.hex()]


def simple(values: list[float], low: float, high: float, max_zeros: int) -> Case:
    """One channel of float32 and no optional check."""
    return Case("float32", [Limits(low, high)], len(values), np.array(values, "<f4").tobytes(), max_zeros)


OK, SIZE, NAN, RANGE, ZEROS = range(5)
NUMPY = {"float32": "<f4", "int16": "<i2", "int8": "i1", "uint8": "u1"}
ENDS = {"int16": (-32768, 32767), "int8": (-128, 127), "uint8": (0, 255)}
_SHIFT_BITS = 15


def fixed_point(kind: str, limits: Limits) -> tuple[Callable[[float], int], int]:
    """u of a value, and the shift to q, as FORMAT.md's "Fixed point" has them, in exact fractions."""
    if kind != "float32":
        return lambda value: int(value) - int(limits.low), max(
            0, int(limits.high - limits.low).bit_length() - _SHIFT_BITS
        )
    exponents = [np.float32(end).view(np.uint32) >> 23 & 0xFF for end in (limits.low, limits.high)]
    exponent = int(max(*exponents, 1))

    def f(value: float) -> int:
        return math.floor(Fraction(float(value)) * Fraction(2) ** (156 - exponent))

    base, top = f(limits.low), f(limits.high)
    return lambda value: f(value) - base, max(0, (top - base).bit_length() - _SHIFT_BITS)


def statistics(kind: str, limits: Limits, column: np.ndarray) -> dict[str, int]:
    """What the optional checks compare, of the values of one channel."""
    u_of, shift = fixed_point(kind, limits)
    u = [u_of(value) for value in column]
    q = [value >> shift for value in u]
    return {
        "saturated": sum(value <= limits.rails[0] or value >= limits.rails[1] for value in u),
        "movement": max(u) - min(u),
        "step": max((abs(b - a) for a, b in itertools.pairwise(u)), default=0),
        "mean": sum(q),
        "deviation": len(q) * sum(value * value for value in q) - sum(q) ** 2,
    }


def verdict(case: Case) -> tuple[int, int]:
    """(status, channel) of a case's frame, from FORMAT.md and in exact numbers."""
    values = np.frombuffer(case.frame, NUMPY[case.type]).reshape(-1, len(case.channels))
    columns = list(zip(case.channels, values.T, strict=True))
    for channel, (_, column) in enumerate(columns):
        if case.type == "float32" and not all(math.isfinite(value) for value in column):
            return NAN, channel
    for channel, (limits, column) in enumerate(columns):
        if not all(limits.low <= value <= limits.high for value in column):
            return RANGE, channel
    if sum(int(value) == limits.zero and value == int(value) for limits, column in columns for value in column) > (
        case.max_zeros
    ):
        return ZEROS, -1
    found = [(limits, statistics(case.type, limits, column)) for limits, column in columns]
    fails = (
        lambda limits, own: own["saturated"] > limits.max_saturated,
        lambda limits, own: own["movement"] < limits.min_movement,
        lambda limits, own: own["step"] > limits.max_step,
        lambda limits, own: not limits.mean[0] <= own["mean"] <= limits.mean[1],
        lambda limits, own: not limits.deviation[0] <= own["deviation"] <= limits.deviation[1],
    )
    for number, fail in enumerate(fails):
        for channel, (limits, own) in enumerate(found):
            if case.checks >> number & 1 and fail(limits, own):
                return ZEROS + 1 + number, channel
    return OK, -1


_SAMPLES = (1, 2, 3, 5, 8, 8, 63, 64, 65, 300)  # a board takes 64 at a time


def random_case(source: random.Random, samples: Sequence[int] = _SAMPLES) -> Case:
    """A contract whose limits lie at what the frame has, or one beside it, and now and then a value that is wrong."""
    kind = source.choice([*TYPES, "float32"])
    count = source.choice((1, 1, 2, 3))
    size = source.choice(samples)
    channels, columns = [], []
    for _ in range(count):
        limits = _float_limits(source) if kind == "float32" else _raw_limits(source, kind)
        if channels and source.random() < 0.4:
            limits = replace(channels[0])
        channels.append(limits)
        columns.append(_values(source, kind, limits, size))
    values = np.stack(columns, axis=1)
    if source.random() < 0.25:
        _spoil(source, values)
    case = Case(kind, channels, values.size, np.ascontiguousarray(values).tobytes())
    zeros = sum(int((values[:, i] == limits.zero).sum()) for i, limits in enumerate(channels))
    case.max_zeros = min(values.size, max(0, zeros + source.choice((0, 0, 0, 0, 1, -1))))
    if verdict(case)[0] == OK:
        case.checks = source.choice(
            (0, SATURATED, FLAT, STEP, MEAN, DEVIATION, source.randrange(32), source.randrange(32))
        )
        for limits, column in zip(channels, values.T, strict=True):
            _at_the_limit(source, kind, limits, column)
    return case


def _float_limits(source: random.Random) -> Limits:
    kinds = (source.uniform(-100, 100), source.uniform(-1, 1) * 2.0 ** source.randint(-149, 127), 0.0, -0.0, 1.0)
    low, high = sorted(float(np.float32(value)) for value in source.choices(kinds, k=2))
    return Limits(low, high) if low < high else _float_limits(source)


def _raw_limits(source: random.Random, kind: str) -> Limits:
    least, most = ENDS[kind]
    low, high = sorted(source.choices((least, most, source.randint(least, most), source.randint(least, most), 0), k=2))
    if low == high:
        return _raw_limits(source, kind)
    scale = float(np.float32(source.uniform(1e-4, 2)))
    return Limits(low, high, scale, 0.5, source.choice((0, low, high, source.randint(least, most), NO_ZERO)))


def _values(source: random.Random, kind: str, limits: Limits, samples: int) -> np.ndarray:
    """Noise, a straight line or a constant in the range, with its ends and zeros in it."""
    width = source.choice((1.0, 1.0, 0.01, 0.0))
    start = source.random() * (1 - width)
    shares = [start + width * source.random() for _ in range(samples)]
    exact = [limits.low + (limits.high - limits.low) * share for share in shares]
    found = np.clip(np.array(exact), limits.low, limits.high).astype(NUMPY[kind])
    ends = np.array([limits.low, limits.high], NUMPY[kind])
    for _ in range(source.choice((0, 0, 1, 2))):
        found[source.randrange(samples)] = source.choice(ends)
    if limits.low <= limits.zero <= limits.high:
        for _ in range(source.choice((0, 0, 1, 3))):
            found[source.randrange(samples)] = source.choice((limits.zero, -0.0)) if kind == "float32" else limits.zero
    return found


def _spoil(source: random.Random, values: np.ndarray) -> None:
    bits = values.view(f"<u{values.itemsize}")
    at = source.randrange(len(values)), source.randrange(values.shape[1])
    wrong = (0x7F800000, 0xFF800000, 0x7FC00000, 0x7F800001, 0xFFFFFFFF, source.getrandbits(32), int(bits[at]) ^ 1)
    bits[at] = source.choice(wrong) & (1 << 8 * values.itemsize) - 1


def _at_the_limit(source: random.Random, kind: str, limits: Limits, column: np.ndarray) -> None:
    """Every limit at what the channel has, most of the time, or one to either side, or far away."""
    u_of, _ = fixed_point(kind, limits)
    limits.rails = (u_of(source.choice(column)), u_of(source.choice(column)))
    own = statistics(kind, limits, column)

    def near(value: int) -> int:
        return max(0, value + source.choice((0, 0, 0, 0, 1, -1)))

    limits.max_saturated = near(own["saturated"])
    limits.min_movement = near(own["movement"])
    limits.max_step = near(own["step"])
    limits.mean = near(own["mean"]), near(own["mean"])
    limits.deviation = near(own["deviation"]), near(own["deviation"])
