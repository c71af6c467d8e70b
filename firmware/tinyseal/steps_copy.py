"""Steps that move bytes (level 2): FILL and COPY. A step's `run` allocates nothing."""

from micropython import const

from . import kernels_copy
from .layout import refuse

_END = const(1 << 24)  # of a COPY's sizes and strides


class Fill:
    WORDS = 3

    def __init__(self, layout, at, operands):
        self._out_at, self._length, self._value = operands
        if self._value > 255:
            refuse("fill with %d" % self._value)
        layout.arena(self._out_at, self._length)

    def run(self, model, arena):
        kernels_copy.fill(arena, self._out_at, self._length, self._value)


class Copy:
    WORDS = 15

    def __init__(self, layout, at, operands):
        in_at, out_at, size = operands[:3]
        turns = operands[3:7]
        if not 1 <= min(operands[2:7]) <= max(operands[2:7]) < _END:
            refuse("copy of %d bytes" % size)
        _reach(layout, in_at, size, turns, operands[7:11])
        _reach(layout, out_at, size, turns, operands[11:15])
        self._operands = memoryview(layout.release)[at:]

    def run(self, model, arena):
        kernels_copy.copy(arena, arena, 0, self._operands)


def _reach(layout, at, size, turns, strides):
    """Holds the lowest and the highest byte that a copy's loops come to against the arena."""
    end = at + size
    for n, word in zip(turns, strides):
        stride = word - (word >> 31 << 32)  # an i32
        if not -_END < stride < _END:
            refuse("copy with a stride of %d" % stride)
        if stride < 0:
            at += (n - 1) * stride
        else:
            end += (n - 1) * stride
    if at < 0:
        refuse("copy from %d before the arena" % -at)
    layout.arena(at, end - at)
