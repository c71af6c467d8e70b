"""The engine's arithmetic in plain integers, from FORMAT.md and gemmlowp, and the kernels to hold against it."""

import contextlib
import struct
from pathlib import Path

import numpy as np
import pytest
from emulation import ARCHITECTURES, compile_source
from plain_kernels import PlainMachine

FIRMWARE = Path(__file__).parents[1] / "firmware" / "tinyseal"
BASE = 64  # tables do not start where the release does


def machine_of(module):
    """A fixture: the kernels of a firmware module, viper's on each 32-bit architecture and the plain ones on the VM."""

    @pytest.fixture(scope="module", params=(*ARCHITECTURES, "plain"))
    def machine(request):
        if request.param != "plain":
            yield compile_source(FIRMWARE / f"{module}.py", request.param)
            return
        with contextlib.closing(PlainMachine(module)) as plain:
            yield plain

    return machine


def arena_with(rng, at, values, room):
    """Rubbish with `values` (biased bytes) at offset `at`, and `room` bytes behind them."""
    arena = bytearray(rng.integers(0, 256, at + values.size + room).astype(np.uint8).tobytes())
    arena[at : at + values.size] = values.astype(np.uint8).tobytes()
    return arena


def words(*values):
    return bytearray(struct.pack(f"<{len(values)}I", *(v & 0xFFFFFFFF for v in values)))


def srdhm(a, b):
    """gemmlowp's SaturatingRoundingDoublingHighMul: nudge by 2^30 or 1 - 2^30, divide by 2^31 towards zero."""
    if a == b == -(1 << 31):
        return (1 << 31) - 1
    product = a * b
    nudged = product + ((1 << 30) if product >= 0 else 1 - (1 << 30))
    return abs(nudged) // (1 << 31) * (1 if nudged >= 0 else -1)


def requantise(acc, multiplier, left, right):
    """MultiplyByQuantizedMultiplier: SRDHM, then a division by 2^right rounded half away from zero."""
    t = srdhm(acc << left, multiplier)
    half = (1 << right) >> 1
    return (abs(t) + half >> right) * (1 if t >= 0 else -1)


def clamp(value, low, high):
    return min(max(value, low), high)


class Layer:
    """A random rows table and what it must give; |acc * 2^left| stays below 2^29, as the compiler sees to."""

    def __init__(self, rng, k, m, extreme=False):
        self.k, self.m = k, m
        self.weights = rng.integers(-127, 128, (m, k)) if not extreme else rng.choice([-127, 127], (m, k))
        self.bias = [int(v) for v in rng.integers(-(1 << 20), 1 << 20, m)]
        self.zx = int(rng.integers(0, 256))
        self.zero = int(rng.integers(0, 256))
        self.low, self.high = int(rng.integers(0, 100)), int(rng.integers(100, 256))
        self.shifts, self.multipliers = [], []
        for row in range(m):
            bound = 255 * int(np.abs(self.weights[row]).sum()) + abs(self.bias[row])
            room = 29 - bound.bit_length()
            assert room >= 0
            left = int(rng.integers(0, min(room, 28) + 1)) if rng.random() < 0.5 else 0
            self.shifts.append((left, 0 if left else int(rng.integers(0, 32))))
            self.multipliers.append(int(rng.choice([1 << 30, (1 << 31) - 1, int(rng.integers(1 << 30, 1 << 31))])))

    def table(self):
        """FORMAT.md, "Rows table"."""
        packed = b""
        for row in range(self.m):
            biased = bytes(int(w) + 128 for w in self.weights[row])
            bias = self.bias[row] - self.zx * int(self.weights[row].sum())
            left, right = self.shifts[row]
            q = self.multipliers[row]
            packed += biased + bytes(-self.k % 4) + words(bias, q >> 16, q & 0xFFFF, left, right)
        return packed

    def output(self, x):
        """One input of k biased bytes, in the terms of TensorFlow Lite: sum((x - zero point) * w) + bias."""
        out = []
        for row in range(self.m):
            acc = int(((x.astype(np.int64) - self.zx) * self.weights[row]).sum()) + self.bias[row]
            t = requantise(acc, self.multipliers[row], *self.shifts[row]) + self.zero
            out.append(clamp(t, self.low, self.high))
        return out

    def operands(self, out_at=0):
        """ROWS' operands from k on."""
        return words(self.k, BASE, self.m, out_at, self.zero, self.low, self.high)

    def release(self):
        return bytes(BASE) + self.table()
