"""Sums to bytes as the 32-bit machine code that ships, against gemmlowp's arithmetic in plain integers."""

import numpy as np
import pytest
from int8_twins import BASE, clamp, machine_of, requantise, words

machine = machine_of("kernels")


def run(machine, sums, records, limits, *, twice=0):
    """The bytes of `sums`, each behind the one before it; what lies around them must not change."""
    zero, low, high = limits
    release = bytes(BASE) + b"".join(words(base, q >> 16, q & 0xFFFF, left, right) for base, q, left, right in records)
    out_at = 8 + 4 * len(sums) + 3
    arena = bytearray(b"\xa5" * 8) + words(*sums) + bytearray(b"\xa5" * (3 + len(sums) + 5))
    before = bytes(arena)
    job = words(BASE, len(records), twice, 0, zero, low, high)
    machine.call("requantise", 0, 0, arena, release, job, 8, out_at, len(sums))
    end = out_at + len(sums)
    assert arena[:out_at] == before[:out_at]
    assert arena[end:] == before[end:]
    return list(arena[out_at:end])


@pytest.mark.parametrize("twice", [0, 1])
@pytest.mark.parametrize("seed", range(6))
def test_rows_have_their_own_multipliers(machine, seed, twice):
    """Three pixels of m rows: the records begin again with each; |accumulator * 2^left| up to 2^29."""
    rng = np.random.default_rng([seed, twice])
    m = int(rng.integers(1, 7))
    records, sums, expected = [], [], []
    zero, low, high = int(rng.integers(0, 256)), int(rng.integers(0, 100)), int(rng.integers(100, 256))
    for _ in range(m):
        left = int(rng.integers(0, 29)) if rng.random() < 0.5 else 0
        q = int(rng.choice([0, 1 << 30, (1 << 31) - 1, rng.integers(1 << 30, 1 << 31)]))
        records.append((int(rng.integers(-(1 << 31), 1 << 31)), q, left, 0 if left else int(rng.integers(0, 32))))
    for index in range(3 * m):
        base, q, left, right = records[index % m]
        bound = ((1 << 29) - 1) >> left
        acc = int(rng.integers(-bound, bound + 1))
        sums.append((acc << twice) - base)
        expected.append(clamp(requantise(acc, q, left, right) + zero, low, high))
    assert run(machine, sums, records, (zero, low, high), twice=twice) == expected


@pytest.mark.parametrize("twice", [0, 1])
@pytest.mark.parametrize(("left", "right"), [(0, 0), (1, 0), (7, 0), (28, 0), (0, 1), (0, 5), (0, 30), (0, 31)])
def test_the_edges_of_rounding(machine, left, right, twice):
    """Accumulators that fall on, and next to, every half."""
    values = [0, 1, -1, 2, -2, 3, -3, (1 << 29) - 1 >> left, -((1 << 29) - 1) >> left]
    values += [sign * (1 << right) // 2 + d for sign in (1, -1) for d in (-1, 0, 1) if right < 28]
    for q in (1 << 30, (1 << 30) + 1, (1 << 31) - 1):
        expected = [clamp(requantise(v, q, left, right) + 128, 0, 255) for v in values]
        sums = [v << twice for v in values]
        assert run(machine, sums, [(0, q, left, right)], (128, 0, 255), twice=twice) == expected
