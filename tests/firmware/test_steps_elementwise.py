"""Elementwise operators as the code that ships, the plain one too, against plain integers written from FORMAT.md."""

import numpy as np
import pytest
from int8_twins import BASE, arena_with, clamp, machine_of, requantise, words

machine = machine_of("steps_elementwise")


EVERY = np.arange(256)
PAIRS = (np.repeat(EVERY, 256), np.tile(EVERY, 256))  # every a with every b


MINIMUM, MAXIMUM, ADD, MUL = range(4)


def run(machine, kind, a, b, operands=(), *, tables=b"", constant=False, in_place=False):
    """The output for `a` and the repeating `b`, which lies in the arena or, a constant, in the release."""
    rng = np.random.default_rng(7)
    arena = arena_with(rng, 3, a, b.size + a.size)
    release = bytes(BASE) + tables + b.astype(np.uint8).tobytes()
    b_at, out_at = 3 + a.size, 3 if in_place else 3 + a.size + b.size
    arena[b_at : b_at + b.size] = b.astype(np.uint8).tobytes()
    source = arena
    if constant:
        source, b_at = release, BASE + len(tables)
    before = bytes(arena)
    step = words(3, b_at, int(constant), a.size, b.size, out_at, *operands)
    machine.call("combine", 0, 0, arena, source, release, step, kind)
    assert arena[:out_at] == before[:out_at]
    assert arena[out_at + a.size :] == before[out_at + a.size :]
    return list(arena[out_at : out_at + a.size])


def halves(multiplier):
    return multiplier >> 16, multiplier & 0xFFFF


def sum_case(rng, more=None):
    """Operands and tables of an ADD: random entries with sums up to 2^29, or 2^30 where they are only shifted.

    `more`: how many bits the sums have more than a product would, or None for sums that are multiplied.
    """
    size = 1 << 28 if more is None else 1 << 29
    tables = rng.integers(-size + 1, size, (2, 256))
    tables[:, [0, 255]] = [[size - 1, 1 - size]] * 2
    zero, low, high = int(rng.integers(0, 256)), int(rng.integers(0, 60)), int(rng.integers(200, 256))
    right = int(rng.integers(16, 31)) if more is None else int(rng.integers(max(more + 1, 20), 31))
    q = int(rng.choice([1 << 30, (1 << 31) - 1, rng.integers(1 << 30, 1 << 31)])) if more is None else 0
    base = (1 << 30) - (0 if more is None else (1 << more) >> 1)
    operands = (BASE, BASE + 1024, base, *halves(q), 1 if more is None else 1 << more, right, zero, low, high)
    return operands, tables, words(*(tables + (1 << 29)).reshape(-1))


def sum_twin(operands, tables, more, a, b):
    """FORMAT.md's ADD; what is only shifted has its product's rounding and then its own."""
    *_, right, zero, low, high = operands
    total = int(tables[0][a] + tables[1][b])
    if more is None:
        return clamp(requantise(total, operands[3] << 16 | operands[4], 0, right) + zero, low, high)
    product = total + (1 << more >> 1) >> more
    half = 1 << right - more >> 1
    return clamp((abs(product) + half >> right - more) * (1 if product >= 0 else -1) + zero, low, high)


@pytest.mark.parametrize("more", [None, 0, 1, 4, 11])
@pytest.mark.parametrize("seed", range(3))
def test_add(machine, seed, more):
    rng = np.random.default_rng([seed, 99 if more is None else more])
    for _ in range(5):
        operands, tables, packed = sum_case(rng, more)
        a = np.concatenate([rng.integers(0, 256, 180), [0, 255, 0, 255]])
        b = np.concatenate([rng.integers(0, 256, 180), [0, 255, 255, 0]])
        expected = [sum_twin(operands, tables, more, x, y) for x, y in zip(a, b, strict=True)]
        assert run(machine, ADD, a, b, operands, tables=packed) == expected
        assert run(machine, ADD, a, b, operands, tables=packed, in_place=True) == expected


@pytest.mark.parametrize("more", [0, 1, 9])
def test_add_at_the_edges_of_rounding(machine, more):
    """Sums that fall on, and next to, every half, of either sign."""
    right = 20
    half = 1 << right - 1
    near = [n * 2 * half + sign * half + d for n in (-2, -1, 0, 1) for sign in (1, -1) for d in (-2, -1, 0, 1, 2)]
    near += [(1 << more >> 1) * sign + d for sign in (1, -1) for d in (-2, -1, 0, 1, 2)]
    tables = np.zeros((2, 256), int)
    tables[0][: len(near)] = near
    packed = words(*(tables + (1 << 29)).reshape(-1))
    operands = (BASE, BASE + 1024, (1 << 30) - ((1 << more) >> 1), 0, 0, 1 << more, right, 128, 0, 255)
    a, b = np.arange(len(near)), np.zeros(len(near), int)
    expected = [sum_twin(operands, tables, more, x, 0) for x in a]
    assert run(machine, ADD, a, b, operands, tables=packed) == expected


