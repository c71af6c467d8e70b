"""The SOFTMAX step (level 2). Its `run` allocates nothing."""

from .kernels_softmax import softmax
from .layout import refuse


class Softmax:
    WORDS = 5

    def __init__(self, layout, at, operands):
        self._in_at, self._rows, self._depth, self._out_at, table_at = operands
        if not 1 <= self._depth <= 255:
            refuse("depth")
        layout.arena(self._in_at, self._rows * self._depth)
        layout.arena(self._out_at, self._rows * self._depth)
        layout.table(table_at, 1024)
        if layout.word(table_at) != 0x7FFFFFFF:  # exp(0): keeps the sum of a row from being zero
            refuse("exponentials")
        self._exp = memoryview(layout.release)[table_at:]

    def run(self, model, arena):
        at = 0
        for _ in range(self._rows):
            softmax(0, 0, arena, self._exp, self._in_at + at, self._depth, self._out_at + at)
            at += self._depth
