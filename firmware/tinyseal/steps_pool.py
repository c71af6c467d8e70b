"""Steps that mean and pool (level 2): MEAN, MAX_POOL and AVERAGE_POOL. A step's `run` allocates nothing."""

from micropython import const

from . import kernels_pool
from .layout import refuse

_PIXELS_MAX = const(8421504)  # 255 * pixels stays below 2^31
_CELLS_MAX = const(16384)  # under a pool's kernel


class Mean:
    WORDS = 12

    def __init__(self, layout, at, operands):
        in_at, pixels, c, out_at, _, hi, lo, left, right, zero, low, high = operands
        if not 1 <= pixels <= _PIXELS_MAX:
            refuse("mean over %d pixels" % pixels)
        layout.multiplier(hi, lo, left, right)
        layout.clamp(zero, low, high)
        layout.arena(in_at, pixels * c)
        layout.arena(out_at, c)
        self._operands = memoryview(layout.release)[at:]

    def run(self, model, arena):
        kernels_pool.mean(self._operands, arena)


class MaxPool:
    WORDS = 15

    def __init__(self, layout, at, operands):
        in_at, in_h, in_w, c, kernel_h, kernel_w, stride_h, stride_w, top, left = operands[:10]
        self._out_h, out_w, out_at, low, high = operands[10:]
        layout.clamp(0, low, high)
        layout.image(operands[1:8], operands[8:10], self._out_h, out_w)
        _covered(in_h, kernel_h, stride_h, top, self._out_h)
        _covered(in_w, kernel_w, stride_w, left, out_w)
        if kernel_h * kernel_w > _CELLS_MAX:
            refuse("pool of %d by %d cells" % (kernel_h, kernel_w))
        layout.arena(in_at, in_h * in_w * c)
        layout.arena(out_at, self._out_h * out_w * c)
        self._operands = memoryview(layout.release)[at:]

    def run(self, model, arena):
        for y in range(self._out_h):
            kernels_pool.max_pool(arena, 0, self._operands, y)


class AveragePool(MaxPool):
    WORDS = 15

    def run(self, model, arena):
        for y in range(self._out_h):
            kernels_pool.average_pool(arena, 0, self._operands, y)


def _covered(size, kernel, stride, padding, outputs):
    """Along one axis every kernel covers a cell of the input: the first is not before it, the last not behind."""
    if padding >= kernel or (outputs - 1) * stride - padding >= size:
        refuse("pool outside of its input")
