"""MEAN, MAX_POOL and AVERAGE_POOL: their leaf and their steps, whose `run` allocates nothing (level 2)."""

import micropython
from micropython import const
from uarray import array

from .kernels import requantise
from .layout import refuse

_PIXELS_MAX = const(8421504)  # 255 * pixels stays below 2^31
_CELLS_MAX = const(16384)  # under a pool's kernel


@micropython.viper
def pool(x: ptr8, v: int, arena: ptr8, o: ptr32, y: int, kind: int):
    """Output row y: of each kernel and channel the greatest (`kind` 0), the average (1), or, as words, the sum (2).

    x and v reserve registers: pass the arena and 0. `o`: a pool's operands; the zero point of sums and averages is 128.
    Every kernel covers a cell of the input in each axis; what lies outside is cut off before the loop.
    |sum| <= 128 n; of an average n <= 16384, so that |sum| + n / 2 < 2^22. viper's division is a call into the runtime,
    dear and short.
    Instructions a cell, a row of the kernel and an output (RV32 / Xtensa): the greatest 17, 38 and 64 / 20, 41 and 71;
    the average 13, 38 and 114 / 16, 41 and 116, and the division.
    """
    in_w = o[2]
    c = o[3]
    out = ptr8(int(arena) + o[12] + y * o[11] * c)
    sums = ptr32(out)
    low = o[13]
    high = o[14]
    top = y * o[6] - o[8]
    bottom = top + o[4]
    if top < 0:
        top = 0
    if bottom > o[1]:
        bottom = o[1]
    start = 0 - o[9]
    pixel = 0
    while pixel < o[11]:
        left = start if start > 0 else 0
        right = start + o[5]
        if right > in_w:
            right = in_w
        across = (right - left) * c
        n = (bottom - top) * (right - left)
        line = int(arena) + o[0] + (top * in_w + left) * c
        following = line + c
        while line < following:
            v = low
            if kind:
                v = 0 - (n << 7)
            x = ptr8(line)
            rows = bottom - top
            while rows > 0:
                end = int(x) + across
                if kind:
                    while int(x) < end:
                        v += x[0]
                        x = ptr8(int(x) + c)
                else:
                    while int(x) < end:
                        t = x[0]
                        if t > v:
                            v = t
                        x = ptr8(int(x) + c)
                x = ptr8(int(x) + in_w * c - across)
                rows -= 1
            line += 1
            if kind == 2:
                sums[0] = v
                sums = ptr32(int(sums) + 4)
            else:
                if kind:
                    t = n >> 1
                    if v < 0:  # the division rounds down, where towards zero is wanted
                        t = n - 1 - t
                    v = (v + t) // n + 128
                    if v < low:
                        v = low
                out[0] = v if v < high else high
                out = ptr8(int(out) + 1)
        start += o[7]
        pixel += 1


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
        self._operands = layout.view(at)

    def run(self, model, arena):
        for y in range(self._out_h):
            pool(arena, 0, arena, self._operands, y, self.kind)


class AveragePool(MaxPool):
    WORDS = 15
    kind = 1
