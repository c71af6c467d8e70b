"""Steps with rows of weights (level 2): ROWS and CONV. A step's `run` allocates nothing."""

from . import kernels_dot
from .dots import Dots


class Rows:
    WORDS = 13

    def __init__(self, layout, at, operands):
        self._in_at, step, self._pixels, strip = operands[:4]
        dots = self._dots = Dots(layout, operands[4:], strip, step)
        m, _, scratch_at, self._out_at = operands[6:10]
        layout.strip(strip, self._pixels)
        layout.arena(self._in_at, (self._pixels - 1) * step + dots.k)
        layout.scratch(scratch_at, dots.scratch_len)
        layout.arena(self._out_at, self._pixels * m)

    def run(self, model, arena):
        self._dots.run(model, arena, self._in_at, self._pixels, self._out_at)


class Conv:
    WORDS = 25

    def __init__(self, layout, at, operands):
        self._strip, self._out_h, self._out_w, k, _, m, _, scratch_at, self._out_at = operands[13:22]
        dots = self._dots = Dots(layout, operands[16:], self._strip, k)
        layout.convolution(operands, k, self._out_h, self._out_w)
        layout.strip(self._strip, self._out_w)
        self._patches_at = scratch_at + dots.scratch_len
        layout.scratch(scratch_at, dots.scratch_len + (self._strip - 1) * k + dots.k)
        layout.arena(self._out_at, self._out_h * self._out_w * m)
        self._operands = layout.view(at)
        self._m = m

    def run(self, model, arena):
        out_at = self._out_at
        patches_at = self._patches_at
        for y in range(self._out_h):
            x = 0
            while x < self._out_w:
                pixels = min(self._out_w - x, self._strip)
                kernels_dot.patches(arena, arena, self._operands, y, x, pixels, patches_at)
                self._dots.run(model, arena, patches_at, pixels, out_at)
                x += pixels
                out_at += pixels * self._m
