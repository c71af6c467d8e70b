"""What surrounds the dot products, as the code that ships, the plain one too, against plain integers from FORMAT.md."""

import struct

import numpy as np
import pytest
from int8_twins import UNIT_LEN, arena_with, machine_of, plain_units, units, words
from vm_kernels import PlainMachine

machine = machine_of("kernels_dot")

INVERSES = words(*(pow(2 * x + 1, -1, 1 << 32) for x in range(256)))
ONES = words(*[1] * 256)  # instead of the inverses, for kernels that take plain factors


def test_invert(machine):
    """All there are; the plain kernels have no factors."""
    inverse = bytearray(b"\xa5" * 1032)
    machine.call("invert", memoryview(inverse)[4:-4])
    assert inverse[4:-4] == (b"\xa5" * 1024 if isinstance(machine, PlainMachine) else INVERSES)
    assert inverse[:4] + inverse[-4:] == b"\xa5" * 8


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("n", [1, 2, 8])
@pytest.mark.parametrize(("pixels", "step"), [(1, 0), (3, 0), (3, 5), (2, 64), (4, 77)])
def test_units(machine, n, pixels, step, plain):
    """n units a pixel; inputs may overlap, and with a step of 0 are the same. The plain kernels have no factors."""
    at, out_at, length = 3, 8, UNIT_LEN * n * pixels
    rng = np.random.default_rng([n, pixels, step])
    for values in (rng.integers(0, 256, 400), rng.choice([0, 255], 400), np.zeros(400, int), np.full(400, 255)):
        x = arena_with(rng, at, values[: step * (pixels - 1) + 8 * n], 0)
        out = bytearray(rng.integers(0, 256, out_at + length + 8).astype(np.uint8).tobytes())
        before = bytes(out)
        machine.call("units", bytes(x), 0, out, ONES if plain else INVERSES, at, out_at, n, pixels, step)
        inputs = [x[at + p * step :][: 8 * n] for p in range(pixels)]
        if isinstance(machine, PlainMachine):
            for unit in range(out_at, out_at + length, UNIT_LEN):
                out[unit + 8 : unit + UNIT_LEN] = bytes(UNIT_LEN - 8)  # whatever is there
            expected = b"".join(plain_units(x) for x in inputs)
        else:
            expected = b"".join(units(x, plain) for x in inputs)
        assert out == before[:out_at] + expected + before[out_at + length :]


def test_no_units(machine):
    """A row without pixels on one side of the kernel."""
    out = bytearray(b"\xa5" * 36)
    machine.call("units", bytes(8), 0, out, INVERSES, 0, 0, 1, 0, 0)
    machine.call("units", bytes(8), 0, out, INVERSES, 0, 0, 0, 1, 0)
    assert out == b"\xa5" * 36


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


FAR, LONG, LAST = (1 << 16) - 1, 1 << 14, (1 << 15) - 2  # the greatest operand, kernel and output


@pytest.mark.parametrize("down", [True, False])
@pytest.mark.parametrize(
    ("size", "kernel", "stride", "dilation", "before", "at"),
    [
        pytest.param(3, LONG, FAR, FAR, 0, LAST, id="beyond 2^31"),
        pytest.param(3, LONG, FAR, 1, FAR, LAST, id="side by side beyond it"),
        pytest.param(3, 3, FAR, FAR, FAR, 0, id="before"),
        pytest.param(FAR, 2, 2, FAR - 1, 0, 0, id="first and last"),
        pytest.param(FAR, 2, 2, 1, 0, LAST, id="the last two"),
        pytest.param(FAR, 3, 2, 1, 1, LAST + 1, id="the last and two behind"),
        pytest.param(FAR, 3, FAR, 1, FAR + 1, 1, id="one before and two"),
    ],
)
def test_patches_at_the_ends_of_their_operands(machine, down, size, kernel, stride, dilation, before, at):
    """FORMAT.md lets sizes, strides, dilations and paddings have 16 bits, k 14 and places of outputs 15."""
    image = np.arange(size, dtype=np.uint8) | 1
    sizes = [(size, 1), (kernel, 1), (stride, 1), (dilation, 1), (before, 0), (at, 0)]
    (h, w), (kernel_h, kernel_w), strides, dilations, paddings, (y, x) = (
        pair if down else pair[::-1] for pair in sizes
    )
    operands = words(7, h, w, 1, kernel_h, kernel_w, *strides, *dilations, *paddings, 0)
    out_at = 7 + size
    arena = bytearray(7) + bytearray(image.tobytes() + b"\xa5" * (kernel + 1))
    machine.call("patches", arena, arena, operands, y, x, 1, out_at)
    places = [at * stride + tap * dilation - before for tap in range(kernel)]
    assert list(arena[out_at:-1]) == [int(image[place]) if 0 <= place < size else 0 for place in places]
    assert arena[-1] == 0xA5


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
