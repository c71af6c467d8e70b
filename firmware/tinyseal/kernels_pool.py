"""Pools and means, a viper leaf (level 1): FORMAT.md's MEAN, MAX_POOL and AVERAGE_POOL."""

import micropython


@micropython.viper
def pool(x: ptr8, v: int, arena: ptr8, o: ptr32, y: int, kind: int):
    """Output row y: of each kernel and channel the greatest (`kind` 0), the average (1), or, as words, the sum (2).

    x and v reserve registers: pass the arena and 0. `o`: a pool's operands; the zero point of sums and averages is 128.
    Every kernel covers a cell of the input in each axis; what lies outside is cut off before the loop.
    |sum| <= 128 n; of an average n <= 16384, so that |sum| + n / 2 < 2^22. viper's division is a call into the runtime,
    dear and short.
    RV32 17 instructions a cell and 169 more an output for the greatest, 13 and 221 and a division for the average;
    Xtensa 20 and 180, 16 and 238.
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
                    t = ((v if v >= 0 else 0 - v) + (n >> 1)) // n
                    v = 128 + (t if v >= 0 else 0 - t)
                    if v < low:
                        v = low
                out[0] = v if v < high else high
                out = ptr8(int(out) + 1)
        start += o[7]
        pixel += 1
