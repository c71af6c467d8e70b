"""Steps with a rows table (level 2): ROWS, CONV and DEPTHWISE. A step's `run` allocates nothing."""

from . import kernels, kernels_depthwise
from .layout import refuse


class Rows:
    WORDS = 10

    def __init__(self, layout, at, operands):
        self._in_at, self._step, self._pixels, k, rows_at, m, self._out_at, zero, low, high = operands
        layout.rows(k, rows_at, m)
        layout.clamp(zero, low, high)
        layout.arena(self._in_at, (self._pixels - 1) * self._step + k if self._pixels else 0)
        layout.arena(self._out_at, self._pixels * m)
        self._layer = memoryview(layout.release)[at + 12 :]

    def run(self, model, arena):
        kernels.rows(model, arena, 0, self._layer, self._in_at, self._step, self._pixels, self._out_at)


class Conv:
    WORDS = 23

    def __init__(self, layout, at, operands):
        in_at, in_h, in_w, c, kernel_h, kernel_w = operands[:6]
        pad, self._scratch_at, self._out_h, self._out_w, k, rows_at, m, self._out_at, zero, low, high = operands[12:]
        layout.rows(k, rows_at, m)
        layout.clamp(zero, low, high)
        if k != kernel_h * kernel_w * c or pad > 255 or not self._out_h or not self._out_w:
            refuse("convolution of %d by %d pixels with %d weights" % (self._out_h, self._out_w, k))
        if max(operands[1:12]) >> 16 or max(self._out_h, self._out_w) >> 15:
            refuse("convolution too large")  # what the patches' coordinates are made of: products below 2^31
        layout.arena(in_at, in_h * in_w * c)
        layout.arena(self._scratch_at, self._out_w * k)
        layout.arena(self._out_at, self._out_h * self._out_w * m)
        view = memoryview(layout.release)
        self._operands = view[at:]
        self._layer = view[at + 64 :]
        self._k = k
        self._row = self._out_w * m

    def run(self, model, arena):
        out_at = self._out_at
        for y in range(self._out_h):
            kernels.patches(self._operands, arena, y)
            kernels.rows(model, arena, 0, self._layer, self._scratch_at, self._k, self._out_w, out_at)
            out_at += self._row


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
