"""Elementwise steps (level 2): MAP, ADD, MUL, MINIMUM and MAXIMUM. A step's `run` allocates nothing."""

from . import kernels_elementwise as kernels
from .layout import refuse


class Map:
    WORDS = 4

    def __init__(self, layout, at, operands):
        in_at, length, out_at, table_at = operands
        layout.arena(in_at, length)
        layout.arena(out_at, length)
        layout.table(table_at, 256)
        self._operands = memoryview(layout.release)[at:]

    def run(self, model, arena):
        kernels.map_bytes(arena, arena, self._operands, model)


class _Pair:
    """What the operators of two operands have in common: the first six of a step, in `layout`'s bounds."""

    def __init__(self, layout, at, operands):
        a_at, b_at, self._b_constant, length, period, out_at = operands[:6]
        if self._b_constant > 1 or not period or length % period:
            refuse("operand of %d values for %d" % (period, length))
        layout.arena(a_at, length)
        layout.arena(out_at, length)
        if self._b_constant:
            layout.table(b_at, period)
        else:
            layout.arena(b_at, period)
        self._operands = memoryview(layout.release)[at:]


class Add(_Pair):
    WORDS = 21

    def __init__(self, layout, at, operands):
        super().__init__(layout, at, operands)
        a_zero, a_hi, a_lo, a_right, b_zero, b_hi, b_lo, b_right, subtract, hi, lo, right, zero, low, high = operands[
            6:
        ]
        if a_zero > 255 or b_zero > 255 or subtract > 1:
            refuse("sum about %d and %d" % (a_zero, b_zero))
        layout.multiplier(a_hi, a_lo, 0, a_right)
        layout.multiplier(b_hi, b_lo, 0, b_right)
        layout.multiplier(hi, lo, 0, right)
        layout.clamp(zero, low, high)

    def run(self, model, arena):
        kernels.add(arena, model if self._b_constant else arena, self._operands)


class Mul(_Pair):
    WORDS = 15

    def __init__(self, layout, at, operands):
        super().__init__(layout, at, operands)
        a_zero, b_zero, hi, lo, left, right, zero, low, high = operands[6:]
        if a_zero > 255 or b_zero > 255:
            refuse("product about %d and %d" % (a_zero, b_zero))
        layout.multiplier(hi, lo, left, right)
        layout.clamp(zero, low, high)

    def run(self, model, arena):
        kernels.mul(arena, model if self._b_constant else arena, self._operands)


class Minimum(_Pair):
    WORDS = 6

    def run(self, model, arena):
        kernels.extreme(arena, model if self._b_constant else arena, self._operands, 0)


class Maximum(_Pair):
    WORDS = 6

    def run(self, model, arena):
        kernels.extreme(arena, model if self._b_constant else arena, self._operands, 1)