@pytest.mark.parametrize("more", [None, 0, 1, 11])
def test_add_at_the_bounds(machine, more):
    """Sums of 2^29 - 1 either way, or 2^30 - 1 where they are only shifted, from entries at the ends of their words."""
    bound = (1 << 29) - 1 if more is None else (1 << 30) - 1
    tables = np.zeros((2, 256), int)
    tables[0][:4] = (1 << 29) - 1, 1 - (1 << 29), 0, 1 << 28
    tables[1][:4] = bound - tables[0][0], -bound - tables[0][1], 0, (1 << 28) - 1
    packed = words(*(tables + (1 << 29)).reshape(-1))
    a, b = np.array([0, 1, 2, 3]), np.array([0, 1, 2, 3])
    sums = [int(tables[0][i] + tables[1][i]) for i in range(4)]
    assert (max(sums), min(sums)) == (bound, -bound)
    for right in (22, 30) if more is None else (more + 1, 22, 30):
        for q in (1 << 30, (1 << 31) - 1) if more is None else (0,):
            base = (1 << 30) - (0 if more is None else (1 << more) >> 1)
            operands = (BASE, BASE + 1024, base, *halves(q), 1 if more is None else 1 << more, right, 128, 0, 255)
            expected = [sum_twin(operands, tables, more, x, y) for x, y in zip(a, b, strict=True)]
            assert run(machine, ADD, a, b, operands, tables=packed) == expected


@pytest.mark.parametrize("q", [1 << 30, (1 << 31) - 1])
@pytest.mark.parametrize("left", [0, 13])
def test_mul_at_the_bounds(machine, left, q):
    """The greatest and the least product, which moved up by 13 bits is the greatest below 2^29."""
    a, b = np.array([0, 255, 0, 255]), np.array([0, 255, 255, 0])
    for a_zero, b_zero in ((0, 0), (0, 255), (255, 0), (255, 255)):
        products = [int(v) for v in (a - a_zero) * (b - b_zero)]
        for right in (0,) if left else (0, 1, 8, 31):
            operands = (a_zero, b_zero, left, *halves(q), int(right > 0), right, 128, 0, 255)
            expected = [clamp(requantise(v, q, left, right) + 128, 0, 255) for v in products]
            assert run(machine, MUL, a, b, operands) == expected


@pytest.mark.parametrize(("left", "right"), [(0, 0), (0, 8), (3, 0), (0, 31), (13, 0)])
def test_mul(machine, left, right):
    rng = np.random.default_rng([left, right])
    a, b = PAIRS[0][::13], PAIRS[1][::13]
    for a_zero, b_zero in ((0, 0), (255, 0), (128, 131)):
        q, zero, low, high = int(rng.integers(1 << 30, 1 << 31)), int(rng.integers(0, 256)), 9, 251
        products = [int(v) for v in (a - a_zero) * (b - b_zero)]
        products = [v if abs(v << left) < 1 << 29 else None for v in products]  # what the compiler sees to
        kept = np.array([v is not None for v in products])
        expected = [clamp(requantise(v, q, left, right) + zero, low, high) for v in products if v is not None]
        operands = (a_zero, b_zero, left, *halves(q), int(right > 0), right, zero, low, high)
        assert run(machine, MUL, a[kept], b[kept], operands) == expected


@pytest.mark.parametrize(("kind", "twin"), [(MINIMUM, np.minimum), (MAXIMUM, np.maximum)])
def test_minimum_and_maximum(machine, kind, twin):
    assert run(machine, kind, *PAIRS) == twin(*PAIRS).tolist()


@pytest.mark.parametrize("constant", [False, True])
@pytest.mark.parametrize("period", [1, 3, 12])
def test_b_repeats(machine, period, constant):
    rng = np.random.default_rng(period)
    a, b = rng.integers(0, 256, 12), rng.integers(0, 256, period)
    whole = np.tile(b, 12 // period)
    operands, tables, packed = sum_case(rng)
    expected = [sum_twin(operands, tables, None, x, y) for x, y in zip(a, whole, strict=True)]
    assert run(machine, ADD, a, b, operands, tables=packed, constant=constant) == expected
    operands = (1, 2, 0, *halves(1 << 30), 1, 6, 100, 0, 255)
    expected = [clamp(requantise(int(v), 1 << 30, 0, 6) + 100, 0, 255) for v in (a - 1) * (whole - 2)]
    assert run(machine, MUL, a, b, operands, constant=constant, in_place=True) == expected
    for kind, twin in ((MINIMUM, np.minimum), (MAXIMUM, np.maximum)):
        assert run(machine, kind, a, b, constant=constant) == twin(a, whole).tolist()


@pytest.mark.parametrize("out_at", [3, 259])
def test_map(machine, out_at):
    rng = np.random.default_rng(1)
    table = rng.integers(0, 256, 256).astype(np.uint8)
    arena = arena_with(rng, 3, EVERY, 256)
    before = bytes(arena)
    machine.call("map_bytes", arena, arena, words(3, 256, out_at, BASE), bytes(BASE) + table.tobytes())
    assert arena[out_at : out_at + 256] == table.tobytes()
    assert arena[:out_at] + arena[out_at + 256 :] == before[:out_at] + before[out_at + 256 :]
