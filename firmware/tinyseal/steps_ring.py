"""Convolutions whose input becomes units once (level 2): RING_CONV. A step's `run` allocates nothing."""

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
        dots = self._dots = Dots(layout, operands[15:], self._out_w, stride_w * tap)
        self._reach = (kernel_h - 1) * dilation_h
        self._ring = self._reach + 1
        # Pixels that the kernel passes over.
        width = self._width = (self._out_w - 1) * stride_w + (kernel_w - 1) * dilation_w + 1
        self._row = width * tap
        ring_len = self._ring * self._row
        self._sums_at = scratch_at + ring_len
        layout.scratch(scratch_at, ring_len + dots.sums_len)
        layout.arena(out_at, self._out_h * self._out_w * m)
        self._places = array("I", bytes(4 * (dots.k // 8)))
        self._views = dots.views(self._places)
        self._window = array("I", (ring_len, kernel_h, dilation_h * self._row, kernel_w, dilation_w * tap, tap))
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
        if 0 <= row < self._in_h:
            at = self._make_padding(arena, at, self._before)
            units = self._units * self._inside
            kernels_dot.units(arena, 0, arena, self._dots.inverse, self._in_at + row * self._in_row, at, units, 1, 0)
            self._make_padding(arena, at + UNIT_LEN * units, self._behind)
        else:
            self._make_padding(arena, at, self._width)

    def _make_padding(self, arena, at, pixels):
        """Pixels that are not in the input; where they end."""
        units = self._units * pixels
        kernels_dot.units(self._pad, 0, arena, self._dots.inverse, 0, at, 1, units, 0)
        return at + UNIT_LEN * units
