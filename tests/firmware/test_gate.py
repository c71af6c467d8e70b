"""The gate on the VM: FORMAT.md's order of checks, every kind of buffer, and the host's gate on random frames."""

import random
import struct

import numpy as np
import pytest
from tinyseal_host import gate
from tinyseal_host.contract import Contract
from tinyseal_host.errors import Status
from vm import ask

pytestmark = pytest.mark.usefixtures("firmware")

OK, SIZE, NAN, RANGE, ZEROS = range(5)

_CHECK_ALL = """
from array import array
from tinyseal.gate import Gate

def copies(frame):  # each kind of buffer that holds a frame
    yield array("f", frame)
    yield bytearray(frame)
    yield frame
    yield array("B", frame)
    yield memoryview(frame)
    yield memoryview(array("f", frame))
    yield memoryview(b"xxxx" + frame + b"x")[4:-1]
    yield memoryview(array("f", b"xxxx" + frame + b"xxxx"))[1:-1]

answers = []
for length, low, high, max_zeros, frame in question:
    gate = Gate(length, low, high, max_zeros)
    statuses = [[gate.check(copy), gate.check(copy)] for copy in copies(unhex(frame))]
    answers.append(statuses[0][0] if all(s == statuses[0] and s[0] == s[1] for s in statuses) else statuses)
print(ujson.dumps(answers))
"""


def bits(value: float) -> int:
    """Of a float32."""
    return int.from_bytes(struct.pack("<f", value), "little")


def status_of(frame: list[float], low: float, high: float, max_zeros: int) -> int:
    """What the board says of a frame."""
    case = [len(frame), bits(low), bits(high), max_zeros, np.array(frame, "<f4").tobytes().hex()]
    (status,) = ask(_CHECK_ALL, [case])  # type: ignore[misc]
    return status


_INF, _NAN = float("inf"), float("nan")
_TINY, _LARGE = 2.0**-149, (2 - 2.0**-23) * 2.0**127  # the least and the greatest float32


@pytest.mark.parametrize(
    ("frame", "low", "high", "max_zeros", "wanted"),
    [
        pytest.param([1.0, 2.0], 1, 2, 0, OK, id="limits belong to the range"),
        pytest.param([1.0, np.nextafter(np.float32(2), np.float32(3))], 1, 2, 0, RANGE, id="next above"),
        pytest.param([np.nextafter(np.float32(1), np.float32(0)), 2.0], 1, 2, 0, RANGE, id="next below"),
        pytest.param([-1.0, -2.0], -2, -1, 0, OK, id="negative limits belong to the range"),
        pytest.param([-2.0, np.nextafter(np.float32(-1), np.float32(0))], -2, -1, 0, RANGE, id="negative, above"),
        pytest.param([np.nextafter(np.float32(-2), np.float32(-3))], -2, -1, 0, RANGE, id="negative, below"),
        pytest.param([-1.5, 1.5], -2, -1, 0, RANGE, id="same magnitude, other sign"),
        pytest.param([0.0, 1.0], 0, 1, 1, OK, id="range begins at zero"),
        pytest.param([-0.0, 1.0], 0, 1, 1, OK, id="-0.0 in a range that begins at +0.0"),
        pytest.param([0.0, 1.0], -0.0, 1, 1, OK, id="+0.0 in a range that begins at -0.0"),
        pytest.param([-_TINY], 0, 1, 1, RANGE, id="just below zero"),
        pytest.param([-_TINY], -0.0, 1, 1, RANGE, id="just below -0.0"),
        pytest.param([0.0, -0.0, -1.0], -1, 0, 2, OK, id="range ends at +0.0"),
        pytest.param([0.0, -0.0, -1.0], -1, -0.0, 2, OK, id="range ends at -0.0"),
        pytest.param([_TINY], -1, 0, 1, RANGE, id="just above zero"),
        pytest.param([_TINY], -1, -0.0, 1, RANGE, id="just above -0.0"),
        pytest.param([_TINY, -_TINY], -_TINY, _TINY, 0, OK, id="denormals are no zeros"),
        pytest.param([_LARGE, -_LARGE], -_LARGE, _LARGE, 0, OK, id="all finite values"),
        pytest.param([_INF], -_LARGE, _LARGE, 0, NAN, id="infinity"),
        pytest.param([-_INF], -_LARGE, _LARGE, 0, NAN, id="negative infinity"),
        pytest.param([_NAN], -_LARGE, _LARGE, 0, NAN, id="NaN"),
        pytest.param([-_NAN], -_LARGE, _LARGE, 0, NAN, id="negative NaN"),
        pytest.param([5.0, 0.0, 0.0, _NAN], 0, 1, 1, NAN, id="NaN last comes before range and zeros"),
        pytest.param([_NAN, 5.0], 0, 1, 1, NAN, id="NaN first"),
        pytest.param([0.0, 0.0, 5.0], 0, 1, 1, RANGE, id="range comes before zeros"),
        pytest.param([0.0, -0.0, 1.0], 0, 1, 2, OK, id="max_zeros of both signs"),
        pytest.param([0.0, -0.0, 1.0], 0, 1, 1, ZEROS, id="one more than max_zeros"),
        pytest.param([0.0], 0, 1, 0, ZEROS, id="no zeros allowed"),
        pytest.param([0.0] * 9, -1, 1, 9, OK, id="nothing but zeros allowed"),
    ],
)
def test_order_and_limits(frame: list[float], low: float, high: float, max_zeros: int, wanted: int) -> None:
    assert status_of(frame, low, high, max_zeros) == wanted


_TOP = 0x80000000
_SPECIAL = [0, _TOP, 1, _TOP | 1, 0x007FFFFF, 0x00800000, 0x7F7FFFFF, 0xFF7FFFFF]
_NOT_FINITE = [0x7F800000, 0xFF800000, 0x7FC00000, 0x7F800001, 0xFFFFFFFF]


