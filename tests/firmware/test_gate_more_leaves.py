"""The leaves of the optional checks and of raw integers as machine code and as plain Python, against exact numbers."""

import math
import random
import struct
from array import array
from fractions import Fraction

import numpy as np
import pytest
from emulation import Machine
from gate_cases import Limits, fixed_point, random_case, statistics
from int8_twins import machine_of
from vm_kernels import VmMachine

_BLOCK = 64
_OTHER = [0xDEADBEEF] * 8  # what is another channel's
_FLIP = {"int16": 0x8000, "int8": 0x80, "uint8": 0}


more = machine_of("gate_more")
raw = machine_of("raw")


def bits(value: float) -> int:
    return int.from_bytes(struct.pack("<f", value), "little")


def float32_job(limits: Limits, stride: int, start: int) -> array:
    """Of the second channel: exponent and F of the lower end, from the document's formula."""
    exponent = max(bits(limits.low) >> 23 & 0xFF, bits(limits.high) >> 23 & 0xFF, 1)
    base = math.floor(Fraction(limits.low) * Fraction(2) ** (156 - exponent))
    return array("I", (*_OTHER, stride, start, 0, 0, exponent, base & 0xFFFFFFFF, 0, 0))


def test_float32_becomes_fixed_point(more: Machine | VmMachine) -> None:
    """Values of random ranges, over all exponents, in steps of two values and from the second on."""
    source = random.Random(11)
    seen = 0
    while seen < 200:
        case = random_case(source)
        if case.type != "float32":
            continue
        limits = case.channels[0]
        low, high = limits.low, limits.high
        values = [np.float32(low), np.float32(high)] + [
            np.float32(low + (high - low) * source.random()) for _ in range(6)
        ]
        values = [min(max(value, np.float32(low)), np.float32(high)) for value in values]
        frame = np.array([[7, value] for value in values], "<f4").tobytes()
        u = array("I", [0xDEADBEEF] * len(values))
        more.call("_spread", frame, 0, 0, len(values), float32_job(limits, 8, 4), 1, u)
        u_of, _ = fixed_point("float32", limits)
        assert list(u) == [u_of(value) for value in values]
        seen += 1


_MOST, _LEAST = 0x7F7FFFFF, 1  # of float32's finite magnitudes, as bits
_TOP = 1 << 31


