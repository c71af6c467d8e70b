"""SOFTMAX: its leaf and its step, whose `run` allocates nothing (level 2)."""

import micropython

from .layout import refuse


@micropython.viper
def softmax(a: int, b: int, arena: ptr8, exp: ptr32, in_at: int, depth: int, out_at: int):
    """One row of FORMAT.md's SOFTMAX; a and b reserve registers: pass 0. exp: its table, never negative as i32.

    What takes the time is a product floor((a * b + 2^30) / 2^31) from 16-bit halves: |ah * bl| and |al * bh| <= 2^31 -
    2^15, al * bl < 2^32. Seven of them make the reciprocal r of the sum, in gemmlowp's way: Newton's r += r * (1 - d *
    r), three times, from 48/17 - 32/17 * d; the rest scale the exponentials.
    RV32 224 instructions a value and 1,250 more a row, Xtensa 241 and 1,320.
    """
    x = ptr8(int(arena) + in_at)
    out = ptr8(int(arena) + out_at)
    b = 0
    i = 0
    while i < depth:
        if x[i] > b:
            b = x[i]
        i += 1
    top = b
    a = 0
    i = 0
    while i < depth:
        a += int((uint(exp[top - x[i]]) + uint(2048)) >> uint(12))
        i += 1
    shift = 34  # 12 integer bits of the sum, + 30 of d, - 8 for an output in 1/256
    while a >> 30 == 0:
        a = a << 1
        shift -= 1
    half = 1 << (shift - 1)
    d = a
    b = -0x3C3C3C3C  # -32/17
    r = 0x2D2D2D2D
    r = r + r  # 48/17 in Q2.29; as a literal it would be an object
    i = -7
    while i < depth:
        if i >= 0:
            a = r + r
            if r >> 30:  # 1/d = 2 at the least d: saturates
                a = 1
                a = (a << 30) - 1 + (a << 30)
            b = exp[top - x[i]]
        ah = a >> 16
        a = a & 0xFFFF
        bh = b >> 16
        b = b & 0xFFFF
        low = int(uint(a * b) >> uint(16))
        a = a * bh
        b = ah * b
        t = ah * bh * 2 + (a >> 15) + (b >> 15) + (((a & 0x7FFF) + (b & 0x7FFF) + low + 16384) >> 15)
        if i >= 0:
            t = int((uint(t) + uint(half)) >> uint(shift))
            out[i] = t if t < 255 else 255
        elif i & 1:
            if i != -7:
                t = t << 2
            r += t
            a = d
            b = r
        else:
            a = r
            b = (1 << 29) - t
        i += 1


class Softmax:
    WORDS = 5

    def __init__(self, layout, at, operands):
        self._in_at, self._rows, self._depth, self._out_at, table_at = operands
        if not 1 <= self._depth <= 255:
            refuse("depth")
        layout.arena(self._in_at, self._rows * self._depth)
        layout.arena(self._out_at, self._rows * self._depth)
        layout.table(table_at, 1024)
        if layout.word(table_at) != 0x7FFFFFFF:  # exp(0): keeps the sum of a row from being zero
            refuse("exponentials")
        self._exp = layout.view(table_at)

    def run(self, model, arena):
        at = 0
        for _ in range(self._rows):
            softmax(0, 0, arena, self._exp, self._in_at + at, self._depth, self._out_at + at)
            at += self._depth
