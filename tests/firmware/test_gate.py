"""The gate on the VM: FORMAT.md's order of checks, every kind of buffer, and random frames against exact numbers."""

import random

import numpy as np
import pytest
from gate_cases import Case, Limits, random_case, simple, verdict
from vm import ask

pytestmark = pytest.mark.usefixtures("firmware")

OK, SIZE, NAN, RANGE, ZEROS = range(5)

_CHECK_ALL = """
from array import array
from tinyseal.contract import Contract
from tinyseal.gate import Gate

def copies(frame, code):  # each kind of buffer that holds a frame
    yield array(code, frame)
    yield bytearray(frame)
    yield frame
    if code in "fh":
        yield array("B", frame)
        yield array("b", frame)
    yield memoryview(frame)
    yield memoryview(array(code, frame))
    yield memoryview(b"xxxx" + frame + b"x")[4:-1]
    four = b"xxxx"
    yield memoryview(array(code, four + frame + four))[len(array(code, four)) : -len(array(code, four))]

def check(copy):
    return [gate.check(copy), gate.channel]

answers = []
for section, frame in question:
    section = bytearray(unhex(section))
    gate = Gate(Contract(section, 0, len(section)))
    found = [[check(copy), check(copy)] for copy in copies(unhex(frame), "fhbB"[section[0] - 1])]
    answers.append(found[0][0] if all(f == found[0] and f[0] == f[1] for f in found) else found)
print(ujson.dumps(answers))
"""


def status_of(frame: list[float], low: float, high: float, max_zeros: int) -> int:
    """What the board says of a frame."""
    ((status, _),) = ask(_CHECK_ALL, [simple(frame, low, high, max_zeros).question()])  # type: ignore[misc]
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


_CASES, _BATCH = 2000, 500


def test_says_what_the_document_says() -> None:
    """Random contracts and frames, each in every kind of buffer; every status is among the answers, often enough."""
    source = random.Random(5)
    cases = [random_case(source) for _ in range(_CASES)]
    wanted = [list(verdict(case)) for case in cases]
    found = [status for status, _ in wanted]
    assert min(found.count(status) for status in range(10) if status != SIZE) > _CASES // 50
    assert {channel for _, channel in wanted} == {-1, 0, 1, 2}
    for first in range(0, _CASES, _BATCH):
        batch = [case.question() for case in cases[first : first + _BATCH]]
        assert ask(_CHECK_ALL, batch, heap_kib=8192) == wanted[first : first + _BATCH]


_REFUSED = """
from array import array
from tinyseal.contract import Contract
from tinyseal.gate import Gate
def gate_of(section):
    section = bytearray(unhex(section))
    return Gate(Contract(section, 0, len(section)))
three = array("f", (1, 2, 3))
class Floats(list):
    pass
class Bytes(bytearray):
    pass
"""
_THREE = simple([1.0] * 3, 0, _LARGE, 3)


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
gate = gate_of(question)
frame = {frame}
print(ujson.dumps([gate.check(frame), gate.check(frame), gate.check(three), gate.check(bytearray(12))]))
"""
    assert ask(_REFUSED + script, _THREE.section().hex()) == [SIZE, SIZE, OK, OK]


def test_a_buffer_that_changes_its_size_is_looked_at_again() -> None:
    """Grown, shrunk, and from one accepted length to the other's number of elements."""
    script = """
gate = gate_of(question)
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
    assert ask(_REFUSED + script, simple([1.0] * 4, 0, _LARGE, 4).section().hex()) == [
        [OK, SIZE, OK, SIZE, OK, SIZE],
        [OK, SIZE, OK, SIZE, OK],
        [OK, SIZE, OK, SIZE, OK],
    ]


_RAW_SIZE = {  # by the contract's type, what is no frame of three values
    "int16": [
        "array('H', (1, 2, 3))",
        "array('f', (1, 2, 3))",
        "array('b', (1, 2, 3))",
        "array('i', (1, 2, 3))",
        "array('h', (1, 2))",
        "array('H', (1,) * 6)",
        "array('O', (1, 2, 3))",
        "bytes(5)",
        "bytearray(7)",
        "memoryview(array('f', (1, 2, 3)))",
        "memoryview(array('i', (1, 2, 3)))",
        "memoryview(array('b', (1, 2, 3)))",
        "memoryview(array('O', (1, 2, 3)))",
        "memoryview(bytearray(9))[1:7]",
        "[1, 2, 3]",
    ],
    "int8": [
        "array('B', (1, 2, 3))",
        "array('h', (1, 2, 3))",
        "array('f', (1, 2, 3))",
        "bytes(2)",
        "memoryview(array('h', (1, 2, 3)))",
        "(1, 2, 3)",
    ],
    "uint8": [
        "array('b', (1, 2, 3))",
        "array('H', (1, 2, 3))",
        "bytearray(4)",
        "memoryview(array('H', (1, 2, 3)))",
        "'abc'",
    ],
}


@pytest.mark.parametrize("kind", _RAW_SIZE)
def test_anything_else_is_size_for_raw_integers(kind: str) -> None:
    """And a good frame is a good frame afterwards; a view of bytes may begin anywhere when values are bytes."""
    good = {"int16": "array('h', (1, 2, 3)), memoryview(bytearray(8))[2:]", "int8": "array('b', (1, 2, 3)), b'123'"}
    frames = good.get(kind, "array('B', (1, 2, 3)), memoryview(bytearray(4))[1:]")
    case = Case(kind, [Limits(0, 100, 0.5, 0.0, 0)], 3, max_zeros=3)
    script = f"""
gate = gate_of(question)
frames = [{", ".join(_RAW_SIZE[kind])}]
print(ujson.dumps([[gate.check(frame), gate.check(frame), gate.channel] for frame in frames]
    + [gate.check(frame) for frame in ({frames})]))
"""
    refused = [[SIZE, SIZE, -1]] * len(_RAW_SIZE[kind])
    assert ask(_REFUSED + script, case.section().hex()) == [*refused, OK, OK]
