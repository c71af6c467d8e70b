"""MEAN and the pools as the 32-bit machine code that ships, against plain integers written from FORMAT.md."""

import numpy as np
import pytest
from int8_twins import arena_with, clamp, machine_of, requantise, words

machine = machine_of("kernels_pool")


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


def pool_case(rng):
    """The operands of a pool but for arena places, its input, and the values under each kernel: [y][x][cells, c]."""
    axes = []
    for _ in range(2):
        size, kernel, stride = (int(v) for v in rng.integers(1, 8, 3))
        padding = int(rng.integers(0, kernel))
        outputs = int(rng.integers(1, (size + padding - 1) // stride + 2))
        axes.append((size, kernel, stride, padding, outputs))
    (in_h, kernel_h, stride_h, top, out_h), (in_w, kernel_w, stride_w, left, out_w) = axes
    image = rng.integers(0, 256, (in_h, in_w, int(rng.integers(1, 6))))
    under = []
    for y in range(out_h):
        line = image[max(y * stride_h - top, 0) : y * stride_h - top + kernel_h]
        starts = [x * stride_w - left for x in range(out_w)]
        under.append([line[:, max(x, 0) : x + kernel_w].reshape(-1, image.shape[2]) for x in starts])
    return image, (*image.shape, kernel_h, kernel_w, stride_h, stride_w, top, left, out_h, out_w), under


def average(cells, limits):
    """TFLM's average of int8 values, which truncates both divisions; biased bytes in and out."""
    n, out = len(cells), []
    for channel in (cells - 128).T:
        total = int(channel.sum())
        quotient = (abs(total) + n // 2) // n
        out.append(clamp((quotient if total >= 0 else -quotient) + 128, *limits))
    return out


def maximum(cells, limits):
    return [clamp(int(v), *limits) for v in cells.max(axis=0)]


@pytest.mark.parametrize("seed", range(25))
@pytest.mark.parametrize(("name", "twin"), [("max_pool", maximum), ("average_pool", average)])
def test_pools(machine, name, twin, seed):
    rng = np.random.default_rng(seed)
    image, sizes, under = pool_case(rng)
    limits = (0, 255) if seed % 2 else (100, 140)
    size = sizes[-2] * sizes[-1] * image.shape[2]
    arena = arena_with(rng, 3, image, size)
    before = bytes(arena)
    for y in range(sizes[-2]):
        machine.call(name, arena, 0, words(3, *sizes, 3 + image.size, *limits), y)
    assert list(arena[3 + image.size :]) == [v for line in under for cells in line for v in twin(cells, limits)]
    assert arena[: 3 + image.size] == before[: 3 + image.size]


@pytest.mark.parametrize("value", [0, 127, 128, 129, 255])
def test_average_pool_of_the_most_cells(machine, value):
    cells = np.full((16384, 1), value)
    cells[::2] = np.minimum(cells[::2] + 1, 255)  # a half between two values
    arena = bytearray(cells.astype(np.uint8).tobytes()) + bytearray(1)
    machine.call("average_pool", arena, 0, words(0, 128, 128, 1, 128, 128, 1, 1, 0, 0, 1, 1, 16384, 0, 255), 0)
    assert arena[-1] == average(cells, (0, 255))[0]
