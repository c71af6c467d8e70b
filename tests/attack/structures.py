"""Random structures from hypothesis: sealed headers, releases and programs, plausible, hostile, and in between.

All are signed and sealed with the right keys, so that nothing but the parsers stands between them and the kernels.
"""

import random
import struct

import numpy as np
import tiny_release
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from program_interpreter import Interpreter
from tinyseal_host.errors import RefusedError
from tinyseal_host.formats import SEALED_FIELDS, SIGNATURE_LEN, parse_release

from attack.judging import judge
from attack.tally import Tally
from attack.target import FLOOR, VERSION, Target

_POWERS = [n for bit in (8, 15, 16, 28, 30, 31, 32) for n in ((1 << bit) - 1, 1 << bit)]
HOSTILE = st.sampled_from([0, 1, 3, *_POWERS[:-1]])
WORDS = st.one_of(st.integers(0, 16), HOSTILE, st.integers(0, 0xFFFFFFFF))
SMALL = st.integers(1, 4)
LIMITS = st.tuples(st.integers(0, 255), st.integers(0, 127), st.integers(128, 255))  # zero low high

# The frame, at arena offset 0, and the output of each of up to three steps behind it have 40 bytes each, which is room
# for the largest of them: 3 * 3 pixels of 4 bytes. The rest of 1,024 bytes is scratch: the greatest is a RING_CONV's, 3
# rows of 7 pixels of 36 bytes and 12 sums.
LENGTH = REGION = 40
QUANTISE = tiny_release.quantise_table()
SCRATCH_AT = 4 * REGION
FRAME = (tiny_release.FRAME * LENGTH)[: 4 * LENGTH]
LABELS = (b"\0", b"\0", b"\1\1a", b"\2\0\0")
MULTIPLIERS = st.tuples(
    st.integers(0, 0x7FFF), st.integers(0, 0xFFFF), st.integers(0, 4), st.sampled_from([0, 1, 8, 31])
)
ARENA_LEN = st.sampled_from([1024, 1024, 4096, 60000])


def _rarely(usual, other, one_in=8):
    return st.integers(1, one_in).flatmap(lambda n: other if n == one_in else usual)


@st.composite
def rows_tables(draw, k, m):
    """Rows tables of `m` rows of `k` weights."""
    table = b""
    for _ in range(m):
        weights = draw(st.binary(min_size=k, max_size=k))
        words = struct.pack("<i4I", draw(st.integers(-5000, 5000)), *draw(MULTIPLIERS))
        table += weights + bytes(-k % 4) + words
    return table


def _short_words(draw, first, right_max):
    """A first word, and a multiplier with its half and shift."""
    right = draw(st.integers(1, right_max))
    high, low, *_ = draw(MULTIPLIERS)
    return struct.pack("<i3I", first, high << 16 | low, 1 << right >> 1, right)


@st.composite
def dot_tables(draw, k, m, short):
    """Dot tables of `m` rows of `k` weights, at most 32."""
    padded = 32 if k > 16 else 16
    rows, numbers = [], []
    for _ in range(m):
        row = draw(st.binary(min_size=k, max_size=k)).ljust(padded, b"\x80")
        base = 2 * draw(st.integers(-5000, 5000)) - sum(row)
        rows.append(row)
        numbers.append(_short_words(draw, base, 31) if short else struct.pack("<i4I", base, *draw(MULTIPLIERS)))
    if short:
        return b"".join(row + words for row, words in zip(rows, numbers, strict=True))
    return b"".join(rows + numbers)


@st.composite
def _dots(draw, number, in_at, out_at, table_at):
    """The operands and table of ROWS, CONV and RING_CONV."""
    m, short = draw(SMALL), draw(st.integers(0, 1))
    if number == 1:
        k, pixels = draw(st.integers(1, 20)), draw(SMALL)
        operands = [in_at, draw(SMALL), pixels, draw(st.integers(1, pixels))]
    else:
        most = 3 if number == 2 else 2
        sizes = [draw(st.integers(1, most)) for _ in range(5)]
        c = sizes[2] = 8 if number == 15 else sizes[2]
        k = sizes[3] * sizes[4] * c
        strides = [draw(st.integers(1, 2)) for _ in range(4)]
        paddings = [draw(st.integers(0, 2)) for _ in range(2)]
        out_h, out_w = draw(st.integers(1, 3)), draw(st.integers(1, 3))
        strip = [draw(st.integers(1, out_w))] if number == 2 else []
        operands = [in_at, *sizes, *strides, *paddings, draw(st.integers(0, 255)), *strip, out_h, out_w]
    operands += [k, table_at, m, short, SCRATCH_AT, out_at, *draw(LIMITS)]
    return operands, draw(dot_tables(k, m, short))


