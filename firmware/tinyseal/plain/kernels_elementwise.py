"""Elementwise operators, for boards without the native emitter (level 1): FORMAT.md's MAP, ADD, MUL, MINIMUM, MAXIMUM.

`arena` holds a and the output, `source` what `b_at` is an offset into: the arena or the release.
"""

from ustruct import unpack_from

from .fixed_point import clamp, requantise


def map_bytes(arena, _x, operands, release):
    """Each byte through a table of 256."""
    in_at, n, out_at, table_at = unpack_from("<4I", operands)
    for i in range(n):
        arena[out_at + i] = release[table_at + arena[in_at + i]]


def add(arena, source, operands):
    """a + b, or a - b, each scaled by its own multiplier."""
    a_at, b_at, _, n, period, out_at = unpack_from("<6I", operands)
    a_zero, a_hi, a_lo, a_right, b_zero, b_hi, b_lo, b_right = unpack_from("<8I", operands, 24)
    subtract, hi, lo, right, zero, low, high = unpack_from("<7I", operands, 56)
    for i in range(n):
        a = requantise(arena[a_at + i] - a_zero, a_hi, a_lo, 20, a_right)
        b = requantise(source[b_at + i % period] - b_zero, b_hi, b_lo, 20, b_right)
        total = a - b if subtract else a + b
        arena[out_at + i] = clamp(requantise(total, hi, lo, 0, right) + zero, low, high)


def mul(arena, source, operands):
    """a * b, requantised."""
    a_at, b_at, _, n, period, out_at, a_zero, b_zero = unpack_from("<8I", operands)
    hi, lo, left, right, zero, low, high = unpack_from("<7I", operands, 32)
    for i in range(n):
        product = (arena[a_at + i] - a_zero) * (source[b_at + i % period] - b_zero)
        arena[out_at + i] = clamp(requantise(product, hi, lo, left, right) + zero, low, high)


def extreme(arena, source, operands, greatest):
    """The lesser of a and b, or the greater with `greatest` 1."""
    a_at, b_at, _, n, period, out_at = unpack_from("<6I", operands)
    for i in range(n):
        a, b = arena[a_at + i], source[b_at + i % period]
        arena[out_at + i] = max(a, b) if greatest else min(a, b)
