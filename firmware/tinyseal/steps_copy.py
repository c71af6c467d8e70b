"""Steps that move bytes (level 2): FILL and COPY. A step's `run` allocates nothing."""

from micropython import const
from uarray import array

from .kernels_copy import copy
from .layout import refuse

_END = const(1 << 24)  # of a COPY's sizes and strides
_ONCE = array("i", (1, 1, 0, 0) * 4)  # the loops of a single run


class Fill:
    WORDS = 3

    def __init__(self, layout, at, operands):
        self._out_at, self._length, self._value = operands
        if self._value > 255:
            refuse("value")
        layout.arena(self._out_at, self._length)

    def run(self, model, arena):
        arena[self._out_at] = self._value
        copy(arena, arena, self._out_at, self._out_at + 1, self._length - 1, _ONCE)  # each byte from the one before


class Copy:
    WORDS = 15

    def __init__(self, layout, at, operands):
        self._in_at, self._out_at, self._size = operands[:3]
        if not 1 <= min(operands[2:7]) <= max(operands[2:7]) < _END:
            refuse("size")
        self._loops = array("i", (0 for _ in range(16)))
        self._moves(layout, self._in_at, operands, 7)
        self._moves(layout, self._out_at, operands, 11)

    def _moves(self, layout, at, operands, strides_at):
        """The loops of one side, whose strides are operands from `strides_at` on, and what they reach."""
        end = at + self._size
        back = self._size  # what all loops inside have moved the place by
        for loop in range(4):
            turns = operands[6 - loop]
            word = operands[strides_at + 3 - loop]
            stride = word - (word >> 31 << 32)  # an i32
            if not -_END < stride < _END:
                refuse("stride")
            reach = (turns - 1) * stride
            if reach < 0:
                at += reach
            else:
                end += reach
            self._loops[4 * loop] = self._loops[4 * loop + 1] = turns
            self._loops[4 * loop + 2 + (strides_at == 11)] = stride - back
            back += reach
        if at < 0:
            refuse("arena")
        layout.arena(at, end - at)

    def run(self, model, arena):
        copy(arena, arena, self._in_at, self._out_at, self._size, self._loops)
