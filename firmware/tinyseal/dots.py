"""Rows of weights against inputs, block by block (level 2): what ROWS, CONV and RING_CONV share (FORMAT.md)."""

from uarray import array
from usys import maxsize

from . import kernels_dot
from .kernels import requantise
from .layout import UNIT_LEN, WIDTHS

_INVERSE = bytearray(1024)
kernels_dot.invert(_INVERSE)
_PAIRS = maxsize >> 32 != 0  # a PC, whose kernels take two pixels at a time, of units with plain factors
_ONES = array("I", [1] * 256) if _PAIRS else _INVERSE
_SIDE_BY_SIDE = array("I", [UNIT_LEN * unit for unit in range(WIDTHS[0] // 8)])


def _kernel(width, pairs):
    """The kernel of a block's width; only those that a model needs are ever loaded.

    Their modules are written when the package is built (`firmware/dot_generator.py`): no type checker finds them.
    """
    if width == 64:
        from . import dot_64 as module  # type: ignore[attr-defined]
    elif width == 32:
        from . import dot_32 as module  # type: ignore[attr-defined]
    else:
        from . import dot_16 as module  # type: ignore[attr-defined]
    return module.dot_pairs if pairs else module.dot


class Dots:
    """The blocks of a dot table. `strip` pixels share the scratch; `run` and `run_ring` allocate nothing.

    `pitch`: bytes from a pixel's units to the next one's where they stay; None where each block makes its own.
    """

    def __init__(self, layout, operands, strip, pitch=None):
        k, rows_at, m, self._short, self._scratch_at, _, zero, low, high = operands
        layout.clamp(operands)
        layout.dots(k, rows_at, m, self._short)
        pairs = _PAIRS and strip > 1
        self.inverse = _ONES if pairs else _INVERSE
        self._blocks = []
        first = 0
        k_left = (k + 15) & -16
        for width in WIDTHS:
            while k_left >= width:
                own = UNIT_LEN * width // 8
                job = array("I", (rows_at, m, self._short, own if pitch is None else pitch, zero, low, high))
                self._blocks.append((_kernel(width, pairs), width // 8, job, first))
                rows_at += m * (width + 16 * self._short)
                first += width
                k_left -= width
        self._finish = layout.job(rows_at, m, operands, 1)
        self._m = m
        self.k = first
        self.widest = UNIT_LEN * self._blocks[0][1]
        self.sums_len = 0 if self._short else 4 * m * strip

    def run(self, model, arena, at, step, pixels, out_at):
        """Inputs `step` bytes apart from arena offset `at` on; in the scratch `widest` bytes a pixel, then the sums."""
        scratch_at = self._scratch_at
        into = out_at
        if not self._short:
            into = scratch_at + pixels * self.widest
            kernels_dot.clear(arena, into, pixels * self._m)
        for dot, units, job, first in self._blocks:
            kernels_dot.units(arena, 0, arena, self.inverse, at + first, scratch_at, units, pixels, step)
            dot(model, 0, arena, job, _SIDE_BY_SIDE, scratch_at, into, pixels)
        if not self._short:
            requantise(0, 0, arena, model, self._finish, into, out_at, pixels * self._m)

    def run_ring(self, model, arena, places, sums_at, pixels, out_at):
        """Units that lie at `places`, one view of them for each block, from the scratch's beginning on."""
        into = out_at
        if not self._short:
            into = sums_at
            kernels_dot.clear(arena, into, pixels * self._m)
        for block in range(len(self._blocks)):
            dot, _, job, _ = self._blocks[block]
            dot(model, 0, arena, job, places[block], self._scratch_at, into, pixels)
        if not self._short:
            requantise(0, 0, arena, model, self._finish, into, out_at, pixels * self._m)

    def views(self, places):
        """Of an array of places, one view for each block."""
        return [memoryview(places)[first // 8 :] for _, _, _, first in self._blocks]