@pytest.mark.parametrize("magnitude", [_MOST, 0x007FFFFF, _LEAST, 0x3F800000])
def test_fixed_point_of_the_widest_ranges(more: Machine | VmMachine, magnitude: int) -> None:
    """From the least to the greatest float of an exponent: u from 0 on, and for the widest range up to 2^31 - 128."""
    low, high = (np.uint32(value).view(np.float32) for value in (magnitude | _TOP, magnitude))
    limits = Limits(float(low), float(high))
    some = [magnitude | _TOP, _LEAST | _TOP, _TOP, 0, _LEAST, magnitude // 2, magnitude]
    values = np.array(some, "<u4").view(np.float32)
    u = array("I", [0xDEADBEEF] * len(values))
    more.call("_spread", values.tobytes(), 0, 0, len(values), float32_job(limits, 4, 0), 1, u)
    u_of, _ = fixed_point("float32", limits)
    assert list(u) == [u_of(value) for value in values]
    assert u[0] == 0
    if magnitude == _MOST:
        assert u[-1] == (1 << 31) - 128


@pytest.mark.parametrize("n", [1, 2, 3, _BLOCK])
def test_statistics(more: Machine | VmMachine, n: int) -> None:
    """Of one block, and of the same one again behind it."""
    source = random.Random(n)
    for top in (1, 1000, 0x7FFFFFFF):
        limits = Limits(0, top)
        _, shift = fixed_point("int16", limits)
        u = [source.choice((0, top, source.randint(0, top))) for _ in range(n)]
        rails = source.randint(0, top // 2), source.randint(top // 2, top)
        limits.rails = rails
        record = array("I", [*_OTHER, *_OTHER] + [0] * 5 + [*rails] + [0] * 9)
        work, state = bytearray(struct.pack(f"<{n + 1}I", 0, *u)), array("I", [*_OTHER, *_OTHER])
        more.call("_begin", work, state, 1)
        for turn in (1, 2):
            values = memoryview(work)[4:]
            more.call("_saturated", values, 0, n, record, state, 1)
            more.call("_extremes", values, 0, n, state, 1)
            more.call("_steps", work, 0, n, state, 1)
            more.call("_sums", values, 0, n, shift, state, 1)
            own = statistics("int16", limits, np.array(u * turn, np.int64))
            q = [value >> shift for value in u] * turn
            squares = sum(value * value for value in q)
            wanted = [own["saturated"], min(u), max(u) - min(u), own["step"], sum(q), squares & 0xFFFF, squares >> 16]
            assert list(state)[:15] == _OTHER + wanted
            assert work[:4] == struct.pack("<I", u[-1])


def test_statistics_of_the_most_values(more: Machine | VmMachine) -> None:
    """The last block of 65535 values, all at the ends: counts, steps and sums are as great as they can be."""
    before, q = 65535 - _BLOCK, 32767
    state = array("I", [*_OTHER, before, 0, 0, 0, q * before, q * q * before & 0xFFFF, q * q * before >> 16, 0])
    top = 0x7FFFFFFF
    work = bytearray(struct.pack(f"<{_BLOCK + 1}I", 0, *[top] * _BLOCK))
    record = array("I", [*_OTHER, *_OTHER] + [0] * 5 + [0, top] + [0] * 9)
    values = memoryview(work)[4:]
    more.call("_saturated", values, 0, _BLOCK, record, state, 1)
    more.call("_extremes", values, 0, _BLOCK, state, 1)
    more.call("_steps", work, 0, _BLOCK, state, 1)
    more.call("_sums", values, 0, _BLOCK, 16, state, 1)
    squares = q * q * 65535
    assert list(state) == [*_OTHER, 65535, 0, top, top, q * 65535, squares & 0xFFFF, squares >> 16, 0]


def test_sums_of_the_greatest_low_halves(more: Machine | VmMachine) -> None:
    """Of q * q, behind blocks that left as great a one; and of zeros, which change nothing."""
    q = max(range(1 << 15), key=lambda q: (q * q & 0xFFFF, q))
    state = array("I", [0, 0, 0, 0, 5, 0xFFFF, 7, 0])
    more.call("_sums", array("I", [q] * _BLOCK), 0, _BLOCK, 0, state, 0)
    squares = 0xFFFF + (7 << 16) + _BLOCK * q * q
    assert list(state) == [0, 0, 0, 0, 5 + _BLOCK * q, squares & 0xFFFF, squares >> 16, 0]
    wanted = list(state)
    more.call("_sums", array("I", [0] * _BLOCK), 0, _BLOCK, 16, state, 0)
    assert list(state) == wanted


def spread_state(total: int, squares: int) -> array:
    return array("I", [0, 0, 0, 0, total, squares & 0xFFFF, squares >> 16, 0])


def record_of(low: int, high: int) -> array:
    words = [word for value in (low, high) for word in (value & 0xFFFFFFFF, value >> 32)]
    return array("I", [0] * 12 + words)


def test_deviation_in_two_words(more: Machine | VmMachine) -> None:
    """Sums up to the greatest that 65535 values make, limits at what they make and one beside it."""
    source = random.Random(3)
    cases = [(65535, 65535 * 32767, 65535 * 32767**2), (65535, 0, 0), (1, 32767, 32767**2)]
    half = 65535 // 2
    cases.append((65535, half * 32767, half * 32767**2))
    for _ in range(60):
        n = source.choice((2, 600, 65535, source.randint(2, 65535)))
        few = source.randint(0, n)
        value = source.randint(0, 32767)
        cases.append((n, few * value, few * value * value))
    for n, total, squares in cases:
        exact = n * squares - total * total
        state = spread_state(total, squares)
        for low, high, wanted in (
            (exact, exact, -1),
            (0, (1 << 63) - 1, -1),
            (exact + 1, (1 << 63) - 1, 0),
            (0, exact - 1, 0),
            (0, exact + 1, -1),
            (exact - 1, exact, -1),
        ):
            if low >= 0 and high >= 0:
                assert more.call("_first_spread", state, record_of(low, high), 1, n) == wanted, (n, total, squares, low)
    both = array("I", [*spread_state(2, 2), *spread_state(3, 5)])  # n = 2: 0 and 1
    assert more.call("_first_spread", both, array("I", [*record_of(0, 0), *record_of(0, 0)]), 2, 2) == 1


@pytest.mark.parametrize(("word", "low", "high"), [(0, 0, 7), (2, 8, 0), (3, 0, 9), (4, 10, 11)])
@pytest.mark.parametrize("value", [1, 9, 0x7FFFFFFE])
def test_first_channel_that_fails(more: Machine | VmMachine, word: int, low: int, high: int, value: int) -> None:
    """Exactly the limits pass; one beside them fails, in the first of two channels or in the second."""
    state, record = array("I", [0] * 16), array("I", [0] * 32)
    for channel in range(2):
        state[8 * channel + word] = value
        for at in (low, high):
            record[16 * channel + at] = value if at else 0
    arguments = (word, low, high, state, record)
    assert more.call("_first", *arguments, 2) == -1
    for channel in (1, 0):
        for at, step in ((low, 1), (high, -1)):
            if at:
                record[16 * channel + at] += step
                assert more.call("_first", *arguments, 2) == channel
                assert more.call("_first", *arguments, channel) == -1
                record[16 * channel + at] -= step
    assert more.call("_first", *arguments, 2) == -1


def test_first_channel_of_random_ones(more: Machine | VmMachine) -> None:
    source = random.Random(8)
    for _ in range(60):
        channels = source.randrange(1, 6)
        states, records = (
            [array("I", [source.getrandbits(31) for _ in range(n)]) for _ in range(channels)] for n in (8, 16)
        )
        for state, record in zip(states, records, strict=True):
            record[10] = source.choice((0, record[10] // 4, state[4]))
            record[11] = source.choice((0x7FFFFFFF, state[4]))
        outside = [not record[10] <= state[4] <= record[11] for state, record in zip(states, records, strict=True)]
        both = (array("I", [word for part in parts for word in part]) for parts in (states, records))
        assert more.call("_first", 4, 10, 11, *both, channels) == ([*outside, True].index(True) if any(outside) else -1)


@pytest.mark.parametrize("kind", ["int16", "int8", "uint8"])
def test_raw_values(raw: Machine | VmMachine, kind: str) -> None:
    """Every value of 8 bits, of 16 bits some and those at the borders, alone, in frames of two channels, misaligned."""
    size = 2 if kind == "int16" else 1
    bits_of = 8 * size
    dtype = {"int16": "<i2", "int8": "i1", "uint8": "u1"}[kind]
    least = 0 if kind == "uint8" else -1 << bits_of - 1
    most = least + (1 << bits_of) - 1
    low, high, zero = least + 3, most - 7, (least + most) // 2
    some = {least, most, low, high, zero, low - 1, high + 1, zero + 1, 0, 1, 255 if most > 255 else 0}
    values = sorted({*some, *range(least, most, 1021)}) if size == 2 else list(range(least, most + 1))
    flip = _FLIP[kind]
    scan, spread = f"_scan{bits_of}", f"_spread{bits_of}"
    job = array("I", (*_OTHER, 2 * size, size, flip, low + flip, high - low, zero + flip, 0, 0))
    for value in values:
        frame = np.array([99, value], dtype).tobytes()
        wanted = int(value == zero) if low <= value <= high else -1
        assert raw.call(scan, frame, 0, 0, 1, job, 1) == wanted, value
        if wanted >= 0:
            u = array("I", [0])
            raw.call(spread, frame, 0, 0, 1, job, 1, u)
            assert u[0] == value - low
    inside = [value for value in values if low <= value <= high]
    frame = np.array([[99, value] for value in inside], dtype).tobytes()
    assert raw.call(scan, frame, 0, 0, len(inside), job, 1) == 1
    job[8 + 5] = 1 << 20  # no zero
    assert raw.call(scan, frame, 0, 0, len(inside), job, 1) == 0
    if size == 2:
        assert raw.call(scan, memoryview(bytearray(frame + b"xx"))[1:-1], 0, 0, 1, job, 1) == -2


def test_raw_values_to_bytes(raw: Machine | VmMachine) -> None:
    """All values of 8 and of 16 bits through tables of random ascending bytes, in the second of three channels."""
    source = random.Random(9)
    table = bytes(source.randrange(256) for _ in range(256))
    frame, out = bytes(value for value in range(256) for _ in range(3)), bytearray(768)
    raw.call("_quantise8", frame, out, 256, 1, 3, table)
    assert out[1::3] == table
    assert not any(out[0::3])
    assert not any(out[2::3])
    for steps, base, shift in ((300, 0, 8), (3, 0, 15), (200, 30000, 4), (256, 65000, 0)):
        ends = sorted(source.sample(range(base + 1, min(65536, base + (256 << shift))), steps - 1))
        found = np.searchsorted(ends, np.arange(65536), side="right") * 255 // (steps - 1)
        last = np.searchsorted(found, np.arange(256), side="right") - 1 - base
        last[255] = 65535
        first = found[np.minimum(base + (np.arange(256) << shift), 65535)]
        table = struct.pack("<2H", base, shift) + bytes(first.tolist()) + np.maximum(last, 0).astype("<u2").tobytes()
        values = [*range(0, 65536, 97), *(v + d for v in ends for d in (-1, 0)), 65535]
        raw_values = np.array([[0, value - 32768] for value in values], "<i2")
        out = bytearray(2 * len(values))
        raw.call("_quantise16", raw_values.tobytes(), out, len(values), 1, 2, table)
        assert list(out[1::2]) == [int(found[value]) for value in values]
        assert not any(out[0::2])
