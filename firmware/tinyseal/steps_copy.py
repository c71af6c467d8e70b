"""FILL and COPY: their leaf and their steps, whose `run` allocates nothing (level 2)."""

import micropython
from micropython import const
from uarray import array

from .layout import refuse

_END = const(1 << 24)  # of a COPY's sizes and strides
_ONCE = array("i", (1, 1, 0, 0) * 4)  # the loops of a single run


@micropython.viper
def copy(x: ptr8, out: ptr8, at: int, out_at: int, size: int, loops: ptr32):
    """Runs of `size` bytes, first byte first, from arena offset `at` to `out_at`, in four loops around each other.

    x and out are both the arena. `loops`: of each loop, the innermost first, its turns, the turns still to go, which
    are the same before and after, and what is added to the two places when it goes on, as i32.
    RV32 21 instructions a byte and 60 more a run, Xtensa 22 and 69.
    """
    x = ptr8(int(x) + at)
    out = ptr8(int(out) + out_at)
    wide = 1
    wide = int((wide << 31) << 1 != 0) << 5
    loop = loops
    last = int(loops) + 64
    while int(loop) < last:
        n = size
        while n > 0:
            out[0] = x[0]
            x = ptr8(int(x) + 1)
            out = ptr8(int(out) + 1)
            n -= 1
        loop = loops
        while int(loop) < last:
            loop[1] = loop[1] - 1
            if loop[1]:
                x = ptr8(int(x) + ((loop[2] << wide) >> wide))
                out = ptr8(int(out) + ((loop[3] << wide) >> wide))
                break
            loop[1] = loop[0]
            loop = ptr32(int(loop) + 16)


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