_CASES = 4000


def random_case(source: random.Random) -> tuple[int, int, int, int, bytes]:
    """length, bits of the limits, max_zeros and a frame, whose values are within the limits but for a few."""

    def finite() -> float:
        kinds = (source.uniform(-100, 100), source.uniform(-1, 1) * 2.0 ** source.randint(-149, 127), 0.0, -0.0)
        return float(np.float32(source.choice(kinds)))

    low, high = sorted((finite(), finite()))
    if low == high:
        return random_case(source)
    ends = [bits(low), bits(high)]
    values = [bits(float(np.float32(source.uniform(low, high)))) for _ in range(source.randint(1, 8))]
    strange = [*ends, *(end ^ 1 for end in ends), *(end ^ _TOP for end in ends), *_SPECIAL, *_SPECIAL[:2] * 3]
    for _ in range(source.choice((0, 0, 1, 1, 2, 3))):
        value = source.choice(source.choice((strange, strange, strange, _NOT_FINITE, [source.getrandbits(32)])))
        values[source.randrange(len(values))] = value
    max_zeros = source.randint(0, 2)
    return len(values), *ends, max_zeros, struct.pack(f"<{len(values)}I", *values)


def host_status(case: tuple[int, int, int, int, bytes]) -> Status:
    """What the host's gate says of it."""
    length, low, high, max_zeros, frame = case
    low_high = np.array([low, high], "<u4").view("<f4")
    contract = Contract("float32", length, float(low_high[0]), float(low_high[1]), max_zeros)
    return gate.check(np.frombuffer(frame, "<f4"), contract)


def test_says_what_the_host_s_gate_says() -> None:
    """Random frames, each in every kind of buffer; every status is among the answers often enough to mean something."""
    source = random.Random(5)
    cases = [random_case(source) for _ in range(_CASES)]
    wanted = [int(host_status(case)) for case in cases]
    assert min(wanted.count(status) for status in (OK, NAN, RANGE, ZEROS)) > _CASES // 20
    assert ask(_CHECK_ALL, [[*case[:4], case[4].hex()] for case in cases], heap_kib=4096) == wanted


_REFUSED = """
from array import array
from tinyseal.gate import Gate
three = array("f", (1, 2, 3))
class Floats(list):
    pass
class Bytes(bytearray):
    pass
"""


@pytest.mark.parametrize(
    "frame",
    [
        "array('f', (1, 2))",
        "array('f', (1, 2, 3, 4))",
        "array('f', (1,) * 12)",
        "array('f')",
        "array('d', (1, 2, 3))",
        "array('d', (0, 0, 0))",
        "array('i', (1, 2, 3))",
        "array('I', (1, 2, 3))",
        "array('h', (1, 2, 3))",
        "array('h', (1,) * 6)",
        "array('H', (1,) * 12)",
        "array('q', (1, 2, 3))",
        "array('O', (1.0, 2.0, 3.0))",
        "array('O', (0.0,) * 3)",
        "array('O', (1,) * 12)",
        "memoryview(array('d', (1, 2, 3)))",
        "memoryview(array('f', (1, 2, 3)))[1:]",
        "bytes(11)",
        "bytes(13)",
        "bytes(3)",
        "bytearray(0)",
        "bytearray(11)",
        "bytearray(3)",
        "memoryview(bytearray(16))[1:13]",
        "memoryview(bytearray(16))[2:14]",
        "memoryview(bytearray(16))[3:15]",
        "memoryview(bytearray(13))",
        "[1.0, 2.0, 3.0]",
        "[1] * 12",
        "Floats((1.0, 2.0, 3.0))",
        "Bytes(12)",
        "(1.0, 2.0, 3.0)",
        "{0: 1.0, 1: 2.0, 2: 3.0}",
        "'abc'",
        "'abcdefghijkl'",
        "None",
        "1.0",
        "12",
        "object()",
        "iter(three)",
    ],
)
def test_anything_else_is_size(frame: str) -> None:
    """Twice, as the second look may come from memory; and a good frame is a good frame afterwards."""
    script = f"""
gate = Gate(3, 0, 0x7F7FFFFF, 3)
frame = {frame}
print(ujson.dumps([gate.check(frame), gate.check(frame), gate.check(three), gate.check(bytearray(12))]))
"""
    assert ask(_REFUSED + script, None) == [SIZE, SIZE, OK, OK]


def test_a_buffer_that_changes_its_size_is_looked_at_again() -> None:
    """Grown, shrunk, and from one accepted length to the other's number of elements."""
    script = """
gate = Gate(4, 0, 0x7F7FFFFF, 4)
found = []
def look(frame, *changes):
    statuses = [gate.check(frame)]
    for change in changes:
        change(frame)
        statuses.append(gate.check(frame))
    found.append(statuses)
def to(n, kind, start=0):
    def change(frame):
        frame[start:] = kind(n)
    return change
floats = lambda n: array("f", bytes(4 * n))
look(floats(4), lambda frame: frame.append(1.0), to(4, floats), to(16, floats), to(4, floats), to(3, floats))
look(bytearray(16), lambda frame: frame.append(1), to(16, bytearray), to(4, bytearray), to(16, bytearray))
chars = lambda n: array("B", bytes(n))
look(chars(16), lambda frame: frame.append(1), to(16, chars), to(4, chars), to(16, chars))
print(ujson.dumps(found))
"""
    assert ask(_REFUSED + script, None) == [
        [OK, SIZE, OK, SIZE, OK, SIZE],
        [OK, SIZE, OK, SIZE, OK],
        [OK, SIZE, OK, SIZE, OK],
    ]
