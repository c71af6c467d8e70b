"""Steps with rows of weights (level 2): ROWS, CONV and RING_CONV. A step's `run` allocates nothing."""

from uarray import array

from . import kernels_dot
from .dots import INVERSE, Dots
from .layout import UNIT_LEN, refuse


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
        self._operands = memoryview(layout.release)[at:]
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


class RingConv:
    """Rows of the input become units once, in a ring of as many rows as the kernel reaches over."""

    WORDS = 24

    def __init__(self, layout, at, operands):
        in_at, in_h, in_w, c, kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, top, left, pad = operands[:13]
        self._out_h, self._out_w, k, _, m, _, scratch_at, out_at = operands[13:21]
        layout.convolution(operands, k, self._out_h, self._out_w)
        if c & 7:
            refuse("ring of %d channels" % c)
        tap = c // 8 * UNIT_LEN
        dots = self._dots = Dots(layout, operands[15:], self._out_w, stride_w * tap)
        self._reach = (kernel_h - 1) * dilation_h
        self._ring = self._reach + 1
        width = (self._out_w - 1) * stride_w + (kernel_w - 1) * dilation_w + 1  # pixels that the kernel passes over
        self._row = width * tap
        self._sums_at = scratch_at + self._ring * self._row
        layout.scratch(scratch_at, self._ring * self._row + dots.sums_len)
        layout.arena(out_at, self._out_h * self._out_w * m)
        self._places = array("I", bytes(4 * (dots.k // 8)))
        self._views = dots.views(self._places)
        self._window = array("I", (self._ring * self._row, kernel_h, dilation_h * self._row, kernel_w, dilation_w * tap, tap))
        self._pad = bytes([pad] * 8)
        self._units = c // 8
        self._before = min(left, width)
        self._inside = min(in_w, width - self._before)
        self._behind = width - self._before - self._inside
        self._top = top
        self._in_h = in_h
        self._in_at = in_at
        self._in_row = in_w * c
        self._stride = stride_h
        self._scratch_at = scratch_at
        self._out_at = out_at
        self._out_row = self._out_w * m

    def run(self, model, arena):
        out_at = self._out_at
        following = 0  # row of the padded input that becomes units next
        for y in range(self._out_h):
            first = y * self._stride
            following = max(following, first)
            while following <= first + self._reach:
                self._make(arena, following)
                following += 1
            kernels_dot.ring_places(self._places, first % self._ring * self._row, self._window)
            self._dots.run_ring(model, arena, self._views, self._sums_at, self._out_w, out_at)
            out_at += self._out_row

    def _make(self, arena, row):
        """A row of the padded input into its place in the ring."""
        at = self._scratch_at + row % self._ring * self._row
        row -= self._top
        units = self._units
        if not 0 <= row < self._in_h:
            kernels_dot.units(self._pad, 0, arena, INVERSE, 0, at, 1, units * (self._before + self._inside + self._behind), 0)
            return
        if self._before:
            kernels_dot.units(self._pad, 0, arena, INVERSE, 0, at, 1, units * self._before, 0)
            at += self._before * units * 36
        kernels_dot.units(arena, 0, arena, INVERSE, self._in_at + row * self._in_row, at, units * self._inside, 1, 0)
        if self._behind:
            at += self._inside * units * 36
            kernels_dot.units(self._pad, 0, arena, INVERSE, 0, at, 1, units * self._behind, 0)
