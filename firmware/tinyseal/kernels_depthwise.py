"""Depthwise convolution, a viper leaf (level 1): FORMAT.md's DEPTHWISE and "Rows table".

Words and requantisation as in kernels.py.
"""

import micropython


@micropython.viper
def depthwise(x: ptr8, w: ptr8, acc: int, release: ptr8, operands: ptr32, y: int):
    """Output row y. x is the arena; w and acc only reserve registers: pass the arena and 0. operands: the step's.

    |sum(x * w)| <= 255 * 128 * k < 2^30 for k <= 16384. Places come from 16-bit operands and y, out_w < 2^15; what
    wraps modulo 2^32 is still held against in_h and in_w before a byte is read.
    RV32 82 instructions a weight and 110 more an output, Xtensa 95 and 125.
    """
    arena = int(x)
    in_h = operands[1]
    in_w = operands[2]
    c = operands[3]
    kernel_h = operands[4]
    kernel_w = operands[5]
    dilation_h = operands[8]
    dilation_w = operands[9]
    pad = operands[12]
    multiplier = operands[13]
    out_w = operands[15]
    zero = operands[20]
    low = operands[21]
    high = operands[22]
    image = arena + operands[0]
    out = ptr8(arena + operands[19] + y * out_w * operands[18])
    top = y * operands[6] - operands[10]
    left = 0 - operands[11]
    wide = 1
    wide = int((wide << 31) << 1 != 0) << 5
    pixel = 0
    while pixel < out_w:
        w = ptr8(int(release) + operands[17])
        i = 0
        while i < c:
            j = 0
            while j < multiplier:
                acc = 0
                iy = top
                ky = kernel_h
                while ky > 0:
                    ix = left
                    kx = kernel_w
                    while kx > 0:
                        v = pad
                        if uint(ix) < uint(in_w) and uint(iy) < uint(in_h):
                            x = ptr8(image + (iy * in_w + ix) * c + i)
                            v = x[0]
                        acc = (w[0] - 128) * v + acc
                        w = ptr8(int(w) + 1)
                        ix += dilation_w
                        kx -= 1
                    iy += dilation_h
                    ky -= 1
                record = ptr32((int(w) + 3) & -4)
                acc = (((record[0] << wide) >> wide) + acc) << record[3]
                lo = record[2]
                h = acc >> 15
                acc = acc & 0x7FFF
                t = (lo * acc) >> 15
                t = (((lo * h + t + 32768) >> 1) + record[1] * acc) >> 15
                t = record[1] * h + t
                right = record[4]
                if right:
                    t = ((t >> 31) + t + (1 << (right - 1))) >> right
                t += zero
                if t < low:
                    t = low
                if t > high:
                    t = high
                out[0] = t
                out = ptr8(int(out) + 1)
                w = ptr8(int(record) + 20)
                j += 1
            i += 1
        left += operands[7]
        pixel += 1
