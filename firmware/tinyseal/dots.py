"""Rows of weights against inputs, block by block (level 2): what ROWS, CONV and RING_CONV share (FORMAT.md)."""

import micropython
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
    """The blocks of a dot table. `run` allocates nothing.

    Units are made block by block from inputs `step` bytes apart, `strip` pixels in the scratch at a time, with the sums
    behind them. With `places` they lie there already, at these places in the scratch and `pitch` bytes a pixel further,
    and the sums begin `sums_from` bytes behind its beginning.
    """

    def __init__(self, layout, operands, strip, step, places=None, pitch=0, sums_from=0):
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
                units = width // 8
                job = array("I", (rows_at, m, self._short, pitch or units * UNIT_LEN, zero, low, high))
                kernel = _kernel(width, pairs)
                if places is None:
                    self._blocks.append((kernel, job, _SIDE_BY_SIDE, units, first))
                else:
                    self._blocks.append((kernel, job, memoryview(places)[first // 8 :], 0, 0))
                rows_at += m * (width + 16 * self._short)
                first += width
                k_left -= width
        self._finish = layout.job(rows_at, m, operands, 1)
        self._m = m
        self._step = step
        self._strip = strip
        self.k = first
        if places is None:
            sums_from = strip * UNIT_LEN * self._blocks[0][3]
        self._sums_at = self._scratch_at + sums_from
        self.scratch_len = sums_from + (0 if self._short else 4 * m * strip)

    # As bytecode it would need a frame on the heap, and every call a search for room there, past a whole model.
    @micropython.native
    def run(self, model, arena, at, pixels, out_at):
        """Inputs from arena offset `at` on; outputs from `out_at` on."""
        while pixels:
            n = min(pixels, self._strip)
            into = out_at
            if not self._short:
                into = self._sums_at
                kernels_dot.clear(arena, into, n * self._m)
            for dot, job, places, units, first in self._blocks:
                if units:
                    kernels_dot.units(arena, 0, arena, self.inverse, at + first, self._scratch_at, units, n, self._step)
                dot(model, 0, arena, job, places, self._scratch_at, into, n)
            if not self._short:
                requantise(0, 0, arena, model, self._finish, into, out_at, n * self._m)
            at += n * self._step
            out_at += n * self._m
            pixels -= n
