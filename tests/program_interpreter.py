"""Runs the program of a release as FORMAT.md section 3 describes it, in plain numpy; shares no code with host or board.

Every accumulator is held against the bounds that the document promises, so that a release a board would compute wrongly
in its 32 bits fails here. Places outside the arena or the tables are errors.
"""

import struct
from types import SimpleNamespace

import numpy as np
import program_operators
from program_operators import check_distinct, requantise

_IMAGE = "in_at in_h in_w c kernel_h kernel_w stride_h stride_w dilation_h dilation_w pad_top pad_left pad"
_DOTS = "k rows_at m short scratch_at out_at zero low high"
_POOL = "in_at in_h in_w c kernel_h kernel_w stride_h stride_w pad_top pad_left out_h out_w out_at low high"
_ELEMENTWISE = "a_at b_at b_constant length period out_at"
_OPERANDS = {
    1: f"in_at step pixels strip {_DOTS}",
    2: f"{_IMAGE} strip out_h out_w {_DOTS}",
    3: "in_at pixels c scratch_at out_at bias mult_hi mult_lo left right zero low high",
    4: "in_at rows depth out_at table_at",
    5: f"{_IMAGE} multiplier out_h out_w k rows_at m scratch_at out_at zero low high",
    6: _POOL,
    7: _POOL,
    8: "in_at length out_at table_at",
    9: f"{_ELEMENTWISE} a_table_at b_table_at base hi lo away right zero low high",
    10: f"{_ELEMENTWISE} a_zero b_zero left hi lo away right zero low high",
    11: _ELEMENTWISE,
    12: _ELEMENTWISE,
    13: "out_at length value",
    14: "in_at out_at size n0 n1 n2 n3 in_0 in_1 in_2 in_3 out_0 out_1 out_2 out_3",
    15: f"{_IMAGE} out_h out_w {_DOTS}",
    16: "in_at rows cols c in_row in_col stride_down stride_across before_down before_across pad scratch_at "
    "out_rows out_cols out_row out_col rows_at out_at zero low high",
}
_UNIT_LEN = 36
_WIDTHS = (64, 32, 16)
_OTHERS = {
    5: program_operators.depthwise,
    6: program_operators.max_pool,
    7: program_operators.average_pool,
    8: program_operators.map_bytes,
    9: program_operators.add,
    10: program_operators.mul,
    11: program_operators.minimum,
    12: program_operators.maximum,
    13: program_operators.fill,
    14: program_operators.copy,
    16: program_operators.depthwise3x3,
}


