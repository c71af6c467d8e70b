"""What the gate allocates: proven with the heap locked, and by the heap's own count, as exceptions need no heap."""

import pytest
from vm import run

_SETUP = """
import gc, micropython
from array import array
from tinyseal.gate import Gate

gate = Gate(64, 0xC1200000, 0x41200000, 8)  # -10.0 .. 10.0
floats = lambda value=1.0: array("f", [value] * 64)

def allocated(frames):
    # -> statuses as one number, and the bytes allocated by a round over all frames
    micropython.heap_lock()
    try:
        gate_check = gate.check
        before = gc.mem_alloc()
        number = 0
        for frame in frames:
            number = number * 10 + gate_check(frame)
        after = gc.mem_alloc()
    finally:
        micropython.heap_unlock()
    free = gc.mem_alloc()
    for frame in frames:
        gate_check(frame)
    return number, after - before, gc.mem_alloc() - free
"""


@pytest.mark.parametrize(
    ("frames", "statuses"),
    [
        pytest.param("floats(), floats()", 0, id="two arrays"),
        pytest.param("floats(), floats(), floats(), floats()", 0, id="four arrays"),
        pytest.param("memoryview(floats()), floats()", 0, id="a view and an array"),
        pytest.param("memoryview(bytearray(260))[4:], floats()", 40, id="a view of bytes and an array"),
        pytest.param("floats(), floats(20.0), floats(float('nan')), floats(0.0)", 324, id="every status of a frame"),
        pytest.param("floats(), None, [1.0] * 64, (1.0,) * 64, 'x' * 64, 12, 1.5", 111111, id="other types"),
        pytest.param("array('f', [1.0] * 63), array('d', [1.0] * 63), bytearray(255)", 111, id="other lengths"),
    ],
)
def test_nothing_for_frames_seen_before(frames: str, statuses: int) -> None:
    script = f"""
frames = ({frames},)
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
    assert run(_SETUP + script) == f"{'4' * 99} 0 0\n".replace("4" * 99, str(int("4" * 99)))


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
