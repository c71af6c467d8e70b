"""Convolutions whose input becomes units once (level 2): RING_CONV. A step's `run` allocates nothing."""

import micropython
from uarray import array

from . import kernels_dot
from .dots import Dots
from .layout import UNIT_LEN, refuse


class RingConv:
    """Rows of the input become units once, in a ring of as many rows as the kernel reaches over."""

    WORDS = 24

    def __init__(self, layout, at, operands):
        in_at, in_h, in_w, c, kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w = operands[:10]
        top, left, pad = operands[10:13]
        self._out_h, self._out_w, k, _, m, _, scratch_at, out_at = operands[13:21]
        layout.convolution(operands, k, self._out_h, self._out_w)
        if c & 7:
            refuse("ring")
        tap = c // 8 * UNIT_LEN
        self._reach = (kernel_h - 1) * dilation_h
        self._ring = self._reach + 1
        # Pixels that the kernel passes over.
        width = (self._out_w - 1) * stride_w + (kernel_w - 1) * dilation_w + 1
        self._row = width * tap
        ring_len = self._ring * self._row
        self._places = array("I", bytes(((k + 15) & -16) // 2))  # a word for eight inputs
        dots = self._dots = Dots(layout, operands[15:], self._out_w, 0, self._places, stride_w * tap, ring_len)
        layout.scratch(scratch_at, dots.scratch_len)
        layout.arena(out_at, self._out_h * self._out_w * m)
        self._window = array("I", (ring_len, kernel_h, dilation_h * self._row, kernel_w, dilation_w * tap, tap))
        self._pad = bytes([pad] * 8)
        # In units; what lies beside the input's pixels is padding in every row of the ring.
        before = min(left, width)
        self._inside = min(in_w, width - before) * c // 8
        self._inside_at = scratch_at + before * tap
        self._all = self._ring * width * c // 8
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
        kernels_dot.units(self._pad, 0, arena, self._dots.inverse, 0, self._scratch_at, 1, self._all, 0)
        following = 0  # row of the padded input that becomes units next
        for y in range(self._out_h):
            first = y * self._stride
            following = max(following, first)
            while following <= first + self._reach:
                self._make(arena, following)
                following += 1
            kernels_dot.ring_places(self._places, first % self._ring * self._row, self._window)
            self._dots.run(model, arena, 0, self._out_w, out_at)
            out_at += self._out_row

    @micropython.native
    def _make(self, arena, row):
        """A row of the padded input into its place in the ring. Native for what `Dots.run` says."""
        at = self._inside_at + row % self._ring * self._row
        row -= self._top
        source, start, units, pixels = arena, self._in_at + row * self._in_row, self._inside, 1
        if not 0 <= row < self._in_h:
            source, start, units, pixels = self._pad, 0, 1, self._inside
        kernels_dot.units(source, 0, arena, self._dots.inverse, start, at, units, pixels, 0)
