"""DEPTHWISE as the 32-bit machine code that ships, against plain integers written from FORMAT.md."""

import numpy as np
import pytest
from int8_twins import BASE, Layer, arena_with, machine_of, words

machine = machine_of("kernels_depthwise")


@pytest.mark.parametrize("extreme", [False, True])
@pytest.mark.parametrize("seed", range(12))
def test_depthwise(machine, seed, extreme):
    rng = np.random.default_rng([seed, extreme])
    in_h, in_w = (int(v) for v in rng.integers(1, 8, 2))
    c, multiplier, kernel_h, kernel_w, out_h, out_w = (int(v) for v in rng.integers(1, 5, 6))
    stride_h, stride_w, dilation_h, dilation_w = (int(v) for v in rng.integers(1, 4, 4))
    top, left = (int(v) for v in rng.integers(0, 4, 2))
    layer = Layer(rng, kernel_h * kernel_w, c * multiplier, extreme)
    image = rng.integers(0, 256, (in_h, in_w, c)) if not extreme else rng.choice([0, 255], (in_h, in_w, c))
    out_at = 5 + image.size
    operands = words(
        *(5, in_h, in_w, c, kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, top, left, layer.zx),
        *(multiplier, out_h, out_w, layer.k, BASE, layer.m, out_at, layer.zero, layer.low, layer.high),
    )
    expected = []
    for y, x in np.ndindex(out_h, out_w):
        taps = np.full((kernel_h * kernel_w, c), layer.zx)
        for tap, (i, j) in enumerate(np.ndindex(kernel_h, kernel_w)):
            iy, ix = y * stride_h + i * dilation_h - top, x * stride_w + j * dilation_w - left
            if 0 <= iy < in_h and 0 <= ix < in_w:
                taps[tap] = image[iy, ix]
        expected += [layer.output(taps[:, row // multiplier])[row] for row in range(layer.m)]
    arena = arena_with(rng, 5, image, len(expected))
    before = bytes(arena)
    for y in range(out_h):
        machine.call("depthwise", arena, arena, 0, layer.release(), operands, y)
    assert list(arena[out_at:]) == expected
    assert arena[:out_at] == before[:out_at]


@pytest.mark.parametrize("value", [0, 255])
@pytest.mark.parametrize("weight", [-127, 127])
def test_depthwise_with_the_largest_kernel(machine, value, weight):
    layer = Layer(np.random.default_rng(1), 8, 1)
    layer.k, layer.weights = 16384, np.full((1, 16384), weight)
    layer.zx, layer.bias = 128, [0]
    layer.shifts, layer.multipliers = [(0, 21)], [1 << 30]
    operands = words(
        0, 128, 128, 1, 128, 128, 1, 1, 1, 1, 0, 0, 128, 1, 1, 1, 16384, BASE, 1, 16384, layer.zero, 0, 255
    )
    layer.low, layer.high = 0, 255
    arena = bytearray([value]) * 16384 + bytearray(1)
    machine.call("depthwise", arena, arena, 0, layer.release(), operands, 0)
    assert arena[-1] == layer.output(np.full(16384, value))[0]
