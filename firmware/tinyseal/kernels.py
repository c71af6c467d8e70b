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
    means nothing. RV32 76 instructions a value, Xtensa 86.
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
        a = p[0] & magnitude
        q = (a >> 16) - first
        if uint(q) < uint(count):
            q = steps[q]
            while a >= threshold[q]:
                q += 1
        elif q < 0:
            q = 0
        else:
            q = 256
        if p[0] == a:
            q += zero
            if q > 255:
                q = 255
        else:
            q = zero - q
            if q < 0:
                q = 0
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


@micropython.viper
def requantise(v: int, t: int, arena: ptr8, model: ptr8, job: ptr32, at: int, out_at: int, n: int):
    """n sums, words at offset `at` of the arena, to bytes at `out_at`.

    v and t reserve registers: pass 0. `job`: release offset of records of five words (FORMAT.md, "Rows table"), how
    many there are before they begin again, 1 where a sum with its bias is twice the accumulator and 0 where it is the
    accumulator, 0, zero, low, high. RV32 136 instructions a value, Xtensa 160.
    """
    s = ptr32(int(arena) + at)
    out = ptr8(int(arena) + out_at)
    first = int(model) + job[0]
    last = first + 20 * job[1]
    row = ptr32(first)
    twice = job[2]
    low = job[5]
    zero = job[4] - low
    span = job[6] - low
    wide = 1
    wide = int((wide << 31) << 1 != 0) << 5
    high = wide + 15 + twice
    end = int(out) + n
    while int(out) < end:
        v = (s[0] + row[0]) << row[3]
        h = (v << wide) >> high
        v = (v >> twice) & 0x7FFF
        t = (row[2] * v) >> 15
        t = (row[2] * h + t + 32768) >> 1
        t = (row[1] * v + t) >> 15
        t = row[1] * h + t
        v = row[4]
        if v:
            t = ((t >> 31) + t + (1 << (v - 1))) >> v
        t += zero
        if uint(t) > uint(span):
            t = 0 if t < 0 else span
        out[0] = t + low
        out = ptr8(int(out) + 1)
        s = ptr32(int(s) + 4)
        row = ptr32(int(row) + 20)
        if int(row) == last:
            row = ptr32(first)
