"""The int8 network's viper leaves (level 1); FORMAT.md's "Program header" and "Rows table" define what they compute.

Activations and weights are bytes biased by 128, so that loads need no sign extension; what the offsets add is in the
table's bias and in one sum per input. A step's operands are words of the release, used where they lie; offsets named
`*_at` are into the arena.

Word size: a ptr32 load is signed on the board and zero-extended on a 64-bit VM. Words that may be negative go through
`(w << wide) >> wide`, where `wide` is 32 on a 64-bit VM and 0 on the board. Products stay below 2^31 as noted at each.

Requantisation is gemmlowp's in 32 bits, for |acc| < 2^29: with acc = h * 2^15 + l and multiplier = hi * 2^16 + lo,
floor((acc * multiplier + 2^30) / 2^31) = hi*h + ((((lo*h + (lo*l >> 15) + 2^15) >> 1) + hi*l) >> 15).
Bounds: lo*l < 2^31, |lo*h| <= 2^30, hi*l < 2^30, |hi*h| < 2^29.
"""

import micropython


@micropython.viper
def quantise(p: ptr32, a: int, q: int, out: ptr8, n: int, table: ptr32):
    """n float32 at p to n biased bytes at out, by their bits (FORMAT.md "Quantise table").

    a and q only reserve registers: pass 0. NaN must have been refused: its search ends, but the byte
    means nothing.
    """
    magnitude = 1
    magnitude = (magnitude << 30) + ((magnitude << 30) - 1)
    zero = table[0]
    first = table[1]
    count = table[2]
    threshold = ptr32(int(table) + 12)
    steps = ptr8(int(table) + 1040)
    e = int(p) + 4 * n
    while int(p) < e:
        a = p[0]
        sign = int(uint(a) >> uint(31))
        a = a & magnitude
        q = (a >> 16) - first
        if uint(q) < uint(count):
            q = steps[q]
            while a >= threshold[q]:
                q += 1
        elif q < 0:
            q = 0
        else:
            q = 256
        q = ((0 - sign) ^ q) + sign + zero
        if uint(q) > uint(255):
            q = 0 if q < 0 else 255
        out[0] = q
        p = ptr32(int(p) + 4)
        out = ptr8(int(out) + 1)


@micropython.viper
def rows(w: ptr8, x: ptr8, acc: int, layer: ptr32, in_at: int, step: int, pixels: int, out_at: int):
    """A dense layer on each of `pixels` inputs, `step` bytes apart from arena offset `in_at` on, to `out_at`.

    w is the release, x the arena, acc reserves a register: pass 0. layer: the step's operands from k on, which are
    k rows_at m out_at zero low high, with out_at not used. |sum(x * v)| <= 255 * 255 * k < 2^31 for k <= 16384.
    """
    table = int(w) + layer[1]
    out = ptr8(int(x) + out_at)
    start = int(x) + in_at
    k = layer[0]
    m = layer[2]
    zero = layer[4]
    low = layer[5]
    high = layer[6]
    wide = 1
    wide = int((wide << 31) << 1 != 0) << 5
    while pixels > 0:
        x = ptr8(start)
        end = start + k
        total = 0
        while int(x) < end:
            total += x[0]
            x = ptr8(int(x) + 1)
        total = total << 7
        w = ptr8(table)
        left = m
        while left > 0:
            acc = 0
            x = ptr8(start)
            end = start + (k & -8)
            while int(x) < end:
                acc = w[0] * x[0] + acc
                acc = w[1] * x[1] + acc
                acc = w[2] * x[2] + acc
                acc = w[3] * x[3] + acc
                acc = w[4] * x[4] + acc
                acc = w[5] * x[5] + acc
                acc = w[6] * x[6] + acc
                acc = w[7] * x[7] + acc
                w = ptr8(int(w) + 8)
                x = ptr8(int(x) + 8)
            end = start + k
            while int(x) < end:
                acc = w[0] * x[0] + acc
                w = ptr8(int(w) + 1)
                x = ptr8(int(x) + 1)
            row = ptr32((int(w) + 3) & -4)
            acc = (((row[0] << wide) >> wide) + acc - total) << row[3]
            lo = row[2]
            h = acc >> 15
            acc = acc & 0x7FFF
            t = (lo * acc) >> 15
            t = (((lo * h + t + 32768) >> 1) + row[1] * acc) >> 15
            t = row[1] * h + t
            right = row[4]
            if right:
                t = ((t >> 31) + t + (1 << (right - 1))) >> right
            t += zero
            if t < low:
                t = low
            if t > high:
                t = high
            out[0] = t
            out = ptr8(int(out) + 1)
            w = ptr8(int(row) + 20)
            left -= 1
        start += step
        pixels -= 1


@micropython.viper
def patches(operands: ptr32, arena: ptr8, y: int):
    """Copy what lies under the kernel for each pixel of output row y to the scratch (CONV's operands, FORMAT.md)."""
    in_h = operands[1]
    in_w = operands[2]
    c = operands[3]
    pad = operands[12]
    out = ptr8(int(arena) + operands[13])
    pixel = 0
    while pixel < operands[15]:
        ky = 0
        while ky < operands[4]:
            iy = y * operands[6] + ky * operands[8] - operands[10]
            kx = 0
            while kx < operands[5]:
                ix = pixel * operands[7] + kx * operands[9] - operands[11]
                n = 0
                if uint(iy) < uint(in_h) and uint(ix) < uint(in_w):
                    src = ptr8(int(arena) + operands[0] + (iy * in_w + ix) * c)
                    while n < c:
                        out[n] = src[n]
                        n += 1
                else:
                    while n < c:
                        out[n] = pad
                        n += 1
                out = ptr8(int(out) + c)
                kx += 1
            ky += 1
        pixel += 1


@micropython.viper
def finish(x: ptr8, n: int, out: ptr8) -> int:
    """n biased bytes to int8 at out; returns the index of the first greatest."""
    best = -1
    top = 0
    i = 0
    while i < n:
        v = x[i]
        out[i] = v - 128
        if v > best:
            best = v
            top = i
        i += 1
    return top
