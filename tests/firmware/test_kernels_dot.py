"""What surrounds the dot products, as the 32-bit machine code that ships, against plain integers from FORMAT.md."""

import struct

import numpy as np
import pytest
from int8_twins import BASE, UNIT_LEN, Layer, arena_with, clamp, machine_of, requantise, units, words

machine = machine_of("kernels_dot")

INVERSES = words(*(pow(2 * x + 1, -1, 1 << 32) for x in range(256)))
ONES = words(*[1] * 256)  # instead of the inverses, for kernels that take plain factors


def test_invert(machine):
    inverse = bytearray(1024)
    machine.call("invert", inverse)
    assert inverse == INVERSES


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("n", [1, 2, 8])
@pytest.mark.parametrize(("pixels", "step"), [(1, 0), (3, 0), (3, 5), (2, 64), (4, 77)])
def test_units(machine, n, pixels, step, plain):
    """n units a pixel; inputs may overlap, and with a step of 0 are the same."""
    at, out_at, length = 3, 8, UNIT_LEN * n * pixels
    rng = np.random.default_rng([n, pixels, step])
    for values in (rng.integers(0, 256, 400), rng.choice([0, 255], 400), np.zeros(400, int), np.full(400, 255)):
        x = arena_with(rng, at, values[: step * (pixels - 1) + 8 * n], 0)
        out = bytearray(rng.integers(0, 256, out_at + length + 8).astype(np.uint8).tobytes())
        before = bytes(out)
        machine.call("units", bytes(x), 0, out, ONES if plain else INVERSES, at, out_at, n, pixels, step)
        expected = b"".join(units(x[at + p * step :][: 8 * n], plain) for p in range(pixels))
        assert out == before[:out_at] + expected + before[out_at + length :]


def test_no_units(machine):
    """A row without pixels on one side of the kernel."""
    out = bytearray(b"\xa5" * 36)
    machine.call("units", bytes(8), 0, out, INVERSES, 0, 0, 1, 0, 0)
    machine.call("units", bytes(8), 0, out, INVERSES, 0, 0, 0, 1, 0)
    assert out == b"\xa5" * 36


def finish(machine, layer, sums, pixels=1):
    """Bytes that `sums` makes of them, u32 [pixels * m], with the numbers of a long table; nothing else changes."""
    at, out_at = 8, 8 + 4 * len(sums)
    arena = bytearray(b"\x5a" * 8) + words(*sums) + bytearray(b"\x5a" * (len(sums) + 3))
    before = bytes(arena)
    job = words(BASE, layer.m, 0, 0, layer.zero, layer.low, layer.high)
    machine.call("sums", arena, 0, bytes(BASE) + layer.numbers(), job, at, out_at, pixels)
    end = out_at + len(sums)
    assert arena[:out_at] == before[:out_at]
    assert arena[end:] == before[end:]
    return list(arena[out_at:end])


def sum_of(layer, x, row):
    """What the dot products of a row come to, without `base`, modulo 2^32."""
    acc = int(((x.astype(np.int64) - layer.zx) * layer.weights[row]).sum()) + layer.bias[row]
    return (2 * acc - layer.base(row)) % (1 << 32)


@pytest.mark.parametrize("extreme", [False, True])
@pytest.mark.parametrize(("k", "m", "pixels"), [(1, 1, 1), (16, 3, 2), (80, 5, 4)])
def test_sums(machine, k, m, pixels, extreme):
    rng = np.random.default_rng([k, m, pixels, extreme])
    for _ in range(4):
        layer = Layer(rng, k, m, extreme)
        inputs = [rng.choice([0, 255], k) if extreme else rng.integers(0, 256, k) for _ in range(pixels)]
        sums = [sum_of(layer, x, row) for x in inputs for row in range(m)]
        assert finish(machine, layer, sums, pixels) == [v for x in inputs for v in layer.output(x)]


class Values:
    """A layer whose accumulators are its biases."""

    low, high, zero = 0, 255, 128

    def __init__(self, values, multiplier, left, right):
        self.m = len(values)
        self._row = (multiplier >> 16, multiplier & 0xFFFF, left, right)
        self._values = values
        self.sums = [0x12345678] * self.m
        self.expected = [clamp(requantise(v, multiplier, left, right) + 128, 0, 255) for v in values]

    def numbers(self):
        return b"".join(words(2 * v - 0x12345678, *self._row) for v in self._values)


