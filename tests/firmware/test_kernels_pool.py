"""The pools, and the sums of MEAN, as the 32-bit machine code that ships, against plain integers written from FORMAT.md."""

import numpy as np
import pytest
from int8_twins import arena_with, clamp, machine_of, words

machine = machine_of("kernels_pool")


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
@pytest.mark.parametrize(("kind", "twin"), [(0, maximum), (1, average)])
def test_pools(machine, kind, twin, seed):
    rng = np.random.default_rng(seed)
    image, sizes, under = pool_case(rng)
    limits = (0, 255) if seed % 2 else (100, 140)
    size = sizes[-2] * sizes[-1] * image.shape[2]
    arena = arena_with(rng, 3, image, size)
    before = bytes(arena)
    for y in range(sizes[-2]):
        machine.call("pool", arena, 0, arena, words(3, *sizes, 3 + image.size, *limits), y, kind)
    assert list(arena[3 + image.size :]) == [v for line in under for cells in line for v in twin(cells, limits)]
    assert arena[: 3 + image.size] == before[: 3 + image.size]


@pytest.mark.parametrize("value", [0, 127, 128, 129, 255])
def test_average_pool_of_the_most_cells(machine, value):
    cells = np.full((16384, 1), value)
    cells[::2] = np.minimum(cells[::2] + 1, 255)  # a half between two values
    arena = bytearray(cells.astype(np.uint8).tobytes()) + bytearray(1)
    machine.call("pool", arena, 0, arena, words(0, 128, 128, 1, 128, 128, 1, 1, 0, 0, 1, 1, 16384, 0, 255), 0, 1)
    assert arena[-1] == average(cells, (0, 255))[0]


@pytest.mark.parametrize(("pixels", "c"), [(1, 1), (1, 5), (7, 3), (50, 8), (40000, 1)])
def test_sums_for_a_mean(machine, pixels, c):
    """As words, of the int8 values: a pool with one kernel over all pixels."""
    rng = np.random.default_rng(pixels)
    x = rng.integers(0, 256, (pixels, c)) if pixels < 40000 else np.zeros((pixels, c), int)
    sums_at = 4 + x.size + -x.size % 4
    arena = arena_with(rng, 4, x, 4 * c + 8)
    before = bytes(arena)
    machine.call("pool", arena, 0, arena, words(4, 1, pixels, c, 1, pixels, 1, 1, 0, 0, 1, 1, sums_at, 0, 0), 0, 2)
    end = sums_at + 4 * c
    assert np.frombuffer(bytes(arena[sums_at:end]), "<i4").tolist() == (x - 128).sum(axis=0).tolist()
    assert arena[:sums_at] + arena[end:] == before[:sums_at] + before[end:]
