"""Depthwise convolutions of any shape (level 2): DEPTHWISE. A step's `run` allocates nothing."""

from .kernels import requantise
from .kernels_depthwise import depthwise
from .layout import refuse


class Depthwise:
    WORDS = 24

    def __init__(self, layout, at, operands):
        in_at, in_h, in_w, c, kernel_h, kernel_w = operands[:6]
        pad, multiplier, self._out_h, self._out_w, k, rows_at, m, self._sums_at, self._out_at = operands[12:21]
        records_at = layout.rows(k, rows_at, m)
        layout.clamp(operands)
        layout.image(operands[1:10], operands[10:12], self._out_h, self._out_w)
        if k != kernel_h * kernel_w or m != c * multiplier or pad > 255:
            refuse("depthwise")
        layout.arena(in_at, in_h * in_w * c)
        layout.scratch(self._sums_at, 4 * m)
        layout.arena(self._out_at, self._out_h * self._out_w * m)
        self._operands = memoryview(layout.release)[at:]
        self._job = layout.job(records_at, m, operands)
        self._m = m

    def run(self, model, arena):
        out_at = self._out_at
        for y in range(self._out_h):
            for pixel in range(self._out_w):
                depthwise(arena, arena, arena, model, self._operands, y, pixel)
                requantise(0, 0, arena, model, self._job, self._sums_at, out_at, self._m)
                out_at += self._m
