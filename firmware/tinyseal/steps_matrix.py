"""Steps with rows of weights (level 2): ROWS and CONV. A step's `run` allocates nothing."""

from . import kernels_dot
from .dots import Dots


class Rows:
    WORDS = 13

    def __init__(self, layout, at, operands):
        self._in_at, self._step, self._pixels, self._strip = operands[:4]
        dots = self._dots = Dots(layout, operands[4:], self._strip)
        m, _, scratch_at, self._out_at = operands[6:10]
        layout.strip(self._strip, self._pixels)
        layout.arena(self._in_at, (self._pixels - 1) * self._step + dots.k)
        layout.scratch(scratch_at, self._strip * dots.widest + dots.sums_len)
        layout.arena(self._out_at, self._pixels * m)
        self._m = m

    def run(self, model, arena):
        at = self._in_at
        out_at = self._out_at
        left = self._pixels
        while left:
            pixels = min(left, self._strip)
            self._dots.run(model, arena, at, self._step, pixels, out_at)
            at += pixels * self._step
            out_at += pixels * self._m
            left -= pixels


class Conv:
    WORDS = 25

    def __init__(self, layout, at, operands):
        self._strip, self._out_h, self._out_w, k, _, m, _, scratch_at, self._out_at = operands[13:22]
        dots = self._dots = Dots(layout, operands[16:], self._strip)
        self._k = k
        layout.convolution(operands, k, self._out_h, self._out_w)
        layout.strip(self._strip, self._out_w)
        self._patches_at = scratch_at + self._strip * dots.widest + dots.sums_len
        layout.scratch(scratch_at, self._patches_at - scratch_at + (self._strip - 1) * k + dots.k)
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
                self._dots.run(model, arena, patches_at, self._k, pixels, out_at)
                x += pixels
                out_at += pixels * self._m
