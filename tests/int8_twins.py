"""The engine's arithmetic in plain integers, from FORMAT.md and gemmlowp, and the kernels to hold against it."""

import contextlib
import struct

import numpy as np
import pytest
from emulation import ARCHITECTURES, compile_source
from firmware_sources import path_of
from vm_kernels import PlainMachine, VmMachine

KERNELS = (*ARCHITECTURES, "x64", "plain")
BASE = 64  # tables do not start where the release does
WIDTHS = (64, 32, 16)
UNIT_LEN = 36


@contextlib.contextmanager
def opened(module, kernels):
    """The kernels of a firmware module: an architecture's machine code, or "plain"; x64 and plain run on the VM.

    Some calls of Xtensa's are repeated in qemu, where it is installed.
    """
    if kernels in ARCHITECTURES:
        yield compile_source(path_of(module, kernels), kernels, checked=True)
        return
    with contextlib.closing(PlainMachine(module) if kernels == "plain" else VmMachine(module, kernels)) as machine:
        yield machine


def machine_of(module):
    """A fixture: the kernels of a firmware module, viper's on both 32-bit architectures and on a PC, and the plain."""

    @pytest.fixture(scope="module", params=KERNELS)
    def machine(request):
        with opened(module, request.param) as found:
            yield found

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


def padded(k):
    """Bytes of a row of k weights in a dot table."""
    return -(-k // WIDTHS[-1]) * WIDTHS[-1]


def units(x, plain=False):
    """The units of biased bytes, eight at a time: r[k] = (2x[k] + 1) / (2x[k+1] + 1) modulo 2^32, 2x + 1 of the last
    one, and 256 * sum(x). `plain`, as kernels for two pixels take them: every factor is 2x + 1."""
    found = []
    for first in range(0, len(x), 8):
        odd = [2 * int(v) + 1 for v in x[first : first + 8]]
        below = [1] * 8 if plain else [pow(r, -1, 1 << 32) for r in odd[1:]] + [1]
        found += [r * inverse % (1 << 32) for r, inverse in zip(odd, below, strict=True)]
        found.append(256 * int(sum(x[first : first + 8])))
    return words(*found)


def plain_units(x):
    """The units of the plain kernels: eight biased bytes, and 28 that do not matter, zeros here."""
    inputs = bytes(int(v) for v in x)
    return b"".join(inputs[first : first + 8].ljust(UNIT_LEN, b"\0") for first in range(0, len(x), 8))


def twice(x, v):
    """What a block of biased weights v adds to twice the accumulator, without `base`."""
    return int(sum(int(b) * (2 * int(a) + 1) for a, b in zip(x, v, strict=True)) - 256 * int(sum(x)))


class Layer:
    """Random weights, and what they must give; |acc * 2^left| stays below 2^29, as the compiler sees to.

    `short`: so that a short dot table can have them.
    """

    def __init__(self, rng, k, m, extreme=False, short=False):
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
            assert room >= (7 if short else 0)
            left = int(rng.integers(0, min(room, 28) + 1)) if rng.random() < 0.5 and not short else 0
            self.shifts.append((left, 0 if left else int(rng.integers(short, 32))))
            self.multipliers.append(int(rng.choice([1 << 30, (1 << 31) - 1, int(rng.integers(1 << 30, 1 << 31))])))

    def biased(self):
        """The weights as a dot table has them, uint8 [m, padded k]."""
        rows = np.full((self.m, padded(self.k)), 128, np.uint8)
        rows[:, : self.k] = self.weights + 128
        return rows

    def base(self, row):
        """FORMAT.md, "Dot table"."""
        weights = int(self.weights[row].sum())
        return 2 * (self.bias[row] - self.zx * weights) - int(self.biased()[row].sum())

    def short_table(self):
        """FORMAT.md, "Dot table", the short form."""
        packed = b""
        for row, v in enumerate(self.biased()):
            right = self.shifts[row][1]
            packed += v.tobytes() + words(self.base(row), self.multipliers[row], 1 << right >> 1, right)
        return packed

    def output(self, x):
        """One input of k biased bytes, in the terms of TensorFlow Lite: sum((x - zero point) * w) + bias."""
        out = []
        for row in range(self.m):
            acc = int(((x.astype(np.int64) - self.zx) * self.weights[row]).sum()) + self.bias[row]
            t = requantise(acc, self.multipliers[row], *self.shifts[row]) + self.zero
            out.append(clamp(t, self.low, self.high))
        return out
