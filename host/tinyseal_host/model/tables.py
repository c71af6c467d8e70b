"""The tables that a board's kernels read, as FORMAT.md section 3 has them: rows, quantisation, exponentials."""

from __future__ import annotations

import struct

import numpy as np
import numpy.typing as npt

from .layers import Filter
from .quantisation import Int8, Int64, Multiplier

BIAS = 128
"""Activations and weights are stored as bytes biased by this much."""
WIDTHS = (64, 32, 16)
"""Of the blocks in a dot table, from the widest on."""
UNIT_LEN = 36
"""Bytes of scratch for what eight inputs become."""
_SHORT_BOUND = 1 << 22  # twice as much times a byte stays below 2^31
_DEPTHWISE3X3_BOUND = 1 << 20  # times 11 bits stays below 2^31
_DEPTHWISE3X3_RIGHT = 22
_INFINITY = 0x7F800000
_NO_MORE = 0x7FFFFFFF  # above the bits of every number: ends the search
_SATURATED = 255  # that many thresholds up or down, a byte is at its limit whatever the zero point


def multiplier_words(q31: int, shift: int) -> tuple[int, int, int, int]:
    """`mult_hi`, `mult_lo`, `left` and `right` of a multiplier; for zero, which ADD and MUL do not take, of 2^-46."""
    if q31 == 0:
        return 1, 0, 0, 31
    return q31 >> 16, q31 & 0xFFFF, max(shift, 0), max(-shift, 0)


def biased(values: Int8) -> bytes:
    """int8 values as biased bytes, padded with zero bytes to a multiple of 4."""
    table = (values.astype(np.int64).reshape(-1) + BIAS).astype(np.uint8).tobytes()
    return table + bytes(-len(table) % 4)


def rows_table(rows: Filter) -> bytes:
    """The rows table of a filter: biased weights tap by tap, padded to words, and five words for each output."""
    weights = biased(np.ascontiguousarray(rows.weights.T))
    return weights + _records(rows.bias, rows.requantisation.multiplier)


def _records(first: Int64, multiplier: Multiplier) -> bytes:
    """Five words for each row: `first` and the row's multiplier."""
    halves = multiplier.q31 >> 16, multiplier.q31 & 0xFFFF
    words = np.stack([first, *halves, multiplier.left, multiplier.right], axis=1)
    return words.astype("<i4").tobytes()


def padded_row(k: int) -> int:
    """Bytes of a row of k weights in a dot table."""
    return -(-k // WIDTHS[-1]) * WIDTHS[-1]


def blocks_of(k: int) -> list[int]:
    """The widths of the blocks into which rows of k weights are cut."""
    blocks: list[int] = []
    left = padded_row(k)
    for width in WIDTHS:
        blocks += [width] * (left // width)
        left %= width
    return blocks


def is_short(rows: Filter) -> bool:
    """Whether a dot table can have a row's numbers behind it: one block, no left shift, accumulators below 2^22."""
    multiplier = rows.requantisation.multiplier
    one_block = padded_row(rows.weights.shape[1]) in WIDTHS
    return one_block and rows.bound < _SHORT_BOUND and bool((multiplier.right >= 1).all())


def dot_table(rows: Filter) -> bytes:
    """The dot table of a filter, short where it can be: blocks of biased weights, and each row's numbers."""
    m, k = rows.weights.shape
    weights = np.full((m, padded_row(k)), BIAS, np.uint8)
    weights[:, :k] = rows.weights.view(np.uint8) ^ BIAS
    multiplier = rows.requantisation.multiplier
    zero = rows.input_zero_point + BIAS
    # Twice the accumulator is sum(v * (2x + 1)) - 256 * sum(x) + base, for biased weights v and inputs x.
    base = 2 * (rows.bias - zero * rows.weights.sum(axis=1, dtype=np.int64)) - weights.sum(axis=1, dtype=np.int64)
    if is_short(rows):
        words = np.stack([base, multiplier.q31, np.int64(1) << multiplier.right >> 1, multiplier.right], axis=1)
        return np.concatenate([weights, words.astype("<i4").view(np.uint8)], axis=1).tobytes()
    table, first = b"", 0
    for width in blocks_of(k):
        table += weights[:, first : first + width].tobytes()
        first += width
    return table + _records(base, multiplier)


def fits_depthwise3x3(rows: Filter) -> bool:
    """Whether a 3x3 table can hold a filter: no left shift, right shifts 1 to 22, accumulators below 2^20."""
    right = rows.requantisation.multiplier.right
    return rows.bound < _DEPTHWISE3X3_BOUND and bool(((right >= 1) & (right <= _DEPTHWISE3X3_RIGHT)).all())


def depthwise3x3_table(rows: Filter) -> bytes:
    """The 3x3 table: nine biased weights, three zero bytes and four words for each channel."""
    multiplier = rows.requantisation.multiplier
    bias = rows.bias - (rows.input_zero_point + BIAS) * rows.weights.sum(axis=1, dtype=np.int64)
    words = np.stack([bias, multiplier.q31, np.int64(1) << multiplier.right >> 1, multiplier.right], axis=1)
    weights = np.pad(rows.weights.view(np.uint8) ^ BIAS, ((0, 0), (0, 3)))
    return np.concatenate([weights, words.astype("<i4").view(np.uint8)], axis=1).tobytes()


def quantise_table(scale: float, zero_point: int) -> bytes:
    """The quantise table for an input of that scale and zero point."""
    thresholds = _thresholds(np.float32(scale))
    coarse = thresholds[:_SATURATED] >> 16
    first, last = int(coarse[0]), int(coarse[-1])
    steps = np.searchsorted(thresholds[:_SATURATED], np.arange(first, last + 1) << 16, side="right").astype(np.uint8)
    head = struct.pack("<3I", zero_point + BIAS, first, len(steps))
    table = head + thresholds.astype("<u4").tobytes() + struct.pack("<I", _NO_MORE) + steps.tobytes()
    return table + bytes(-len(table) % 4)


def _thresholds(scale: np.float32) -> Int64:
    """int64 [256]: bits of the least float32 x >= 0 whose x / scale in float32 is n + 1/2 or more, else infinity's.

    The quotient grows with x and the bits of non-negative float32 are in order, so each is found by bisection.
    """
    wanted = np.arange(256, dtype=np.float32) + np.float32(0.5)
    below, reached = np.full(256, -1, np.int64), np.full(256, _INFINITY, np.int64)
    with np.errstate(over="ignore", under="ignore"):
        while (reached - below > 1).any():
            middle = (below + reached) >> 1
            values: npt.NDArray[np.float32] = middle.astype(np.uint32).view(np.float32)
            enough = values / scale >= wanted
            reached, below = np.where(enough, middle, reached), np.where(enough, below, middle)
    return reached


def exponential_table(exponentials: Int64) -> bytes:
    """The exponential table: 256 Q0.31 numbers as i32."""
    return exponentials.astype("<i4").tobytes()
