"""Runs the program of a release as FORMAT.md section 3 describes it, in plain numpy; shares no code with host or board.

Every accumulator is held against the bounds that the document promises, so that a release a board would compute wrongly
in its 32 bits fails here. Places outside the arena or the tables are errors.
"""

import itertools
import struct
from types import SimpleNamespace

import numpy as np

_CONV = (
    "in_at in_h in_w c kernel_h kernel_w stride_h stride_w dilation_h dilation_w pad_top pad_left pad scratch_at "
    "out_h out_w k rows_at m out_at zero low high"
)
_OPERANDS = {
    1: "in_at step pixels k rows_at m out_at zero low high",
    2: _CONV,
    3: "in_at pixels c out_at bias mult_hi mult_lo left right zero low high",
    4: "in_at rows depth scratch_at out_at table_at",
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

    def _table(self, at, dtype, count):
        length = count * np.dtype(dtype).itemsize
        if at % 4 or at < self.tables_at or at + length > self.tables_end:
            raise ValueError(f"table of {length} bytes at {at}")
        return np.frombuffer(self.release, dtype, count, at)

    def _bytes(self, at, length):
        """A view of the arena that can be written."""
        if at < 0 or at + length > self.arena_len:
            raise ValueError(f"{length} bytes at {at} of an arena of {self.arena_len}")
        return self.arena[at : at + length]

    def quantise(self, frame):
        """Biased bytes of float32 values, by their bits."""
        zero, first, count = (int(word) for word in self._table(self.quantise_at, "<u4", 3))
        thresholds = self._table(self.quantise_at + 12, "<u4", 257).astype(np.int64)
        steps = self._table(self.quantise_at + 1040, "u1", count)
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
        self._bytes(self.input_at, self.input_len)[:] = self.quantise(frame)
        for number, operands in self.steps:
            {1: self._rows, 2: self._conv, 3: self._mean, 4: self._softmax}[number](operands)
        return (self._bytes(self.output_at, self.output_len) ^ 128).view(np.int8).copy()

    def _multiply(self, inputs, o):
        """Biased bytes [n, m] of biased bytes [n, k], with the rows table and limits of a ROWS or CONV step."""
        if not 1 <= o.k <= 16384:
            raise ValueError(f"k is {o.k}")
        padded = o.k + 3 & ~3
        records = self._table(o.rows_at, "u1", o.m * (padded + 20)).reshape(o.m, padded + 20)
        if records[:, o.k : padded].any():
            raise ValueError("padding of a row is not zero")
        bias = records[:, padded : padded + 4].copy().view("<i4").reshape(-1).astype(np.int64)
        words = records[:, padded + 4 :].copy().view("<u4").astype(np.int64).T
        x, v = inputs.astype(np.int64), records[:, : o.k].astype(np.int64)
        return _requantise(x @ v.T - 128 * x.sum(axis=1, keepdims=True) + bias, words, o)

    def _rows(self, o):
        inputs = np.array([self._bytes(o.in_at + o.step * pixel, o.k) for pixel in range(o.pixels)])
        _check_distinct((o.in_at, o.step * (o.pixels - 1) + o.k), (o.out_at, o.pixels * o.m))
        self._bytes(o.out_at, o.pixels * o.m)[:] = self._multiply(inputs, o).reshape(-1)

    def _conv(self, o):
        image = self._bytes(o.in_at, o.in_h * o.in_w * o.c).reshape(o.in_h, o.in_w, o.c)
        scratch = self._bytes(o.scratch_at, o.out_w * o.k).reshape(o.out_w, o.k)
        line = o.out_w * o.m
        _check_distinct((o.in_at, image.size), (o.scratch_at, scratch.size), (o.out_at, o.out_h * line))
        for y in range(o.out_h):
            for x in range(o.out_w):
                taps = []
                for ky in range(o.kernel_h):
                    for kx in range(o.kernel_w):
                        iy = y * o.stride_h + ky * o.dilation_h - o.pad_top
                        ix = x * o.stride_w + kx * o.dilation_w - o.pad_left
                        inside = 0 <= iy < o.in_h and 0 <= ix < o.in_w
                        taps.append(image[iy, ix] if inside else np.full(o.c, o.pad, np.uint8))
                scratch[x] = np.concatenate(taps)
            self._bytes(o.out_at + y * line, line)[:] = self._multiply(scratch, o).reshape(-1)

    def _mean(self, o):
        _check_distinct((o.in_at, o.pixels * o.c), (o.out_at, o.c))
        sums = self._bytes(o.in_at, o.pixels * o.c).reshape(o.pixels, o.c).astype(np.int64).sum(axis=0)
        bias = o.bias - (1 << 32) if o.bias >> 31 else o.bias
        words = np.array([o.mult_hi, o.mult_lo, o.left, o.right], np.int64)
        self._bytes(o.out_at, o.c)[:] = _requantise(sums + bias, words, o)

    def _softmax(self, o):
        exp = [int(word) for word in self._table(o.table_at, "<i4", 256)]
        if o.scratch_at % 4 or not 1 <= o.depth <= 255:
            raise ValueError(f"scratch at {o.scratch_at}, depth {o.depth}")
        size = o.rows * o.depth
        _check_distinct((o.in_at, size), (o.scratch_at, 8), (o.out_at, size))
        self._bytes(o.scratch_at, 8)[:] = 0xA5
        for row in range(o.rows):
            values = [int(value) for value in self._bytes(o.in_at + row * o.depth, o.depth)]
            exps = [exp[max(values) - value] for value in values]
            self._bytes(o.out_at + row * o.depth, o.depth)[:] = _softmax_row(exps)


def _requantise(acc, words, o):
    """gemmlowp's, as section "Rows table" writes it, with its bounds; zero point and limits are the step's."""
    hi, lo, left, right = words
    if np.any(hi >> 15) or np.any(lo >> 16) or np.any(left > 28) or np.any(right > 31):
        raise ValueError("multiplier out of range")
    if not (o.low <= o.high <= 255 and o.zero <= 255):
        raise ValueError(f"zero {o.zero}, limits {o.low} to {o.high}")
    shifted = acc << left
    if np.any(np.abs(shifted) >= 1 << 29):
        raise ValueError("accumulator out of bounds")
    t = np.floor_divide(shifted * (hi << 16 | lo) + (1 << 30), 1 << 31)
    power = np.int64(1) << right
    magnitude = (np.abs(t) + (power >> 1)) // power
    return np.clip(np.where(t < 0, -magnitude, magnitude) + o.zero, o.low, o.high).astype(np.uint8)


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


def _check_distinct(*places):
    """Raise unless the places (first byte, length) do not touch."""
    ordered = sorted(places)
    for (at, length), (following, _) in itertools.pairwise(ordered):
        if at + length > following:
            raise ValueError(f"{length} bytes at {at} overlap those at {following}")
