"""The int8 network's leaves, for boards without the native emitter (level 1); FORMAT.md defines what they compute."""

from ustruct import unpack_from

from . import fixed_point
from .fixed_point import clamp, word


def quantise(p, _a, _q, out, n, table):
    """n float32 at p to n biased bytes at out, by their bits (FORMAT.md "Quantise table"). NaN was refused."""
    zero, first, count = unpack_from("<3I", table)
    for i in range(n):
        (bits,) = unpack_from("<I", p, 4 * i)
        a = bits & 0x7FFFFFFF
        q = (a >> 16) - first
        if q < 0:
            q = 0
        elif q >= count:
            q = 256
        else:
            q = table[1040 + q]
            while a >= unpack_from("<I", table, 12 + 4 * q)[0]:
                q += 1
        out[i] = clamp(zero - q if bits >> 31 else zero + q, 0, 255)


def finish(x, n, out):
    """n biased bytes to int8 at out; returns the index of the first greatest."""
    top = 0
    for i in range(n):
        out[i] = x[i] - 128
        if x[i] > x[top]:
            top = i
    return top


def requantise(_v, _t, arena, model, job, at, out_at, n):
    """n sums, words at offset `at` of the arena, to bytes at `out_at`.

    `job`: release offset of records of five words (FORMAT.md, "Rows table"), how many there are before they begin
    again, 1 where a sum with its bias is twice the accumulator and 0 where it is the accumulator, 0, zero, low, high.
    """
    records_at, m, twice, _, zero, low, high = unpack_from("<7I", job)
    for i in range(n):
        base, hi, lo, left, right = unpack_from("<i4I", model, records_at + 20 * (i % m))
        total = (word(arena, at + 4 * i) + base) & 0xFFFFFFFF
        acc = ((total ^ 0x80000000) - 0x80000000) >> twice
        value = fixed_point.requantise(acc, hi << 16 | lo, left, right)
        arena[out_at + i] = clamp(value + zero, low, high)
