"""What the gate allocates: proven with the heap locked, and by the heap's own count, as exceptions need no heap."""

import numpy as np
import pytest
from gate_cases import Case, Limits, fixed_point
from vm import run

_ALL_CHECKS = 31


def _setup(case: Case) -> str:
    return f"section = bytearray(bytes.fromhex({case.section().hex()!r}))\n" + _SCRIPT


_SCRIPT = """
import gc, micropython
from array import array
from tinyseal.contract import Contract
from tinyseal.gate import Gate

gate = Gate(Contract(section, 0, len(section)))
floats = lambda value=1.0: array("f", [value] * 64)
chars = lambda: array("B", bytes(256))

def allocated(frames):
    # -> the statuses, and the bytes allocated by a round over all frames: heap locked, and not
    statuses = bytearray(len(frames))
    check = gate.check
    micropython.heap_lock()
    try:
        before = gc.mem_alloc()
        at = 0
        for frame in frames:
            statuses[at] = check(frame)
            at += 1
        locked = gc.mem_alloc() - before
    finally:
        micropython.heap_unlock()
    before = gc.mem_alloc()
    for frame in frames:
        check(frame)
    unlocked = gc.mem_alloc() - before
    return "".join(str(status) for status in statuses), locked, unlocked
"""

_SETUP = _setup(Case("float32", [Limits(-10.0, 10.0)], 64, max_zeros=8))


@pytest.mark.parametrize(
    ("frames", "statuses"),
    [
        pytest.param("floats(), floats()", "00", id="two arrays"),
        pytest.param("floats(), floats(), floats(), floats()", "0000", id="four arrays"),
        pytest.param(
            "chars(), chars(), chars(), chars(), floats(), floats(), floats(), floats()", "44440000", id="eight"
        ),
        pytest.param("memoryview(floats()), floats()", "00", id="a view and an array"),
        pytest.param("memoryview(bytearray(260))[4:], floats()", "40", id="a view of bytes and an array"),
        pytest.param("floats(), floats(20.0), floats(float('nan')), floats(0.0)", "0324", id="every status of a frame"),
        pytest.param("floats(), None, [1.0] * 64, (1.0,) * 64, 'x' * 64, 12, 1.5", "0111111", id="other types"),
        pytest.param("array('f', [1.0] * 63), array('d', [1.0] * 63), bytearray(255)", "111", id="other lengths"),
    ],
)
def test_nothing_for_frames_seen_before(frames: str, statuses: str) -> None:
    script = f"""
frames = [{frames}]
for frame in frames:
    gate.check(frame)
print(*allocated(frames))
"""
    assert run(_SETUP + script) == f"{statuses} 0 0\n"


def test_nothing_for_bytes_never_seen_before() -> None:
    script = """
frames = [bytearray(256) for _ in range(50)] + [bytes(256) for _ in range(49)]
print(*allocated(frames))
"""
    assert run(_SETUP + script) == f"{'4' * 99} 0 0\n"


def test_the_count_would_notice_an_allocation() -> None:
    """The measure itself: a fifth array makes the gate forget, and asks for a few small objects at every look."""
    script = """
frames = [floats() for _ in range(5)]
for frame in frames:
    gate.check(frame)
free = gc.mem_alloc()
for frame in frames:
    gate.check(frame)
print(0 < gc.mem_alloc() - free < 5 * 512)
"""
    assert run(_SETUP + script) == "True\n"


def test_forget_lets_go() -> None:
    """Of every buffer that the gate has seen: their memory can be used again."""
    script = """
def look():
    for _ in range(4):
        gate.check(floats())
        gate.check(memoryview(bytearray(256)))
look()
gc.collect()
before = gc.mem_alloc()
gate.forget()
gc.collect()
print(before - gc.mem_alloc() >= 7 * 256)
"""
    assert run(_SETUP + script) == "True\n"


@pytest.mark.parametrize(("kind", "code"), [("float32", "f"), ("int16", "h"), ("int8", "b"), ("uint8", "B")])
def test_nothing_by_all_checks_of_all_types(kind: str, code: str) -> None:
    """Frames of three channels and two blocks, that pass, and that fail the last channel's every check in turn."""
    limits = Limits(0, 100, rails=(0, 0), zero=0)
    u_of, shift = fixed_point(kind, limits)
    good = [20 + number % 3 + 10 * (number // 3 % 2) for number in range(3 * 200)]
    column = np.array(good[2::3])
    limits.rails, limits.max_saturated = (0, u_of(100)), 1
    limits.min_movement, limits.max_step = u_of(1), u_of(50)
    q = [u_of(value) >> shift for value in column]
    limits.mean = (sum(q) // 2, 2 * sum(q))
    limits.deviation = (1, 2 * (len(q) * sum(value * value for value in q) - sum(q) ** 2))
    case = Case(kind, [limits] * 3, len(good), max_zeros=9, checks=_ALL_CHECKS)
    script = f"""
good = array({code!r}, {good})
def spoiled(*values):
    frame = good[:]
    for at in range(len(values)):
        frame[3 * at + 2] = values[at]
    return bytes(frame)
frames = [
    good, spoiled(100, 100), spoiled(*[32] * 200), spoiled(90), spoiled(*[5, 6] * 100),
    spoiled(*[60, 61] * 100), spoiled(*[5, 45] * 100), spoiled(101),
    memoryview(good)]
for frame in frames:
    gate.check(frame)
print(*allocated(frames))
"""
    assert run(_setup(case) + script) == "056788930 0 0\n"
