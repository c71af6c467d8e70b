"""The kernels as the 32-bit machine code that ships, against plain integers written from FORMAT.md and gemmlowp."""

import struct
from pathlib import Path

import numpy as np
import pytest
from emulation import ARCHITECTURES, compile_source
from tinyseal_host.model.softmax import softmax_exponentials
from tinyseal_host.model.tables import exponential_table, quantise_table

KERNELS = Path(__file__).parents[2] / "firmware" / "tinyseal" / "kernels.py"
BASE = 64  # tables do not start where the release does


@pytest.fixture(scope="module", params=ARCHITECTURES)
def machine(request):
    return compile_source(KERNELS, request.param)


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


@pytest.mark.parametrize(
    ("k", "m", "pixels", "step"), [(1, 1, 1, 1), (3, 5, 4, 2), (8, 3, 2, 8), (37, 4, 3, 41), (80, 6, 2, 32)]
)
@pytest.mark.parametrize("extreme", [False, True])
def test_rows(machine, k, m, pixels, step, extreme):
    rng = np.random.default_rng([k, m, extreme])
    for _ in range(4):
        layer = Layer(rng, k, m, extreme)
        in_at, out_at = 5, 5 + (pixels - 1) * step + k
        arena = bytearray(rng.integers(0, 256, out_at + pixels * m).astype(np.uint8).tobytes())
        if extreme:
            arena[in_at:out_at] = bytes(rng.choice([0, 255], out_at - in_at).astype(np.uint8))
        before = np.frombuffer(bytes(arena), np.uint8)
        expected = [v for p in range(pixels) for v in layer.output(before[in_at + p * step :][:k])]
        machine.call("rows", layer.release(), arena, 0, layer.operands(), in_at, step, pixels, out_at)
        assert list(arena[out_at:]) == expected
        assert arena[:out_at] == before[:out_at].tobytes()


@pytest.mark.parametrize("value", [0, 255])
@pytest.mark.parametrize("weight", [-127, 127])
def test_rows_at_the_longest_row(machine, value, weight):
    """k = 16384, every product at its bound: the sums are what comes nearest to 2^31."""
    layer = Layer(np.random.default_rng(1), 8, 1)
    layer.k, layer.m, layer.weights = 16384, 1, np.full((1, 16384), weight)
    layer.zx, layer.bias = 128, [0]
    layer.shifts, layer.multipliers = [(0, 21)], [1 << 30]
    arena = bytearray([value]) * 16384 + bytearray(1)
    machine.call("rows", layer.release(), arena, 0, layer.operands(), 0, 16384, 1, 16384)
    assert arena[-1] == layer.output(np.full(16384, value))[0]


