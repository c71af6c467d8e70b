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
