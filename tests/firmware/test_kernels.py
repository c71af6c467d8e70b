"""The kernels of rows, patches and edges as the 32-bit machine code that ships, against plain integers."""

import numpy as np
import pytest
from int8_twins import BASE, Layer, clamp, machine_of, requantise, words
from tinyseal_host.model.tables import quantise_table

machine = machine_of("kernels")


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


def test_finish(machine):
    x = bytes([3, 200, 7, 200, 0, 255, 255, 128])
    out = bytearray(8)
    assert machine.call("finish", x, 8, out) == 5
    assert np.frombuffer(bytes(out), np.int8).tolist() == [v - 128 for v in x]
