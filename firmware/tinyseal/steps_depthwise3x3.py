"""Depthwise convolutions with 3x3 weights, DEPTHWISE3X3: leaf and step, whose `run` allocates nothing (level 2).

Counted, instructions a multiply-accumulate with everything included, 64 channels of 25x5, SAME (RV32 / Xtensa):

    the general kernel                                                  91 / 106
    weights in locals, rows along the shorter axis                      21.2 / 25.9
    the same along the longer axis                                      17.5 / 22.0
    zero point inside the rounding, v instead of a stack local at last  16.4 / 20.6
    comparisons with the local on the left                              16.4 / 20.3    this
    the source in a register and the column on the stack                16.2 / 20.7

and 15.1 / 19.0 for 16 channels of 48x48. Of these 6 and 8 are load, multiply and add: Xtensa's emitter spills what it
loaded.
"""

import micropython

from .layout import refuse


@micropython.viper
def depthwise(p: ptr8, v: int, arena: ptr8, release: ptr8, o: ptr32):
    """A whole layer, channel by channel. p and v reserve registers: pass the arena and 0. o: the step's operands.

    A row is what lies along the axis that the compiler chose; `in_col` and `out_col` are bytes from one of its pixels
    to the next.

    Three rows of the channel, with their padding, lie column by column in the scratch: nine bytes that follow each
    other are what lies under the kernel. A row stays in its slot while the kernel moves down; so the weights, in
    locals, move from slot to slot instead. |sum(x * w)| < 2^20, so that the products with the multiplier's digits, 11,
    10 and 10 bits, stay below 2^31.
    """
    image = int(arena) + o[0]
    in_col = o[5]
    stride = 3 * o[7]
    ring = int(arena) + o[11]
    width = (o[13] - 1) * o[7] + 3
    inside = width - o[9]
    if inside > o[2]:
        inside = o[2]
    out_col = o[15]
    low = o[19]
    span = o[20] - low
    wide = 1
    wide = int((wide << 31) << 1 != 0) << 5
    record = ptr8(int(release) + o[16])
    p = ptr8(ring)
    end = ring + 3 * width
    while int(p) < end:
        p[0] = o[10]
        p = ptr8(int(p) + 1)
    i = 0
    while i < o[3]:
        a0 = record[0] - 128
        a1 = record[1] - 128
        a2 = record[2] - 128
        b0 = record[3] - 128
        b1 = record[4] - 128
        b2 = record[5] - 128
        c0 = record[6] - 128
        c1 = record[7] - 128
        c2 = record[8] - 128
        words = ptr32(record)
        bias = (words[3] << wide) >> wide
        v = words[4]
        low_digit = v & 0x7FF
        digit = (v >> 11) & 0x3FF
        high_digit = v >> 21
        half = words[5] + ((o[18] - low) << words[6])  # the zero point too: a multiple of what it is divided by
        right = words[6]
        following = 0
        slot = 0
        y = 0
        while y < o[12]:
            last = y * o[6] + 2
            while following <= last:
                row = following - o[8]
                if uint(row) < uint(o[1]):
                    source = ptr8(image + row * o[4] + i)
                    p = ptr8(ring + slot + 3 * o[9])
                    end = int(p) + 3 * inside
                    while int(p) + 12 <= end:
                        p[0] = source[0]
                        source = ptr8(int(source) + in_col)
                        p[3] = source[0]
                        source = ptr8(int(source) + in_col)
                        p[6] = source[0]
                        source = ptr8(int(source) + in_col)
                        p[9] = source[0]
                        source = ptr8(int(source) + in_col)
                        p = ptr8(int(p) + 12)
                    while int(p) < end:
                        p[0] = source[0]
                        source = ptr8(int(source) + in_col)
                        p = ptr8(int(p) + 3)
                else:
                    p = ptr8(ring + slot)
                    end = int(p) + 3 * width
                    while int(p) < end:
                        p[0] = o[10]
                        p = ptr8(int(p) + 3)
                following += 1
                slot += 1
                if slot > 2:
                    slot = 0
            out = ptr8(int(arena) + o[17] + y * o[14] + i)
            p = ptr8(ring)
            end = ring + stride * o[13]
            while end > int(p):
                v = p[0] * a0 + bias
                v = p[1] * b0 + v
                v = p[2] * c0 + v
                v = p[3] * a1 + v
                v = p[4] * b1 + v
                v = p[5] * c1 + v
                v = p[6] * a2 + v
                v = p[7] * b2 + v
                v = p[8] * c2 + v
                t = (low_digit * v) >> 11
                t = (digit * v + t) >> 10
                v = (high_digit * v + t + 512) >> 10
                v = ((v >> 31) + v + half) >> right
                if uint(span) < uint(v):
                    v = 0 if v < 0 else span
                out[0] = v + low
                out = ptr8(int(out) + out_col)
                p = ptr8(int(p) + stride)
            n = o[6]
            while n > 0:  # the kernel moves down: what is in a slot meets the row of weights above
                t = a0
                a0 = c0
                c0 = b0
                b0 = t
                t = a1
                a1 = c1
                c1 = b1
                b1 = t
                t = a2
                a2 = c2
                c2 = b2
                b2 = t
                n -= 1
            y += 1
        record = ptr8(int(record) + 28)
        i += 1


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
        self._operands = layout.view(at)

    def run(self, model, arena):
        depthwise(arena, 0, arena, model, self._operands)
