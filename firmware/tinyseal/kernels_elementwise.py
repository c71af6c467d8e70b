"""Elementwise operators, viper leaves (level 1): FORMAT.md's MAP, ADD, MUL, MINIMUM and MAXIMUM.

`arena` holds a and the output, `source` what `b_at` is an offset into: the arena or the release. b repeats after
`period` values. operands: the step's. Words and requantisation as in kernels.py.
"""

import micropython


@micropython.viper
def map_bytes(arena: ptr8, x: ptr8, operands: ptr32, release: ptr8):
    """Each byte through a table of 256. x only reserves a register: pass the arena.

    RV32 29 instructions a byte, Xtensa 33.
    """
    x = ptr8(int(arena) + operands[0])
    out = ptr8(int(arena) + operands[2])
    table = ptr8(int(release) + operands[3])
    n = operands[1]
    while n > 0:
        out[0] = table[x[0]]
        x = ptr8(int(x) + 1)
        out = ptr8(int(out) + 1)
        n -= 1


@micropython.viper
def add(arena: ptr8, source: ptr8, operands: ptr32):
    """a + b, or a - b, each scaled by its own multiplier.

    A scaled operand is (d * 2^20 * multiplier + 2^30) >> 31 with |d| <= 255. As d * 2^20 has no bits below the 15th,
    the requantisation has h = d * 2^5 and l = 0, and is hi*h + ((lo*h + 2^15) >> 16): |lo*h| < 2^29, |hi*h| < 2^28.
    The sum stays below 2^29. RV32 257 instructions a value, Xtensa 289.
    """
    a = ptr8(int(arena) + operands[0])
    start = int(source) + operands[1]
    b = ptr8(start)
    n = operands[3]
    period = operands[4]
    out = ptr8(int(arena) + operands[5])
    a_right = operands[9]
    b_right = operands[13]
    hi = operands[15]
    lo = operands[16]
    right = operands[17]
    low = operands[19]
    high = operands[20]
    left = period
    while n > 0:
        h = (a[0] - operands[6]) << 5
        acc = operands[7] * h + ((operands[8] * h + 32768) >> 16)
        if a_right:
            acc = ((acc >> 31) + acc + (1 << (a_right - 1))) >> a_right
        h = (b[0] - operands[10]) << 5
        t = operands[11] * h + ((operands[12] * h + 32768) >> 16)
        if b_right:
            t = ((t >> 31) + t + (1 << (b_right - 1))) >> b_right
        if operands[14]:
            t = 0 - t
        acc += t
        h = acc >> 15
        acc = acc & 0x7FFF
        t = (lo * acc) >> 15
        t = (((lo * h + t + 32768) >> 1) + hi * acc) >> 15
        t = hi * h + t
        if right:
            t = ((t >> 31) + t + (1 << (right - 1))) >> right
        t += operands[18]
        if t < low:
            t = low
        if t > high:
            t = high
        out[0] = t
        a = ptr8(int(a) + 1)
        b = ptr8(int(b) + 1)
        out = ptr8(int(out) + 1)
        left -= 1
        if left == 0:
            left = period
            b = ptr8(start)
        n -= 1


@micropython.viper
def mul(arena: ptr8, source: ptr8, operands: ptr32):
    """a * b: |product| <= 255 * 255, and below 2^29 after the left shift, as the compiler sees to.

    RV32 172 instructions a value, Xtensa 195.
    """
    a = ptr8(int(arena) + operands[0])
    start = int(source) + operands[1]
    b = ptr8(start)
    n = operands[3]
    period = operands[4]
    out = ptr8(int(arena) + operands[5])
    a_zero = operands[6]
    b_zero = operands[7]
    hi = operands[8]
    lo = operands[9]
    right = operands[11]
    low = operands[13]
    high = operands[14]
    left = period
    while n > 0:
        acc = ((a[0] - a_zero) * (b[0] - b_zero)) << operands[10]
        h = acc >> 15
        acc = acc & 0x7FFF
        t = (lo * acc) >> 15
        t = (((lo * h + t + 32768) >> 1) + hi * acc) >> 15
        t = hi * h + t
        if right:
            t = ((t >> 31) + t + (1 << (right - 1))) >> right
        t += operands[12]
        if t < low:
            t = low
        if t > high:
            t = high
        out[0] = t
        a = ptr8(int(a) + 1)
        b = ptr8(int(b) + 1)
        out = ptr8(int(out) + 1)
        left -= 1
        if left == 0:
            left = period
            b = ptr8(start)
        n -= 1


@micropython.viper
def extreme(arena: ptr8, source: ptr8, operands: ptr32, greatest: int):
    """The lesser of a and b, or the greater with `greatest` 1: biased bytes compare as the int8 values do.

    RV32 68 instructions a value, Xtensa 72.
    """
    a = ptr8(int(arena) + operands[0])
    start = int(source) + operands[1]
    b = ptr8(start)
    n = operands[3]
    period = operands[4]
    out = ptr8(int(arena) + operands[5])
    left = period
    while n > 0:
        v = a[0]
        t = b[0]
        if int(t > v) == greatest:
            v = t
        out[0] = v
        a = ptr8(int(a) + 1)
        b = ptr8(int(b) + 1)
        out = ptr8(int(out) + 1)
        left -= 1
        if left == 0:
            left = period
            b = ptr8(start)
        n -= 1
