"""Steps that mean and pool (level 2): MEAN, MAX_POOL and AVERAGE_POOL. A step's `run` allocates nothing."""

from micropython import const
from uarray import array

from .kernels import requantise
from .kernels_pool import pool
from .layout import refuse

_PIXELS_MAX = const(8421504)  # 255 * pixels stays below 2^31
_CELLS_MAX = const(16384)  # under a pool's kernel


class Mean:
    """Sums as of a pool whose kernel covers all pixels, which lie in one row."""

    WORDS = 13

    def __init__(self, layout, at, operands):
        in_at, pixels, self._c, self._sums_at, self._out_at = operands[:5]
        if not 1 <= pixels <= _PIXELS_MAX:
            refuse("pixels")
        layout.multiplier(*operands[6:10])
        layout.clamp(operands)
        layout.arena(in_at, pixels * self._c)
        layout.scratch(self._sums_at, 4 * self._c)
        layout.arena(self._out_at, self._c)
        self._pool = array("I", (in_at, 1, pixels, self._c, 1, pixels, 1, 1, 0, 0, 1, 1, self._sums_at, 0, 0))
        self._job = layout.job(at + 20, 1, operands)

    def run(self, model, arena):
        pool(arena, 0, arena, self._pool, 0, 2)
        requantise(0, 0, arena, model, self._job, self._sums_at, self._out_at, self._c)


class MaxPool:
    WORDS = 15
    kind = 0

    def __init__(self, layout, at, operands):
        in_at, in_h, in_w, c, kernel_h, kernel_w, stride_h, stride_w, top, left = operands[:10]
        self._out_h, out_w, out_at, low, high = operands[10:]
        layout.clamp((0, low, high))
        layout.image(operands[1:8], operands[8:10], self._out_h, out_w)
        # Along each axis every kernel covers a cell of the input: the first is not before it, the last not behind.
        if top >= kernel_h or (self._out_h - 1) * stride_h - top >= in_h:
            refuse("pool")
        if left >= kernel_w or (out_w - 1) * stride_w - left >= in_w or kernel_h * kernel_w > _CELLS_MAX:
            refuse("pool")
        layout.arena(in_at, in_h * in_w * c)
        layout.arena(out_at, self._out_h * out_w * c)
        self._operands = memoryview(layout.release)[at:]

    def run(self, model, arena):
        for y in range(self._out_h):
            pool(arena, 0, arena, self._operands, y, self.kind)


class AveragePool(MaxPool):
    WORDS = 15
    kind = 1
