"""Elementwise operators as the 32-bit machine code that ships, against plain integers written from FORMAT.md."""

import numpy as np
import pytest
from int8_twins import BASE, arena_with, clamp, machine_of, requantise, words

machine = machine_of("kernels_elementwise")


EVERY = np.arange(256)
PAIRS = (np.repeat(EVERY, 256), np.tile(EVERY, 256))  # every a with every b


def run(machine, name, a, b, operands, *, constant=False, in_place=False, more=()):
    """The output for `a` and the repeating `b`, which lies in the arena or, a constant, in the release."""
    rng = np.random.default_rng(7)
    arena = arena_with(rng, 3, a, b.size + a.size)
    b_at, out_at = 3 + a.size, 3 if in_place else 3 + a.size + b.size
    arena[b_at : b_at + b.size] = b.astype(np.uint8).tobytes()
    source = arena
    if constant:
        source, b_at = bytes(BASE) + b.astype(np.uint8).tobytes(), BASE
    before = bytes(arena)
    machine.call(name, arena, source, words(3, b_at, int(constant), a.size, b.size, out_at, *operands), *more)
    assert arena[:out_at] == before[:out_at]
    assert arena[out_at + a.size :] == before[out_at + a.size :]
    return list(arena[out_at : out_at + a.size])


def halves(multiplier):
    return multiplier >> 16, multiplier & 0xFFFF


def sum_twin(o, a, b):
    """TFLM's ADD and SUB: left shift 20, three requantisations."""
    scaled_a = requantise((a - o["a_zero"]) << 20, o["a"][0], 0, o["a"][1])
    scaled_b = requantise((b - o["b_zero"]) << 20, o["b"][0], 0, o["b"][1])
    total = scaled_a - scaled_b if o["subtract"] else scaled_a + scaled_b
    return clamp(requantise(total, o["out"][0], 0, o["out"][1]) + o["zero"], o["low"], o["high"])


def sum_case(rng, subtract):
    """Multipliers as of scales: of the larger 1/2, of the smaller less; that of the sum about 2^-18."""
    other = (int(rng.integers(1 << 30, 1 << 31)), int(rng.choice([0, 1, 2, 5, 12, 31])))
    both = [(1 << 30, 0), other]
    rng.shuffle(both)
    (a, a_right), (b, b_right) = ((int(m), int(r)) for m, r in both)
    out = (int(rng.integers(1 << 30, 1 << 31)), int(rng.integers(16, 22)))
    a_zero, b_zero, zero = (int(v) for v in rng.choice([0, 255, *rng.integers(0, 256, 3)], 3))
    found = {"a": (a, a_right), "b": (b, b_right), "out": out, "a_zero": a_zero, "b_zero": b_zero, "zero": zero}
    return found | {"subtract": subtract, "low": int(rng.integers(0, 60)), "high": int(rng.integers(200, 256))}


def sum_operands(o):
    parts = [o["a_zero"], *halves(o["a"][0]), o["a"][1], o["b_zero"], *halves(o["b"][0]), o["b"][1], o["subtract"]]
    return [*parts, *halves(o["out"][0]), o["out"][1], o["zero"], o["low"], o["high"]]


@pytest.mark.parametrize("subtract", [0, 1])
@pytest.mark.parametrize("seed", range(4))
def test_add(machine, seed, subtract):
    rng = np.random.default_rng([seed, subtract])
    for _ in range(10):
        o = sum_case(rng, subtract)
        a = np.concatenate([rng.integers(0, 256, 180), [0, 255, 0, 255]])
        b = np.concatenate([rng.integers(0, 256, 180), [0, 255, 255, 0]])
        expected = [sum_twin(o, int(x), int(y)) for x, y in zip(a, b, strict=True)]
        assert run(machine, "add", a, b, sum_operands(o)) == expected
        assert run(machine, "add", a, b, sum_operands(o), in_place=True) == expected


@pytest.mark.parametrize("subtract", [0, 1])
def test_add_at_its_bounds(machine, subtract):
    """The greatest multipliers that pass the board's checks, and the greatest differences: sums next to 2^29."""
    top = ((1 << 31) - 1, 0)
    for a_zero, b_zero in ((0, 255), (255, 0), (0, 0), (255, 255)):
        for out in ((1 << 30, 21), ((1 << 31) - 1, 22), ((1 << 30) + 1, 31)):
            o = {"a": top, "b": top, "out": out, "a_zero": a_zero, "b_zero": b_zero, "zero": 128, "low": 0, "high": 255}
            o["subtract"] = subtract
            a, b = np.repeat([0, 1, 254, 255], 4), np.tile([0, 1, 254, 255], 4)
            expected = [sum_twin(o, int(x), int(y)) for x, y in zip(a, b, strict=True)]
            assert run(machine, "add", a, b, sum_operands(o)) == expected


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
        operands = (a_zero, b_zero, *halves(q), left, right, zero, low, high)
        assert run(machine, "mul", a[kept], b[kept], operands) == expected


@pytest.mark.parametrize(("greatest", "twin"), [(0, np.minimum), (1, np.maximum)])
def test_minimum_and_maximum(machine, greatest, twin):
    assert run(machine, "extreme", *PAIRS, (), more=(greatest,)) == twin(*PAIRS).tolist()


@pytest.mark.parametrize("constant", [False, True])
@pytest.mark.parametrize("period", [1, 3, 12])
def test_b_repeats(machine, period, constant):
    rng = np.random.default_rng(period)
    a, b = rng.integers(0, 256, 12), rng.integers(0, 256, period)
    whole = np.tile(b, 12 // period)
    o = sum_case(rng, 0)
    expected = [sum_twin(o, int(x), int(y)) for x, y in zip(a, whole, strict=True)]
    assert run(machine, "add", a, b, sum_operands(o), constant=constant) == expected
    operands = (1, 2, *halves(1 << 30), 0, 6, 100, 0, 255)
    expected = [clamp(requantise(int(v), 1 << 30, 0, 6) + 100, 0, 255) for v in (a - 1) * (whole - 2)]
    assert run(machine, "mul", a, b, operands, constant=constant, in_place=True) == expected
    for greatest, twin in enumerate((np.minimum, np.maximum)):
        found = run(machine, "extreme", a, b, (), constant=constant, more=(greatest,))
        assert found == twin(a, whole).tolist()


@pytest.mark.parametrize("out_at", [3, 259])
def test_map(machine, out_at):
    rng = np.random.default_rng(1)
    table = rng.integers(0, 256, 256).astype(np.uint8)
    arena = arena_with(rng, 3, EVERY, 256)
    before = bytes(arena)
    machine.call("map_bytes", arena, arena, words(3, 256, out_at, BASE), bytes(BASE) + table.tobytes())
    assert arena[out_at : out_at + 256] == table.tobytes()
    assert arena[:out_at] + arena[out_at + 256 :] == before[:out_at] + before[out_at + 256 :]
