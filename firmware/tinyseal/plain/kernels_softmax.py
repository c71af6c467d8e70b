"""Softmax on int8, for boards without the native emitter (level 1): FORMAT.md's SOFTMAX, symbol by symbol."""

from ustruct import pack_into, unpack_from

from .fixed_point import word


def _mul(a, b):
    return (a * b + 0x40000000) >> 31


def softmax_sum(arena, in_at, depth, exp, scratch_at):
    """The sum of exponentials in Q12.19 to scratch[0]; returns the greatest byte."""
    top = max(arena[in_at + i] for i in range(depth))
    total = 0
    for i in range(depth):
        total += (word(exp, 4 * (top - arena[in_at + i])) + 0x800) >> 12
    pack_into("<I", arena, scratch_at, total)
    return top


def softmax_reciprocal(arena, scratch_at):
    """1 / sum: from the sum in Q12.19 in scratch[0], Q0.31 to scratch[0] and the final right shift to scratch[1]."""
    (total,) = unpack_from("<I", arena, scratch_at)
    shift = 35  # less h, the zero bits before the first one of the sum
    while not total & 0x80000000:
        total <<= 1
        shift -= 1
    d = total >> 1
    r = 1515870810 + _mul(d, -1010580540)
    for _ in range(3):
        r += 4 * _mul(r, 0x20000000 - _mul(d, r))
    pack_into("<2I", arena, scratch_at, 0x7FFFFFFF if r >> 30 else 2 * r, shift)


def softmax_scale(arena, in_at, depth, exp, scratch_at, top, out_at):
    """out = exp * reciprocal, biased, scale 1/256."""
    scale, shift = unpack_from("<2I", arena, scratch_at)
    for i in range(depth):
        e = _mul(scale, word(exp, 4 * (top - arena[in_at + i])))
        arena[out_at + i] = min(255, (e + (1 << (shift - 1))) >> shift)
