"""Depthwise convolutions of any shape, DEPTHWISE: its leaf and its step, whose `run` allocates nothing (level 2)."""

import micropython

from .kernels import requantise
from .layout import refuse


@micropython.viper
def depthwise(s: ptr32, x: ptr8, arena: ptr8, release: ptr8, o: ptr32, y: int, pixel: int):
    """For one pixel of output row y the sum of each channel, without its bias, as words at the step's scratch.

    s and x only reserve registers: pass the arena. `o`: the step's operands. Tap by tap, so that the inner loop goes
    along the channels; a tap in the padding is left out, as what it adds is zero. |sum(w * (x - pad))| <= 128 * 255 *
    k < 2^29 for k <= 16384. Places come from 16-bit operands and y, pixel < 2^15; what wraps modulo 2^32 is still held
    against in_h and in_w before a byte is read.
    RV32 40 instructions a weight, Xtensa 46, and some 170 and 190 a tap.
    """
    m = o[18]
    pad = o[12]
    multiplier = o[13]
    sums = int(arena) + o[19]
    last = sums + 4 * m
    s = ptr32(sums)
    while int(s) < last:
        s[0] = 0
        s = ptr32(int(s) + 4)
    weights = int(release) + o[17]
    iy = y * o[6] - o[10]
    ky = o[4]
    while ky > 0:
        ix = pixel * o[7] - o[11]
        kx = o[5]
        while kx > 0:
            if uint(ix) < uint(o[2]) and uint(iy) < uint(o[1]):
                j = 0
                while j < multiplier:
                    x = ptr8(int(arena) + o[0] + (iy * o[2] + ix) * o[3])
                    s = ptr32(sums + 4 * j)
                    w = ptr8(weights + j)
                    while int(s) < last:
                        v = x[0] - pad
                        s[0] = (w[0] - 128) * v + s[0]
                        x = ptr8(int(x) + 1)
                        s = ptr32(int(s) + 4 * multiplier)
                        w = ptr8(int(w) + multiplier)
                    j += 1
            weights += m
            ix += o[9]
            kx -= 1
        iy += o[8]
        ky -= 1


class Depthwise:
    WORDS = 24

    def __init__(self, layout, at, operands):
        in_at, in_h, in_w, c, kernel_h, kernel_w = operands[:6]
        pad, multiplier, self._out_h, self._out_w, k, rows_at, m, self._sums_at, self._out_at = operands[12:21]
        records_at = layout.rows(k, rows_at, m)
        layout.clamp(operands)
        layout.image(operands[1:10], operands[10:12], self._out_h, self._out_w)
        if k != kernel_h * kernel_w or m != c * multiplier or pad > 255:
            refuse("depthwise")
        layout.arena(in_at, in_h * in_w * c)
        layout.scratch(self._sums_at, 4 * m)
        layout.arena(self._out_at, self._out_h * self._out_w * m)
        self._operands = layout.view(at)
        self._job = layout.job(records_at, m, operands)
        self._m = m

    def run(self, model, arena):
        out_at = self._out_at
        for y in range(self._out_h):
            for pixel in range(self._out_w):
                depthwise(arena, arena, arena, model, self._operands, y, pixel)
                requantise(0, 0, arena, model, self._job, self._sums_at, out_at, self._m)
                out_at += self._m
