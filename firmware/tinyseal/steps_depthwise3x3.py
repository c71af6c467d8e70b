"""Depthwise convolutions with 3x3 weights (level 2): DEPTHWISE3X3. A step's `run` allocates nothing."""

from . import kernels_depthwise3x3
from .layout import refuse


class Depthwise3x3:
    WORDS = 21

    def __init__(self, layout, at, operands):
        in_at, rows, cols, c, in_row, in_col, down, across, before_down, before_across, pad, scratch_at = operands[:12]
        out_rows, out_cols, out_row, out_col, rows_at, out_at, zero, low, _ = operands[12:]
        layout.clamp(operands)
        layout.short_records(rows_at, c, 28, 22)
        layout.image((rows, cols, c, down, across), (before_down, before_across), out_rows, out_cols)
        if pad > 255 or max(in_row, in_col, out_row, out_col) >> 24 or zero < low:
            refuse("strides")
        layout.arena(in_at, (rows - 1) * in_row + (cols - 1) * in_col + c)
        layout.arena(out_at, (out_rows - 1) * out_row + (out_cols - 1) * out_col + c)
        layout.arena(scratch_at, 3 * ((out_cols - 1) * across + 3))
        self._operands = memoryview(layout.release)[at:]

    def run(self, model, arena):
        kernels_depthwise3x3.depthwise(arena, 0, arena, model, self._operands)
