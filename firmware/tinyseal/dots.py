"""Rows of weights against inputs, block by block (level 2): what ROWS, CONV and RING_CONV share (FORMAT.md)."""

from uarray import array

from . import kernels_dot
from .layout import UNIT_LEN, WIDTHS

INVERSE = bytearray(1024)
kernels_dot.invert(INVERSE)
_SIDE_BY_SIDE = array("I", [UNIT_LEN * unit for unit in range(WIDTHS[0] // 8)])


def _kernel(width):
    """The kernel of a block's width; only those that a model needs are ever loaded."""
    if width == 64:
        from .dot_64 import dot
    elif width == 32:
        from .dot_32 import dot
    else:
        from .dot_16 import dot
    return dot


class Dots:
    """The blocks of a dot table. `strip` pixels share the scratch; `run` and `run_ring` allocate nothing.

    `pitch`: bytes from a pixel's units to the next one's where they stay; None where each block makes its own.
    """

    def __init__(self, layout, operands, strip, pitch=None):
        k, rows_at, m, self._short, self._scratch_at, _, zero, low, high = operands
        layout.clamp(zero, low, high)
        layout.dots(k, rows_at, m, self._short)
        self._blocks = []
        first = 0
        k_left = (k + 15) & -16
        for width in WIDTHS:
            while k_left >= width:
                own = UNIT_LEN * width // 8
                job = array("I", (rows_at, m, self._short, own if pitch is None else pitch, zero, low, high))
                self._blocks.append((_kernel(width), width // 8, job, first))
                rows_at += m * (width + 16 * self._short)
                first += width
                k_left -= width
        self._finish = array("I", (rows_at, m, 0, 0, zero, low, high))
        self._clear = m
        self.k = first
        self.widest = UNIT_LEN * self._blocks[0][1]
        self.sums_len = 0 if self._short else 4 * m * strip

    def run(self, model, arena, at, step, pixels, out_at):
        """Inputs `step` bytes apart from arena offset `at` on. Scratch: `widest` bytes for each pixel, then the sums."""
        scratch_at = self._scratch_at
        into = out_at
        if not self._short:
            into = scratch_at + pixels * self.widest
            kernels_dot.clear(arena, into, pixels * self._clear)
        for dot, units, job, first in self._blocks:
            kernels_dot.units(arena, 0, arena, INVERSE, at + first, scratch_at, units, pixels, step)
            dot(model, 0, arena, job, _SIDE_BY_SIDE, scratch_at, into, pixels)
        if not self._short:
            kernels_dot.sums(arena, 0, model, self._finish, into, out_at, pixels)

    def run_ring(self, model, arena, places, sums_at, pixels, out_at):
        """Units that lie at `places`, one view of them for each block, from the scratch's beginning on."""
        into = out_at
        if not self._short:
            into = sums_at
            kernels_dot.clear(arena, into, pixels * self._clear)
        block = 0
        for dot, _, job, _ in self._blocks:
            dot(model, 0, arena, job, places[block], self._scratch_at, into, pixels)
            block += 1
        if not self._short:
            kernels_dot.sums(arena, 0, model, self._finish, into, out_at, pixels)

    def views(self, places):
        """Of an array of places, one view for each block."""
        return [memoryview(places)[first // 8 :] for _, _, _, first in self._blocks]