@pytest.mark.parametrize(("left", "right"), [(0, right) for right in range(32)] + [(n, 0) for n in (1, 7, 27, 28)])
def test_sums_at_the_edges_of_rounding(machine, left, right):
    """Accumulators that fall on, and next to, every half; and the greatest, 2^29 - 1 behind the left shift."""
    values = [0, 1, -1, 2, -2, 3, -3, (1 << 29) - 1 >> left, -((1 << 29) - 1 >> left)]
    for half in (1, 3, 5):
        values += [sign * half * (1 << right) // 2 + d for sign in (1, -1) for d in (-1, 0, 1) if right < 26]
    for multiplier in (0, 1, 1 << 30, (1 << 30) + 1, (1 << 31) - 1):
        layer = Values([v for v in values if abs(v << left) < 1 << 29], multiplier, left, right)
        assert finish(machine, layer, layer.sums) == layer.expected


@pytest.mark.parametrize("seed", range(8))
def test_patches(machine, seed):
    rng = np.random.default_rng(seed)
    in_h, in_w, c = (int(v) for v in rng.integers(1, 7, 3))
    kernel_h, kernel_w = (int(v) for v in rng.integers(1, 4, 2))
    stride_h, stride_w, dilation_h, dilation_w = (int(v) for v in rng.integers(1, 4, 4))
    top, left = (int(v) for v in rng.integers(0, 3, 2))
    out_h, out_w, pad = int(rng.integers(1, 5)), int(rng.integers(1, 5)), int(rng.integers(0, 256))
    k = kernel_h * kernel_w * c
    image = rng.integers(0, 256, (in_h, in_w, c)).astype(np.uint8)
    out_at = 7 + image.size
    operands = words(
        *(7, in_h, in_w, c, kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, top, left, pad)
    )
    for y, first in np.ndindex(out_h, out_w):
        pixels = int(rng.integers(1, out_w - first + 1))
        arena = arena_with(rng, 7, image.reshape(-1), pixels * k + 5)
        before = bytes(arena)
        machine.call("patches", arena, arena, operands, y, first, pixels, out_at)
        expected = np.full((pixels, kernel_h, kernel_w, c), pad, np.uint8)
        for x, i, j in np.ndindex(pixels, kernel_h, kernel_w):
            iy, ix = y * stride_h + i * dilation_h - top, (first + x) * stride_w + j * dilation_w - left
            if 0 <= iy < in_h and 0 <= ix < in_w:
                expected[x, i, j] = image[iy, ix]
        assert arena == before[:out_at] + expected.tobytes() + before[-5:]


@pytest.mark.parametrize("seed", range(8))
def test_ring_places(machine, seed):
    """FORMAT.md: a ring of reach_h rows of reach_w pixels of c / 8 units, found in the kernel's order."""
    rng = np.random.default_rng(seed)
    kernel_h, kernel_w, dilation_h, dilation_w, tap_units = (int(v) for v in rng.integers(1, 4, 5))
    reach_h, reach_w = (kernel_h - 1) * dilation_h + 1, (kernel_w - 1) * dilation_w + int(rng.integers(1, 5))
    row_len = UNIT_LEN * reach_w * tap_units
    ring = words(
        *(reach_h * row_len, kernel_h, dilation_h * row_len, kernel_w, dilation_w * tap_units * UNIT_LEN),
        tap_units * UNIT_LEN,
    )
    for first in range(reach_h):
        expected = [
            (first + i * dilation_h) % reach_h * row_len + (j * dilation_w * tap_units + unit) * UNIT_LEN
            for i, j, unit in np.ndindex(kernel_h, kernel_w, tap_units)
        ]
        places = bytearray(4 * len(expected) + 4)
        machine.call("ring_places", places, first * row_len, ring)
        assert list(struct.unpack(f"<{len(expected)}I", places[:-4])) == expected
        assert places[-4:] == bytes(4)


@pytest.mark.parametrize("n", [0, 1, 7])
def test_clear(machine, n):
    arena = bytearray(b"\xa5" * 40)
    machine.call("clear", arena, 8, n)
    assert arena == b"\xa5" * 8 + bytes(4 * n) + b"\xa5" * (32 - 4 * n)