@pytest.mark.parametrize(("left", "right"), [(0, 0), (1, 0), (7, 0), (28, 0), (0, 1), (0, 5), (0, 30), (0, 31)])
def test_rows_at_the_edges_of_rounding(machine, left, right):
    """Accumulators that fall on, and next to, every half: one weight of 1, the bias carries the value."""
    values = [0, 1, -1, 2, -2, 3, -3, (1 << 29) - 1 >> left, -((1 << 29) - 1) >> left]
    values += [sign * (1 << right) // 2 + d for sign in (1, -1) for d in (-1, 0, 1) if right < 28]
    for multiplier in (1 << 30, (1 << 30) + 1, (1 << 31) - 1):
        rows = [bytes([129, 0, 0, 0]) + words(v, multiplier >> 16, multiplier & 0xFFFF, left, right) for v in values]
        arena = bytearray(1 + len(values))
        operands = words(1, BASE, len(values), 0, 128, 0, 255)
        machine.call("rows", bytes(BASE) + b"".join(rows), arena, 0, operands, 0, 1, 1, 1)
        assert list(arena[1:]) == [clamp(requantise(v, multiplier, left, right) + 128, 0, 255) for v in values]


@pytest.mark.parametrize("seed", range(6))
def test_patches(machine, seed):
    rng = np.random.default_rng(seed)
    in_h, in_w, c = (int(v) for v in rng.integers(1, 7, 3))
    kernel_h, kernel_w = (int(v) for v in rng.integers(1, 4, 2))
    stride_h, stride_w, dilation_h, dilation_w = (int(v) for v in rng.integers(1, 4, 4))
    top, left = (int(v) for v in rng.integers(0, 3, 2))
    out_h, out_w, pad = int(rng.integers(1, 5)), int(rng.integers(1, 5)), int(rng.integers(0, 256))
    k = kernel_h * kernel_w * c
    image = rng.integers(0, 256, (in_h, in_w, c)).astype(np.uint8)
    scratch_at = 7 + image.size
    operands = words(
        *(7, in_h, in_w, c, kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, top, left, pad),
        *(scratch_at, out_h, out_w, k, 0, 1, 0, 0, 0, 0),
    )
    for y in range(out_h):
        arena = bytearray(7) + bytearray(image.tobytes()) + bytearray(out_w * k)
        machine.call("patches", operands, arena, y)
        expected = np.full((out_w, kernel_h, kernel_w, c), pad, np.uint8)
        for x in range(out_w):
            for i in range(kernel_h):
                for j in range(kernel_w):
                    iy, ix = y * stride_h + i * dilation_h - top, x * stride_w + j * dilation_w - left
                    if 0 <= iy < in_h and 0 <= ix < in_w:
                        expected[x, i, j] = image[iy, ix]
        assert arena[scratch_at:] == expected.tobytes()


@pytest.mark.parametrize("seed", range(4))
def test_mean(machine, seed):
    rng = np.random.default_rng(seed)
    pixels, c = int(rng.integers(1, 50)), int(rng.integers(1, 9))
    x = rng.integers(0, 256, (pixels, c)).astype(np.uint8)
    bias = -int(rng.integers(0, 256)) * pixels
    q, (left, right) = int(rng.integers(1 << 30, 1 << 31)), [(3, 0), (0, 6), (0, 0), (0, 31)][seed]
    zero, low, high = int(rng.integers(0, 256)), 3, 250
    arena = bytearray(4) + bytearray(x.tobytes()) + bytearray(c)
    operands = words(4, pixels, c, 4 + x.size, bias, q >> 16, q & 0xFFFF, left, right, zero, low, high)
    machine.call("mean", operands, arena)
    sums = x.astype(int).sum(axis=0) + bias
    assert list(arena[4 + x.size :]) == [clamp(requantise(int(s), q, left, right) + zero, low, high) for s in sums]


FLOATS = [
    0x00000000,
    0x80000000,
    0x00000001,
    0x80000001,
    0x007FFFFF,
    0x00800000,
    0x7F7FFFFF,
    0xFF7FFFFF,
    0x7F800000,
    0xFF800000,
]


@pytest.mark.parametrize(
    ("scale", "zero_point"), [(0.1, 0), (1.0, -128), (3.1e-5, 127), (0.2458, -15), (1e-30, 5), (7e20, -3)]
)
def test_quantise(machine, scale, zero_point):
    """The oracle: x / scale in float32, rounded half away from zero, + zero point, clamped: TFLM's QUANTIZE."""
    scale = float(np.float32(scale))
    rng = np.random.default_rng(3)
    bits = [*FLOATS, *(int(v) for v in rng.integers(0, 1 << 32, 800))]
    near = np.float32(scale) * (np.arange(-300, 300).astype(np.float32) / np.float32(2))
    for offset in (-1, 0, 1):  # on, and one float beside, every half step
        bits += [int(v) + offset & 0xFFFFFFFF for v in near.view(np.uint32)]
    x = np.array(bits, np.uint32).view(np.float32)
    x = x[~np.isnan(x)]
    with np.errstate(over="ignore"):
        quotient = (x / np.float32(scale)).astype(np.float64)
    rounded = np.where(quotient < 0, np.ceil(quotient - 0.5), np.floor(quotient + 0.5))
    expected = np.clip(rounded + zero_point, -128, 127).astype(int) + 128
    out = bytearray(len(x))
    machine.call("quantise", x.astype("<f4").tobytes(), 0, 0, out, len(x), quantise_table(scale, zero_point))
    assert list(out) == expected.tolist()


def one_over_one_plus_x(a):
    """gemmlowp's one_over_one_plus_x_for_x_in_0_1 for a in Q0.31, Q0.31: Newton's method in Q2.29."""
    half_denominator = a + ((1 << 31) - 1) + 1 >> 1  # RoundingHalfSum with one
    x = 1515870810 + srdhm(half_denominator, -1010580540)
    for _ in range(3):
        one_minus = (1 << 29) - srdhm(half_denominator, x)
        x += clamp(srdhm(x, one_minus) << 2, -(1 << 31), (1 << 31) - 1)
    return clamp(x << 1, -(1 << 31), (1 << 31) - 1)


def softmax(x, exp):
    """TensorFlow Lite's reference softmax on int8, from a table of exp in Q0.31; biased bytes in and out."""
    top = int(max(x))
    e = [exp[top - int(v)] for v in x]
    total = sum(v + (1 << 11) >> 12 for v in e)
    headroom = 32 - total.bit_length()
    shifted = (total << headroom) - (1 << 31)
    scale = one_over_one_plus_x(shifted)
    shift = (12 - headroom) + 31 - 8
    out = []
    for v in e:
        product = srdhm(scale, v)
        out.append(clamp(product + (1 << shift - 1) >> shift, 0, 255))
    return out


@pytest.mark.parametrize("beta_scale", [0.0039, 0.08, 0.5, 3.0])
@pytest.mark.parametrize("depth", [1, 2, 4, 10, 255])
def test_softmax(machine, beta_scale, depth):
    rng = np.random.default_rng(depth)
    table = exponential_table(softmax_exponentials(beta_scale, 1.0))
    exp = struct.unpack("<256i", table)
    cases = [rng.integers(0, 256, depth), np.full(depth, 255), np.zeros(depth, int), rng.choice([0, 255], depth)]
    for x in cases:
        in_at, out_at = 8, 8 + depth
        arena = bytearray(8) + bytearray(bytes(int(v) for v in x)) + bytearray(depth)
        top = machine.call("softmax_sum", arena, in_at, depth, table, 0)
        machine.call("softmax_reciprocal", arena, 0)
        machine.call("softmax_scale", arena, in_at, depth, table, 0, top, out_at)
        assert list(arena[out_at:]) == softmax(x, exp)


def test_finish(machine):
    x = bytes([3, 200, 7, 200, 0, 255, 255, 128])
    out = bytearray(8)
    assert machine.call("finish", x, 8, out) == 5
    assert np.frombuffer(bytes(out), np.int8).tolist() == [v - 128 for v in x]
