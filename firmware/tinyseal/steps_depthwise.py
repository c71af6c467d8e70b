"""Depthwise convolutions of any shape (level 2): DEPTHWISE. A step's `run` allocates nothing."""

from . import kernels_depthwise
from .layout import refuse


class Depthwise:
    WORDS = 23

    def __init__(self, layout, at, operands):
        in_at, in_h, in_w, c, kernel_h, kernel_w = operands[:6]
        pad, multiplier, self._out_h, out_w, k, rows_at, m, out_at, zero, low, high = operands[12:]
        layout.rows(k, rows_at, m)
        layout.clamp(zero, low, high)
        layout.image(operands[1:10], operands[10:12], self._out_h, out_w)
        if k != kernel_h * kernel_w or m != c * multiplier or pad > 255:
            refuse("depthwise convolution with %d by %d weights" % (m, k))
        layout.arena(in_at, in_h * in_w * c)
        layout.arena(out_at, self._out_h * out_w * m)
        self._operands = memoryview(layout.release)[at:]

    def run(self, model, arena):
        for y in range(self._out_h):
            kernels_depthwise.depthwise(arena, arena, 0, model, self._operands, y)
