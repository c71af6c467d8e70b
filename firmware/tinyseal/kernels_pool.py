"""Means and pools, viper leaves (level 1): FORMAT.md's MEAN, MAX_POOL and AVERAGE_POOL.

Words and requantisation as in kernels.py. Biased bytes compare and add as the int8 values do, but for 128 a value.
"""

import micropython


@micropython.viper
def mean(operands: ptr32, arena: ptr8):
    """Mean over positions, channel by channel (MEAN's operands): sum of bytes, bias, requantise as above, clamp."""
    pixels = operands[1]
    c = operands[2]
    out = ptr8(int(arena) + operands[3])
    hi = operands[5]
    lo = operands[6]
    right = operands[8]
    wide = 1
    wide = int((wide << 31) << 1 != 0) << 5
    i = 0
    while i < c:
        x = ptr8(int(arena) + operands[0] + i)
        acc = (operands[4] << wide) >> wide
        n = pixels
        while n > 0:
            acc += x[0]
            x = ptr8(int(x) + c)
            n -= 1
        acc = acc << operands[7]
        h = acc >> 15
        acc = acc & 0x7FFF
        t = (lo * acc) >> 15
        t = (((lo * h + t + 32768) >> 1) + hi * acc) >> 15
        t = hi * h + t
        if right:
            t = ((t >> 31) + t + (1 << (right - 1))) >> right
        t += operands[9]
        if t < operands[10]:
            t = operands[10]
        if t > operands[11]:
            t = operands[11]
        out[i] = t
        i += 1


@micropython.viper
def max_pool(x: ptr8, v: int, operands: ptr32, y: int):
    """Output row y of MAX_POOL. x is the arena; v only reserves a register: pass 0. operands: the step's.

    Every kernel covers a cell of the input, in each axis; what lies outside is cut off before the loop.
    RV32 28 instructions a cell and 125 more an output, Xtensa 33 and 145.
    """
    arena = int(x)
    in_w = operands[2]
    c = operands[3]
    out = ptr8(arena + operands[12] + y * operands[11] * c)
    low = operands[13]
    high = operands[14]
    top = y * operands[6] - operands[8]
    bottom = top + operands[4]
    if top < 0:
        top = 0
    if bottom > operands[1]:
        bottom = operands[1]
    start = 0 - operands[9]
    pixel = 0
    while pixel < operands[11]:
        left = start if start > 0 else 0
        right = start + operands[5]
        if right > in_w:
            right = in_w
        i = 0
        while i < c:
            best = low
            line = arena + operands[0] + (top * in_w + left) * c + i
            iy = top
            while iy < bottom:
                x = ptr8(line)
                ix = left
                while ix < right:
                    v = x[0]
                    if v > best:
                        best = v
                    x = ptr8(int(x) + c)
                    ix += 1
                line += in_w * c
                iy += 1
            out[i] = best if best < high else high
            i += 1
        out = ptr8(int(out) + c)
        start += operands[7]
        pixel += 1


@micropython.viper
def average_pool(x: ptr8, acc: int, operands: ptr32, y: int):
    """Output row y of AVERAGE_POOL; the arguments and cells as in max_pool.

    |sum| <= 128 n and n <= 16384, so |sum| + n/2 < 2^22. The quotient is 128 at most: eight steps of a division by
    shifting and subtracting, as viper's own division is a call.
    RV32 25 instructions a cell and 405 more an output, Xtensa 28 and 455.
    """
    arena = int(x)
    in_w = operands[2]
    c = operands[3]
    out = ptr8(arena + operands[12] + y * operands[11] * c)
    low = operands[13]
    high = operands[14]
    top = y * operands[6] - operands[8]
    bottom = top + operands[4]
    if top < 0:
        top = 0
    if bottom > operands[1]:
        bottom = operands[1]
    start = 0 - operands[9]
    pixel = 0
    while pixel < operands[11]:
        left = start if start > 0 else 0
        right = start + operands[5]
        if right > in_w:
            right = in_w
        n = (bottom - top) * (right - left)
        i = 0
        while i < c:
            acc = 0 - (n << 7)
            line = arena + operands[0] + (top * in_w + left) * c + i
            iy = top
            while iy < bottom:
                x = ptr8(line)
                ix = left
                while ix < right:
                    acc += x[0]
                    x = ptr8(int(x) + c)
                    ix += 1
                line += in_w * c
                iy += 1
            rest = (acc if acc >= 0 else 0 - acc) + (n >> 1)
            t = 0
            bit = 128
            while bit > 0:
                if rest >= n * bit:
                    rest -= n * bit
                    t += bit
                bit = bit >> 1
            t = 128 + (t if acc >= 0 else 0 - t)
            if t < low:
                t = low
            if t > high:
                t = high
            out[i] = t
            i += 1
        out = ptr8(int(out) + c)
        start += operands[7]
        pixel += 1