class Interpreter:
    """The program of `release` (bytes, with or without its signature)."""

    def __init__(self, release):
        self.release = release
        lengths = struct.unpack_from("<5I", release, 32)
        at, places = 64, []
        for length in lengths:
            places.append(at)
            at += length + 3 & ~3
        self.program_at, self.tables_at, self.selftest_at = places[2:]
        self.tables_end = self.tables_at + lengths[3]
        self.selftest_len = lengths[4]
        header = struct.unpack_from("<7I", release, self.program_at)
        self.arena_len, self.input_at, self.input_len, self.output_at, self.output_len, self.quantise_at, count = header
        self.steps = self._parse_steps(count, self.program_at + lengths[2])

    def _parse_steps(self, count, end):
        steps, at = [], self.program_at + 28
        for _ in range(count):
            (number,) = struct.unpack_from("<I", self.release, at)
            names = _OPERANDS[number].split()
            values = struct.unpack_from(f"<{len(names)}I", self.release, at + 4)
            steps.append((number, SimpleNamespace(**dict(zip(names, values, strict=True)))))
            at += 4 + 4 * len(names)
        if at != end:
            raise ValueError(f"steps end at {at}, the program at {end}")
        return steps

    def table(self, at, dtype, count):
        """A view of the tables section by its release offset."""
        length = count * np.dtype(dtype).itemsize
        if at % 4 or at < self.tables_at or at + length > self.tables_end:
            raise ValueError(f"table of {length} bytes at {at}")
        return np.frombuffer(self.release, dtype, count, at)

    def place(self, at, length):
        """A view of the arena that can be written."""
        if at < 0 or at + length > self.arena_len:
            raise ValueError(f"{length} bytes at {at} of an arena of {self.arena_len}")
        return self.arena[at : at + length]

    def quantise(self, frame):
        """Biased bytes of float32 values, by their bits."""
        zero, first, count = (int(word) for word in self.table(self.quantise_at, "<u4", 3))
        thresholds = self.table(self.quantise_at + 12, "<u4", 257).astype(np.int64)
        steps = self.table(self.quantise_at + 1040, "u1", count)
        found = []
        for bits in np.ascontiguousarray(frame, "<f4").view("<u4").reshape(-1):
            a = int(bits) & 0x7FFFFFFF
            n = int(np.count_nonzero(thresholds[:256] <= a))
            entry = (a >> 16) - first
            # How the steps are to be used: a place to begin counting from, and no need of one outside them.
            if 0 <= entry < count:
                if steps[entry] != np.count_nonzero(thresholds[:255] <= a >> 16 << 16):
                    raise ValueError(f"step {entry} is {steps[entry]}")
            elif (entry < 0 and n != 0) or (entry >= count and n < 255):
                raise ValueError(f"steps do not cover {entry}")
            found.append(min(max(zero + (-n if bits >> 31 else n), 0), 255))
        if thresholds[256] != 0x7FFFFFFF:
            raise ValueError("no sentinel")
        return np.array(found, np.uint8)

    def run(self, frame, *, seed=0):
        """int8 outputs for a float32 frame; the arena begins with rubbish, as a board's does after the first frame."""
        self.arena = np.random.default_rng(seed).integers(0, 256, self.arena_len, dtype=np.uint8)
        self.place(self.input_at, self.input_len)[:] = self.quantise(frame)
        for number, operands in self.steps:
            if number in _OTHERS:
                _OTHERS[number](self, operands)
            else:
                {1: self._rows, 2: self._conv, 3: self._mean, 4: self._softmax, 15: self._ring_conv}[number](operands)
        return (self.place(self.output_at, self.output_len) ^ 128).view(np.int8).copy()

    def rows(self, o):
        """Weights [k, m], bias [m] and the four words of a multiplier [4, m], of a step's rows table."""
        if not 1 <= o.k <= 16384:
            raise ValueError(f"k is {o.k}")
        padded = o.k * o.m + 3 & ~3
        weights, padding = np.split(self.table(o.rows_at, "u1", padded), [o.k * o.m])
        if padding.any():
            raise ValueError("padding of the weights is not zero")
        records = self.table(o.rows_at + padded, "<u4", o.m * 5).reshape(o.m, 5).astype(np.int64)
        weights = weights.reshape(o.k, o.m).astype(np.int64) - 128
        return weights, records[:, 0].astype(np.uint32).view(np.int32).astype(np.int64), records[:, 1:].T

    def dots(self, o):
        """Biased weights [m, padded k], base [m] and the four words of a multiplier [4, m], of a step's dot table."""
        if not 1 <= o.k <= 16384:
            raise ValueError(f"k is {o.k}")
        padded = -(-o.k // 16) * 16
        if o.short:
            records = self.table(o.rows_at, "u1", o.m * (padded + 16)).reshape(o.m, padded + 16)
            weights = records[:, :padded].astype(np.int64)
            base = records[:, padded : padded + 4].copy().view("<i4").reshape(-1).astype(np.int64)
            multiplier, half, right = records[:, padded + 4 :].copy().view("<u4").astype(np.int64).T
            if padded not in _WIDTHS or np.any(half != 1 << right >> 1) or np.any(right < 1):
                raise ValueError(f"short table with rows of {padded}, half {half}, right {right}")
            words = np.array([multiplier >> 16, multiplier & 0xFFFF, 0 * right, right])
        else:
            blocks, at, left = [], o.rows_at, padded
            for width in _WIDTHS:
                while left >= width:
                    blocks.append(self.table(at, "u1", o.m * width).reshape(o.m, width))
                    at += o.m * width
                    left -= width
            weights = np.concatenate(blocks, axis=1).astype(np.int64)
            rows = self.table(at, "<u4", o.m * 5).reshape(o.m, 5).astype(np.int64)
            base = rows[:, 0].astype(np.uint32).view(np.int32).astype(np.int64)
            words = rows[:, 1:].T
        if np.any(weights[:, o.k :] != 128):
            raise ValueError("padding of a row is not 128")
        return weights, base, words

    def _multiply(self, inputs, o):
        """Biased bytes [n, m] of biased bytes [n, padded k], with the dot table and limits of a step."""
        v, base, words = self.dots(o)
        x = inputs.astype(np.int64)
        twice = (2 * x + 1) @ v.T - 256 * x.sum(axis=1, keepdims=True) + base
        if np.any(twice & 1) or (o.short and np.any(np.abs(twice) >= 1 << 23)):
            raise ValueError("accumulator is odd or out of bounds")
        return requantise(twice >> 1, words, o)

    def _pixel_scratch(self, o):
        widest = next(width for width in _WIDTHS if width <= -(-o.k // 16) * 16)
        return widest // 8 * _UNIT_LEN + (0 if o.short else 4 * o.m)

    def _rows(self, o):
        padded = -(-o.k // 16) * 16
        scratch = (o.scratch_at, o.strip * self._pixel_scratch(o))
        check_distinct(scratch, (o.out_at, o.pixels * o.m))
        check_distinct(scratch, (o.in_at, o.step * (o.pixels - 1) + o.k))
        at, out_at, left = o.in_at, o.out_at, o.pixels
        while left:  # strip by strip, as the output may take the input's place
            pixels = min(left, o.strip)
            inputs = np.array([self.place(at + o.step * pixel, padded) for pixel in range(pixels)])
            self.spoil(*scratch)
            self.place(out_at, pixels * o.m)[:] = self._multiply(inputs, o).reshape(-1)
            at, out_at, left = at + pixels * o.step, out_at + pixels * o.m, left - pixels

    def spoil(self, at, length):
        """Scratch holds nothing that may be used later."""
        if at % 4:
            raise ValueError(f"scratch at {at}")
        self.place(at, length)[:] = 0xA5

    def _under_kernel(self, o, line, y):
        """Biased bytes [out_w, padded k] for output row y; `line(iy)` gives a row of the input [in_w, c]."""
        taps = np.full((o.out_w, o.kernel_h, o.kernel_w, o.c), o.pad, np.uint8)
        for ky in range(o.kernel_h):
            iy = y * o.stride_h + ky * o.dilation_h - o.pad_top
            if 0 <= iy < o.in_h:
                for x in range(o.out_w):
                    for kx in range(o.kernel_w):
                        ix = x * o.stride_w + kx * o.dilation_w - o.pad_left
                        if 0 <= ix < o.in_w:
                            taps[x, ky, kx] = line(iy)[ix]
        taps = taps.reshape(o.out_w, -1)
        if o.k != taps.shape[1]:
            raise ValueError(f"k is {o.k}, under the kernel are {taps.shape[1]}")
        return np.pad(taps, ((0, 0), (0, -o.k % 16)), constant_values=77)

    def _conv(self, o):
        image = self.place(o.in_at, o.in_h * o.in_w * o.c).reshape(o.in_h, o.in_w, o.c)
        padded = -(-o.k // 16) * 16
        scratch = (o.scratch_at, o.strip * self._pixel_scratch(o) + (o.strip - 1) * o.k + padded)
        line = o.out_w * o.m
        check_distinct((o.in_at, image.size), scratch, (o.out_at, o.out_h * line))
        for y in range(o.out_h):
            self.spoil(*scratch)
            inputs = self._under_kernel(o, lambda iy: image[iy], y)
            self.place(o.out_at + y * line, line)[:] = self._multiply(inputs, o).reshape(-1)

    def _ring_conv(self, o):
        image = self.place(o.in_at, o.in_h * o.in_w * o.c).reshape(o.in_h, o.in_w, o.c)
        reach_h, reach_w = (o.kernel_h - 1) * o.dilation_h, (o.kernel_w - 1) * o.dilation_w
        if o.c % 8:
            raise ValueError(f"{o.c} channels")
        ring_len = (reach_h + 1) * ((o.out_w - 1) * o.stride_w + reach_w + 1) * o.c // 8 * _UNIT_LEN
        scratch = (o.scratch_at, ring_len + (0 if o.short else 4 * o.m * o.out_w))
        line = o.out_w * o.m
        check_distinct(scratch, (o.in_at, image.size))
        check_distinct(scratch, (o.out_at, o.out_h * line))
        self.spoil(*scratch)
        kept = {}  # rows of the input as they were when they were first needed: the output may take their place
        for y in range(o.out_h):
            for iy in range(max(0, y * o.stride_h - o.pad_top), y * o.stride_h - o.pad_top + reach_h + 1):
                if iy < o.in_h:
                    kept.setdefault(iy, image[iy].copy())
            inputs = self._under_kernel(o, kept.__getitem__, y)
            self.place(o.out_at + y * line, line)[:] = self._multiply(inputs, o).reshape(-1)

    def _mean(self, o):
        check_distinct((o.in_at, o.pixels * o.c), (o.scratch_at, 4 * o.c), (o.out_at, o.c))
        self.spoil(o.scratch_at, 4 * o.c)
        sums = (self.place(o.in_at, o.pixels * o.c).reshape(o.pixels, o.c).astype(np.int64) - 128).sum(axis=0)
        bias = o.bias - (1 << 32) if o.bias >> 31 else o.bias
        words = np.array([o.mult_hi, o.mult_lo, o.left, o.right], np.int64)
        self.place(o.out_at, o.c)[:] = requantise(sums + bias, words, o)

    def _softmax(self, o):
        exp = [int(word) for word in self.table(o.table_at, "<i4", 256)]
        if not 1 <= o.depth <= 255:
            raise ValueError(f"depth {o.depth}")
        size = o.rows * o.depth
        check_distinct((o.in_at, size), (o.out_at, size))
        for row in range(o.rows):
            values = [int(value) for value in self.place(o.in_at + row * o.depth, o.depth)]
            exps = [exp[max(values) - value] for value in values]
            self.place(o.out_at + row * o.depth, o.depth)[:] = _softmax_row(exps)


def _softmax_row(exps):
    """Biased bytes of a row from its exponentials in Q0.31; gemmlowp's fixed point in Python integers."""
    total = sum(e + (1 << 11) >> 12 for e in exps)  # Q12.19
    bits = total.bit_length()
    denominator = total << 31 - bits  # scaled into [1/2, 1) as Q0.31; depth <= 255 keeps bits at 28 or less

    def mul(a, b):
        return a * b + (1 << 30) >> 31

    x = 1515870810 + mul(denominator, -1010580540)  # 48/17 - 32/17 * denominator, in Q2.29
    for _ in range(3):
        x += mul(x, (1 << 29) - mul(denominator, x)) << 2
    reciprocal = min(x << 1, (1 << 31) - 1)
    shift = bits - 20 + 31 - 8
    return [min(max(mul(e, reciprocal) + (1 << shift - 1) >> shift, 0), 255) for e in exps]
