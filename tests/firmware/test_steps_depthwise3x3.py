"""DEPTHWISE3X3 as the code that ships, the plain one too, against plain integers written from FORMAT.md."""

import numpy as np
import pytest
from int8_twins import BASE, arena_with, clamp, machine_of, requantise, words

machine = machine_of("steps_depthwise3x3")
AT = 5  # of the input in the arena


class Case:
    """A layer: an image [rows, cols, c] as the step goes down and across it, weights [c, 3, 3] and what they give."""

    def __init__(self, rng, extreme=False):
        self.rows, self.cols, self.c = (int(v) for v in rng.integers(1, 8, 3))
        self.down, self.across = (int(v) for v in rng.integers(1, 5, 2))
        self.before = [int(v) for v in rng.integers(0, 4, 2)]
        self.out_rows, self.out_cols = (int(v) for v in rng.integers(1, 7, 2))
        self.pad, self.zero = (int(v) for v in rng.integers(0, 256, 2))
        self.low, self.high = int(rng.integers(0, self.zero + 1)), 255
        shape = (self.rows, self.cols, self.c)
        self.image = rng.choice([0, 255], shape) if extreme else rng.integers(0, 256, shape)
        weights = (self.c, 3, 3)
        self.weights = rng.choice([-127, 127], weights) if extreme else rng.integers(-128, 128, weights)
        self.bias = [int(v) for v in rng.integers(-(1 << 19), 1 << 19, self.c)]
        self.right = [int(v) for v in rng.integers(1, 23, self.c)]
        self.multiplier = [int(v) for v in rng.choice([0, 1 << 30, (1 << 31) - 1, 1234567890], self.c)]

    def table(self):
        packed = b""
        for i in range(self.c):
            right = self.right[i]
            packed += bytes((self.weights[i].reshape(-1) + 128).tolist()) + bytes(3)
            packed += words(self.bias[i], self.multiplier[i], 1 << right - 1, right)
        return packed

    def output(self):
        """uint8 [out_rows, out_cols, c]."""
        out = np.empty((self.out_rows, self.out_cols, self.c), np.uint8)
        for y, x, i in np.ndindex(out.shape):
            acc = self.bias[i]
            for ky, kx in np.ndindex(3, 3):
                row, col = y * self.down + ky - self.before[0], x * self.across + kx - self.before[1]
                inside = 0 <= row < self.rows and 0 <= col < self.cols
                acc += int(self.weights[i, ky, kx]) * (int(self.image[row, col, i]) if inside else self.pad)
            value = requantise(acc, self.multiplier[i], 0, self.right[i]) + self.zero
            out[y, x, i] = clamp(value, self.low, self.high)
        return out


def strides(shape, turned):
    """Bytes from a row and from a column to the next; `turned`: the tensor's rows are the step's columns."""
    rows, cols, c = shape
    return (c, rows * c) if turned else (cols * c, c)


def stored(values, turned):
    return values.transpose(1, 0, 2) if turned else values


@pytest.mark.parametrize("extreme", [False, True])
@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("seed", range(12))
def test_a_layer(machine, seed, turned, extreme):
    """Strides, paddings on all sides and outputs far from any input."""
    rng = np.random.default_rng([seed, turned, extreme])
    case = Case(rng, extreme)
    expected = case.output()
    out_at = AT + case.image.size
    scratch_at = out_at + expected.size
    scratch_len = 3 * ((case.out_cols - 1) * case.across + 3)
    arena = arena_with(rng, AT, stored(case.image, turned).reshape(-1), expected.size + scratch_len + 7)
    before = bytes(arena)
    operands = words(
        *(AT, case.rows, case.cols, case.c, *strides(case.image.shape, turned), case.down, case.across, *case.before),
        *(case.pad, scratch_at, case.out_rows, case.out_cols, *strides(expected.shape, turned), BASE, out_at),
        *(case.zero, case.low, case.high),
    )
    machine.call("depthwise", arena, 0, arena, bytes(BASE) + case.table(), operands)
    assert arena[out_at:scratch_at] == stored(expected, turned).tobytes()
    assert arena[:out_at] == before[:out_at]
    assert arena[scratch_at + scratch_len :] == before[scratch_at + scratch_len :]


@pytest.mark.parametrize("seed", range(4))
def test_the_output_where_the_input_was(machine, seed):
    """SAME: a row of the output takes the place of one that the kernel has left or has in its scratch."""
    rng = np.random.default_rng(seed)
    case = Case(rng)
    case.down = case.across = 1
    case.before = [1, 1]
    case.out_rows, case.out_cols = case.rows, case.cols
    expected = case.output()
    scratch_at = AT + case.image.size
    arena = arena_with(rng, AT, case.image.reshape(-1), 3 * (case.cols + 2))
    across = strides(case.image.shape, turned=False)
    operands = words(
        *(AT, case.rows, case.cols, case.c, *across, 1, 1, 1, 1, case.pad, scratch_at, case.rows, case.cols, *across),
        *(BASE, AT, case.zero, case.low, case.high),
    )
    machine.call("depthwise", arena, 0, arena, bytes(BASE) + case.table(), operands)
    assert arena[AT:scratch_at] == expected.tobytes()


@pytest.mark.parametrize("value", [0, 255])
@pytest.mark.parametrize("weight", [-128, 0, 127])
def test_accumulators_at_the_bounds(machine, value, weight):
    """Sums of 2^20 - 1 either way, and products with every digit of a multiplier at its greatest."""
    bound = (1 << 20) - 1
    numbers = [
        (acc, q, right)
        for acc in (-bound, 1 - bound, -1, 0, 1, bound)
        for q in (1 << 30, 0x7FFFFFFF, 0x600FF800)
        for right in (1, 13, 22)
    ]
    c = len(numbers)
    case = Case(np.random.default_rng(0))
    case.rows = case.cols = 3
    case.down = case.across = case.out_rows = case.out_cols = 1
    case.before = [0, 0]
    case.c, case.zero, case.low = c, 128, 0
    case.image = np.full((3, 3, c), value)
    case.weights = np.full((c, 3, 3), weight)
    accs, case.multiplier, case.right = (list(column) for column in zip(*numbers, strict=True))
    case.bias = [acc - 9 * weight * value for acc in accs]
    expected = case.output()
    out_at = AT + case.image.size
    arena = bytearray(AT) + bytearray(case.image.astype(np.uint8).tobytes()) + bytearray(c + 9)
    operands = words(
        *(AT, 3, 3, c, 3 * c, c, 1, 1, 0, 0, 0, out_at + c, 1, 1, c, c, BASE, out_at, case.zero, case.low, case.high)
    )
    machine.call("depthwise", arena, 0, arena, bytes(BASE) + case.table(), operands)
    assert arena[out_at : out_at + c] == expected.tobytes()
