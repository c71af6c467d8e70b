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


class Minimum:
    """What has two operands: the first six words of a step are the same for all of them."""

    WORDS = 6
    kind = 0

    def __init__(self, layout, at, operands):
        a_at, b_at, self._b_constant, length, period, out_at = operands[:6]
        if self._b_constant > 1 or not period or length % period:
            refuse("period")
        layout.arena(a_at, length)
        layout.arena(out_at, length)
        if self._b_constant:
            layout.table(b_at, period)
        else:
            layout.arena(b_at, period)
        self._operands = memoryview(layout.release)[at:]

    def run(self, model, arena):
        kernels.combine(0, 0, arena, model if self._b_constant else arena, model, self._operands, self.kind)


class Maximum(Minimum):
    WORDS = 6
    kind = 1


class Add(Minimum):
    WORDS = 16
    kind = 2

    def __init__(self, layout, at, operands):
        super().__init__(layout, at, operands)
        a_table_at, b_table_at, _, hi, lo, _, right = operands[6:13]
        layout.table(a_table_at, 1024)
        layout.table(b_table_at, 1024)
        layout.multiplier(hi, lo, 0, right)
        layout.clamp(operands)


class Mul(Minimum):
    WORDS = 16
    kind = 3

    def __init__(self, layout, at, operands):
        super().__init__(layout, at, operands)
        a_zero, b_zero, left, hi, lo, _, right = operands[6:13]
        if max(a_zero, b_zero) > 255:
            refuse("zero point")
        layout.multiplier(hi, lo, left, right)
        layout.clamp(operands)
