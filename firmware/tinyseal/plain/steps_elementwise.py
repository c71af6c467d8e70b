"""Elementwise operators, for boards without the native emitter: FORMAT.md's MAP, ADD, MUL, MINIMUM and MAXIMUM."""

from ustruct import unpack_from

from .fixed_point import clamp, scaled, word


def map_bytes(arena, _x, operands, release):
    """Each byte through a table of 256."""
    in_at, n, out_at, table_at = unpack_from("<4I", operands)
    for i in range(n):
        arena[out_at + i] = release[table_at + arena[in_at + i]]


def combine(_v, _t, arena, source, release, o, kind):
    """Each value with its partner: `kind` 0 the lesser, 1 the greater, as biased bytes compare, 2 ADD, 3 MUL.

    `source`: what `b_at` is an offset into, the arena or the release. `o`: the step's operands.
    """
    a_at, b_at, _, n, period, out_at = unpack_from("<6I", o)
    numbers = unpack_from("<10I", o, 24) if kind > 1 else ()
    for i in range(n):
        a = arena[a_at + i]
        b = source[b_at + i % period]
        if kind == 0:
            a = min(a, b)
        elif kind == 1:
            a = max(a, b)
        elif kind == 2:
            a_table_at, b_table_at, base = numbers[:3]
            a = _rounded(word(release, a_table_at + 4 * a) + word(release, b_table_at + 4 * b) - base, numbers)
        else:
            a_zero, b_zero, left = numbers[:3]
            a = _rounded(((a - a_zero) * (b - b_zero)) << left, numbers)
        arena[out_at + i] = a


def _rounded(v, numbers):
    """ADD's and MUL's byte of v, with the operands from `hi` on."""
    hi, lo, away, right, zero, low, high = numbers[3:]
    if hi:
        v = scaled(v, hi << 16 | lo)
    if v < 0:
        v -= away
    return clamp(((v + (1 << right >> 1)) >> right) + zero, low, high)
