"""The leaf of FILL and COPY as the code that ships, the plain one too, against plain loops."""

import numpy as np
import pytest
from int8_twins import machine_of, words

machine = machine_of("steps_copy")


def copy(machine, arena, at, out_at, size, turns, in_strides, out_strides):
    """COPY's loops, outermost first as FORMAT.md has them, as the leaf takes them."""
    loops, backs = [], [size, size]
    for n, *strides in reversed(list(zip(turns, in_strides, out_strides, strict=True))):
        loops += [n, n, *(stride - back for stride, back in zip(strides, backs, strict=True))]
        backs = [back + (n - 1) * stride for stride, back in zip(strides, backs, strict=True)]
    given = words(*loops)
    before = bytes(given)
    machine.call("copy", arena, arena, at, out_at, size, given)
    assert given == before  # ready for the next inference


@pytest.mark.parametrize(("at", "n", "value"), [(0, 1, 255), (3, 5, 0), (7, 9, 128)])
def test_fill(machine, at, n, value):
    """Each byte from the one before it, as FILL goes about it."""
    arena = bytearray(range(16))
    expected = arena[:at] + bytes([value]) * n + arena[at + n :]
    arena[at] = value
    machine.call("copy", arena, arena, at, at + 1, n - 1, words(*[1, 1, 0, 0] * 4))
    assert arena == expected


@pytest.mark.parametrize("seed", range(30))
def test_copy(machine, seed):
    """Strides of either sign, and of 0, wherever they lead inside the arena."""
    rng = np.random.default_rng(seed)
    size, turns = int(rng.integers(1, 4)), [int(v) for v in rng.integers(1, 4, 4)]
    strides = [[int(v) for v in rng.integers(-9, 10, 4)] for _ in range(2)]
    half, places = 200, []
    for base, steps in zip((0, half), strides, strict=True):
        ends = [(n - 1) * stride for n, stride in zip(turns, steps, strict=True)]
        places.append(base + 100 - (sum(ends) + size) // 2)
    arena = bytearray(rng.integers(0, 256, 2 * half).astype(np.uint8).tobytes())
    expected = bytearray(arena)
    for index in np.ndindex(*turns):
        from_at, to_at = (
            at + sum(i * stride for i, stride in zip(index, steps, strict=True))
            for at, steps in zip(places, strides, strict=True)
        )
        expected[to_at : to_at + size] = expected[from_at : from_at + size]
    copy(machine, arena, *places, size, turns, *strides)
    assert arena == expected


def test_copy_transposes(machine):
    image = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    arena = bytearray(image.tobytes()) + bytearray(24)
    copy(machine, arena, 0, 24, 1, (1, 4, 3, 2), (0, 1, 4, 12), (0, 6, 2, 1))
    assert arena[24:] == image.transpose(2, 1, 0).tobytes()


@pytest.mark.parametrize("sign", [1, -1])
def test_copy_far(machine, sign):
    """Strides that no 16 bits hold, one way in the input and the other in the output, from end to end of the arena."""
    turns, stride = (1, 1, 2, 2), (0, 0, 5, 65537)
    length = 65537 + 5 + 1
    arena = bytearray(np.random.default_rng(1).integers(0, 256, 2 * length).astype(np.uint8).tobytes())
    expected = bytearray(arena)
    start, other = (0, 2 * length - 1) if sign > 0 else (length - 1, length)
    for i, j in np.ndindex(2, 2):
        move = sign * (5 * i + 65537 * j)
        expected[other - move] = expected[start + move]
    copy(machine, arena, start, other, 1, turns, [sign * s for s in stride], [-sign * s for s in stride])
    assert arena == expected
