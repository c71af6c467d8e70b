"""The sums of DEPTHWISE as the code that ships, the plain one too, against plain integers written from FORMAT.md."""

import numpy as np
import pytest
from int8_twins import BASE, arena_with, machine_of, words

machine = machine_of("steps_depthwise")


def sums_at(machine, arena, weights, operands, y, x, scratch_at):
    """i32 [m] of one pixel; nothing else in the arena may change."""
    before = bytes(arena)
    release = bytes(BASE) + (weights + 128).astype(np.uint8).tobytes()
    machine.call("depthwise", arena, arena, arena, release, operands, y, x)
    end = scratch_at + 4 * weights.shape[1]
    assert arena[:scratch_at] == before[:scratch_at]
    assert arena[end:] == before[end:]
    return np.frombuffer(bytes(arena[scratch_at:end]), "<i4").tolist()


@pytest.mark.parametrize("extreme", [False, True])
@pytest.mark.parametrize("seed", range(12))
def test_depthwise(machine, seed, extreme):
    rng = np.random.default_rng([seed, extreme])
    in_h, in_w = (int(v) for v in rng.integers(1, 8, 2))
    c, multiplier, kernel_h, kernel_w, out_h, out_w = (int(v) for v in rng.integers(1, 5, 6))
    stride_h, stride_w, dilation_h, dilation_w = (int(v) for v in rng.integers(1, 4, 4))
    top, left = (int(v) for v in rng.integers(0, 4, 2))
    k, m, zx = kernel_h * kernel_w, c * multiplier, int(rng.integers(0, 256))
    weights = rng.choice([-127, 127], (k, m)) if extreme else rng.integers(-127, 128, (k, m))
    image = rng.choice([0, 255], (in_h, in_w, c)) if extreme else rng.integers(0, 256, (in_h, in_w, c))
    scratch_at = 5 + image.size + -(5 + image.size) % 4
    arena = arena_with(rng, 5, image, 8 + 4 * m)
    operands = words(
        *(5, in_h, in_w, c, kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, top, left, zx),
        *(multiplier, out_h, out_w, k, BASE, m, scratch_at, 0, 128, 0, 255),
    )
    for y, x in np.ndindex(out_h, out_w):
        expected = np.zeros(m, int)
        for tap, (i, j) in enumerate(np.ndindex(kernel_h, kernel_w)):
            iy, ix = y * stride_h + i * dilation_h - top, x * stride_w + j * dilation_w - left
            if 0 <= iy < in_h and 0 <= ix < in_w:
                expected += (np.repeat(image[iy, ix], multiplier) - zx) * weights[tap]
        assert sums_at(machine, arena, weights, operands, y, x, scratch_at) == expected.tolist()


@pytest.mark.parametrize("value", [0, 255])
@pytest.mark.parametrize("weight", [-128, 127])
def test_depthwise_with_the_largest_kernel(machine, value, weight):
    """k = 16384, every product at its bound."""
    weights = np.full((16384, 1), weight)
    zx = 255 - value
    operands = words(
        *(0, 128, 128, 1, 128, 128, 1, 1, 1, 1, 0, 0, zx, 1, 1, 1, 16384, BASE, 1, 16384, 0, 128, 0, 255),
    )
    arena = bytearray([value]) * 16384 + bytearray(4)
    assert sums_at(machine, arena, weights, operands, 0, 0, 16384) == [16384 * weight * (value - zx)]


@pytest.mark.parametrize("down", [True, False])
@pytest.mark.parametrize(
    ("k", "stride", "dilation", "before", "at"),
    [
        pytest.param(16384, 65535, 65535, 0, 32766, id="beyond 2^31"),
        pytest.param(16384, 65535, 65535, 65535, 0, id="before"),
        pytest.param(3, 65535, 32767, 65535, 1, id="first, middle and last"),
        pytest.param(3, 2, 1, 0, 32767, id="the last"),
    ],
)
def test_depthwise_at_the_ends_of_its_operands(machine, down, k, stride, dilation, before, at):
    """FORMAT.md lets sizes, strides, dilations and paddings have 16 bits, k 14 and places of outputs 15."""
    size, zx = 65535, 3
    image = np.arange(size) % 251
    weights = (np.arange(k) % 255 - 127).reshape(k, 1)
    sizes = [(size, 1), (k, 1), (stride, 1), (dilation, 1), (before, 0), (at, 0)]
    (h, w), kernel, strides, dilations, paddings, (y, x) = (pair if down else pair[::-1] for pair in sizes)
    scratch_at = size + 1
    operands = words(
        *(0, h, w, 1, *kernel, *strides, *dilations, *paddings, zx),
        *(1, 1, 1, k, BASE, 1, scratch_at, 0, 128, 0, 255),
    )
    places = [at * stride + tap * dilation - before for tap in range(k)]
    expected = sum((int(image[p]) - zx) * int(v) for p, v in zip(places, weights[:, 0], strict=True) if 0 <= p < size)
    arena = bytearray(image.astype(np.uint8).tobytes()) + bytearray(1 + 8)
    assert sums_at(machine, arena, weights, operands, y, x, scratch_at) == [expected]