@st.composite
def _depthwise3x3(draw, in_at, out_at, table_at):
    """The operands and table of DEPTHWISE3X3, rows along either axis."""
    zero, low, high = draw(LIMITS)
    rows, cols, c, out_rows, out_cols = (draw(st.integers(1, 3)) for _ in range(5))
    strides, paddings = ([draw(st.integers(least, 2)) for _ in range(2)] for least in (1, 0))
    in_strides, out_strides = [cols * c, c], [out_cols * c, c]
    if draw(st.booleans()):
        in_strides, out_strides = [c, rows * c], [c, out_rows * c]
    operands = [in_at, rows, cols, c, *in_strides, *strides, *paddings, draw(st.integers(0, 255)), SCRATCH_AT]
    operands += [out_rows, out_cols, *out_strides, table_at, out_at, max(zero, low), low, high]
    weights = [draw(st.binary(min_size=9, max_size=9)) + bytes(3) for _ in range(c)]
    return operands, b"".join(w + _short_words(draw, draw(st.integers(-5000, 5000)), 22) for w in weights)


@st.composite
def _window(draw, number, in_at, out_at, table_at):
    """The operands and table of DEPTHWISE and the pools."""
    limits = draw(LIMITS)
    in_h, in_w, c, kernel_h, kernel_w, out_h, out_w = (draw(st.integers(1, 3)) for _ in range(7))
    image, outputs = [in_at, in_h, in_w, c, kernel_h, kernel_w], [out_h, out_w]
    if number != 5:
        strides = [draw(st.integers(1, 2)) for _ in range(2)]
        paddings = [draw(st.integers(0, kernel - 1)) for kernel in (kernel_h, kernel_w)]
        return [*image, *strides, *paddings, *outputs, out_at, *limits[1:]], b""
    strides = [draw(st.integers(1, 2)) for _ in range(4)]
    k, multiplier = kernel_h * kernel_w, draw(st.integers(1, 4 // c))
    operands = [*image, *strides, draw(st.integers(0, 2)), draw(st.integers(0, 2)), draw(st.integers(0, 255))]
    operands += [multiplier, *outputs, k, table_at, c * multiplier, out_at, *limits]
    return operands, draw(rows_tables(k, c * multiplier))


@st.composite
def _bytewise(draw, number, in_at, out_at, table_at):
    """The operands and table of operators 8 to 14."""
    limits, (hi, lo, left, right) = draw(LIMITS), draw(MULTIPLIERS)
    if number == 8:
        return [in_at, draw(st.integers(1, REGION)), out_at, table_at], random.Random(lo).randbytes(256)
    if number == 13:
        return [out_at, draw(st.integers(1, REGION)), draw(st.integers(0, 255))], b""
    if number == 14:
        turns, strides = [draw(st.integers(1, 2)) for _ in range(4)], [draw(st.integers(0, 3)) for _ in range(8)]
        return [in_at, out_at, draw(SMALL), *turns, *strides], b""
    period = draw(SMALL)
    shared = [in_at, in_at, 0, period * draw(SMALL), period, out_at]
    table = b""
    if draw(st.booleans()):
        table = draw(st.binary(min_size=4, max_size=4))
        shared[1:3] = [table_at, 1]
    zeros = [draw(st.integers(0, 255)), draw(st.integers(0, 255))]
    if number == 9:
        scaled = [hi, lo, right]
        return [*shared, zeros[0], *scaled, zeros[1], *scaled, draw(st.integers(0, 1)), *scaled, *limits], table
    return shared + ([*zeros, hi, lo, left, right, *limits] if number == 10 else []), table


@st.composite
def steps(draw, index, table_at):
    """(operator, operands, table): a sound step whose table lies at `table_at`; it reads the frame or what was written
    by the step before, which need not be all that it reads."""
    number = draw(st.integers(1, 16))
    limits = draw(LIMITS)
    in_at, out_at, scratch_at = draw(st.sampled_from([0, 0, index * REGION])), (index + 1) * REGION, SCRATCH_AT
    if number in (1, 2, 15):
        return number, *draw(_dots(number, in_at, out_at, table_at))
    if number == 16:
        return number, *draw(_depthwise3x3(in_at, out_at, table_at))
    m = draw(SMALL)
    if number == 3:
        return number, [in_at, draw(SMALL), m, out_at, draw(WORDS), *draw(MULTIPLIERS), *limits], b""
    if number > 4:
        return number, *draw((_window if number < 8 else _bytewise)(number, in_at, out_at, table_at))
    later = random.Random(draw(st.integers(0, 0xFFFF)))
    table = struct.pack("<256I", 0x7FFFFFFF, *(later.getrandbits(31) for _ in range(255)))  # exp(0) comes first
    return number, [in_at, draw(SMALL), draw(st.integers(1, 8)), scratch_at, out_at, table_at], table


@st.composite
def bodies(draw):
    """A release without its signature, around a random program."""
    labels = draw(st.sampled_from(LABELS))
    count = draw(st.integers(1, 3))
    table_at = len(QUANTISE)
    drawn = []
    for index in range(count):
        step = draw(steps(index, table_at))
        drawn.append(step)
        table_at += len(step[2])
    program_len = 28 + sum(4 + 4 * len(operands) for _, operands, _ in drawn)
    tables_at = tiny_release.LABELS_AT + (len(labels) + 3) // 4 * 4 + program_len
    words = [draw(ARENA_LEN), 0, LENGTH, count * REGION, 1, tables_at, count]
    for number, operands, table in drawn:
        place = {1: 5, 2: 17, 4: 5, 5: 17, 8: 3, 9: 1, 10: 1, 11: 1, 12: 1, 15: 16, 16: 16}.get(number)
        if table:
            operands[place] += tables_at
        words += [number, *operands]
    for _ in range(draw(_rarely(st.just(0), st.integers(1, 3), 3))):
        words[draw(st.integers(0, len(words) - 1))] = draw(WORDS)
    contract = bytearray(tiny_release.contract(LENGTH, draw(_rarely(st.just(LENGTH), WORDS))))
    for _ in range(draw(_rarely(st.just(0), st.integers(1, 3)))):
        struct.pack_into("<I", contract, 4 * draw(st.integers(0, len(contract) // 4 - 1)), draw(WORDS))
    tables = QUANTISE + b"".join(table for *_, table in drawn)
    selftest = FRAME + draw(st.binary(min_size=1, max_size=1))
    sections = [bytes(contract), labels, struct.pack(f"<{len(words)}I", *words), tables, selftest]
    lengths = [draw(_rarely(st.just(len(section)), WORDS, 40)) for section in sections]
    padded = b"".join(section + bytes(-len(section) % 4) for section in sections)
    total = draw(_rarely(st.just(64 + len(padded) + SIGNATURE_LEN), WORDS, 40))
    version = draw(_rarely(st.just(VERSION), WORDS, 40))
    header = struct.pack("<4sIHHI16s5I12s", b"TSM1", total, 1, 0, version, b"random", *lengths, bytes(12))
    body = header + padded
    return _answered(body) if draw(st.booleans()) else body


def _answered(body: bytes) -> bytes:
    """The body with the output that its network gives, when FORMAT.md says what that is."""
    unsigned = body + bytes(SIGNATURE_LEN)
    try:
        parse_release(unsigned)
        interpreter = Interpreter(unsigned)
        output = interpreter.run(np.frombuffer(FRAME, "<f4"))
    except (RefusedError, ValueError):
        return body
    at = interpreter.selftest_at + len(FRAME)
    return body[:at] + output.tobytes() + body[at + len(output) :]


@st.composite
def headers(draw, good):
    """A sealed header, each field now and then another's: a list of values for the struct of FORMAT.md's table."""
    values = list(struct.unpack(_SEALED, good))
    for index, (_, code) in enumerate(SEALED_FIELDS):
        if code.endswith("s"):
            length = struct.calcsize(code)
            other = st.binary(min_size=length, max_size=length)
        elif code == "B":
            other = st.integers(0, 255)
        else:
            other = st.one_of(WORDS, st.sampled_from([FLOOR - 1, FLOOR, VERSION + 1]))
        values[index] = draw(_rarely(st.just(values[index]), other, 12))
    return struct.pack(_SEALED, *values)


_SEALED = "<" + "".join(code for _, code in SEALED_FIELDS)


def sealed_files(target: Target):
    """Sealed files around random releases, and around the good one under random headers."""
    good = target.sealed[:64]

    def under(header):
        return header + AESGCM(target.device_key).encrypt(header[32:44], target.release, header)

    random_headers = _rarely(headers(good), st.binary(min_size=64, max_size=64)).map(under)
    random_bodies = bodies().map(target.sign).map(target.seal)
    junk = st.binary(min_size=60, max_size=600).map(target.sign).map(target.seal)
    return _rarely(random_bodies, st.one_of(random_headers, random_headers, junk), 4)


def draw_files(target: Target, count: int, number: int) -> list[bytes]:
    """`count` random sealed files, the same draws for the same `number`."""
    drawn = []

    @seed(number)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(sealed_files(target))
    def collect(data):
        drawn.append(data)

    collect()
    return drawn[:count]


def named(files: list[bytes], number: int) -> dict[str, bytes]:
    """The files under names that say how to draw them again."""
    return {f"random structure {number}.{index}": data for index, data in enumerate(files)}


def attack(target: Target, count: int, number: int) -> Tally:
    """`count` random files in one start of the VM; see `draw_files`."""
    return judge(target, named(draw_files(target, count, number), number), rightful=True)
