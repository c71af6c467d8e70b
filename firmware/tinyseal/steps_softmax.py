"""The SOFTMAX step (level "steps"). Its `run` allocates nothing."""

from . import kernels_softmax
from .layout import refuse


class Softmax:
    WORDS = 6

    def __init__(self, layout, at, operands):
        self._in_at, self._rows, self._depth, scratch_at, self._out_at, table_at = operands
        if not 1 <= self._depth <= 255 or scratch_at & 3:
            refuse("softmax over %d values" % self._depth)
        layout.arena(self._in_at, self._rows * self._depth)
        layout.arena(self._out_at, self._rows * self._depth)
        layout.arena(scratch_at, 8)
        layout.table(table_at, 1024)
        if layout.word(table_at) != 0x7FFFFFFF:  # exp(0): keeps the sum of a row from being zero
            refuse("exponential table")
        self._scratch_at = scratch_at
        self._exp = memoryview(layout.release)[table_at:]

    def run(self, model, arena):
        at = 0
        for _ in range(self._rows):
            top = kernels_softmax.softmax_sum(arena, self._in_at + at, self._depth, self._exp, self._scratch_at)
            kernels_softmax.softmax_reciprocal(arena, self._scratch_at)
            kernels_softmax.softmax_scale(
                arena, self._in_at + at, self._depth, self._exp, self._scratch_at, top, self._out_at + at
            )
            at += self._depth
