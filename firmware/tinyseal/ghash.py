"""GHASH (NIST SP 800-38D, 6.4) with a table for each of a 32-bit word's five digits (level 1).

A block is 16 bytes as they lie in memory, read as four big-endian words; GCM's bit 0, the coefficient of x^0, is the
top bit of word 0. Multiplying by H is linear, so a word's product is the XOR of one entry a digit. The digits of a word
have, from its lowest bit, 7, 7, 6, 6 and 6 bits; their tables begin at bytes 0, 2048, 4096, 5120 and 6144. An entry is
four words: H times the first word of a block that has this digit, with zeros elsewhere.

A block (a, b, c, d) is a + b x^32 + c x^64 + d x^96. So the products of its words overlap in seven words z0..z6, of
which z4..z6 stand for x^128 and above: they are reduced once a block, by x^128 = 1 + x + x^2 + x^7 (6.3).

How the count came down, in RV32 instructions a byte of 16 KiB, of which the table's share in brackets:

    61.0 (0.5)  8 tables of 4 bits, 2 KiB; the state is shifted and reduced after every word
    54.6 (2.4)  32 tables of 4 bits, 8 KiB: no shifting and no byte order, but 32 pointers and 128 loads a block
    44.7 (1.2)  the tables above: 20 pointers and 80 loads, and three words to reduce
    43.2 (1.2)  v, the word that digits are taken from and then the one that is reduced, in a register
    43.1 (1.1)  `_combine` writes two entries a turn

Tables of 8 bits would take 16 KiB, which is more than `open()` may, and words in the order of bytes would be dearer to
reduce (some 60 instructions each instead of 19) than to turn round (17).
"""

import micropython

TABLE = 8192  # bytes, 7168 of them entries; afterwards the two chunks of CTR mode take the same buffer


@micropython.viper
def _powers(h: ptr8, t: ptr32):
    """Entries 1, 2, 4, .. of each digit: H * x^(31-i) where bit i of a word counts. 16 bytes at h, the table at t.

    The state is four big-endian words, below 2^32 on either word size. RV32 3,809 instructions, Xtensa 4,258.
    """
    k = 1
    k = (k << 31 << 1) - 1  # the low 32 bits of a word, on either word size
    u0 = uint((((((h[0] << 8) + h[1]) << 8) + h[2]) << 8) + h[3])
    u1 = uint((((((h[4] << 8) + h[5]) << 8) + h[6]) << 8) + h[7])
    u2 = uint((((((h[8] << 8) + h[9]) << 8) + h[10]) << 8) + h[11])
    u3 = uint((((((h[12] << 8) + h[13]) << 8) + h[14]) << 8) + h[15])
    at = 6144  # the digit of a word's top bits, and x^0, come first
    v = 16 << 5
    while at >= 0:
        while v >= 16:
            q = ptr32(int(t) + at + v)
            q[0] = u0
            q[1] = u1
            q[2] = u2
            q[3] = u3
            c = u3 & uint(1)
            u3 = ((u2 << uint(31)) & uint(k)) | (u3 >> uint(1))
            u2 = ((u1 << uint(31)) & uint(k)) | (u2 >> uint(1))
            u1 = ((u0 << uint(31)) & uint(k)) | (u1 >> uint(1))
            u0 = (u0 >> uint(1)) ^ (c * (uint(0xE1) << uint(24)))
            v >>= 1
        if at > 4096:
            at -= 1024
            v = 16 << 5
        else:
            at -= 2048
            v = 16 << 6


@micropython.viper
def _combine(s: ptr32, q: ptr32):
    """The other entries of each digit in the table at s, from entries 1, 2, 4, ..: those below it, XORed with each.

    q only reserves a register: pass any pointer. RV32 14,275 instructions, Xtensa 18,173.
    """
    at = int(s)
    last = at + 6144
    size = 2048
    while at <= last:
        s = ptr32(at)
        s[0] = 0
        s[1] = 0
        s[2] = 0
        s[3] = 0
        s = ptr32(at + 48)
        q = ptr32(at + 16)
        s[0] = q[0] ^ q[4]
        s[1] = q[1] ^ q[5]
        s[2] = q[2] ^ q[6]
        s[3] = q[3] ^ q[7]
        n = 64
        while n < size:
            s = ptr32(at)
            end = at + n
            q = ptr32(end)
            b0 = q[0]
            b1 = q[1]
            b2 = q[2]
            b3 = q[3]
            while int(s) < end:
                q[0] = s[0] ^ b0
                q[1] = s[1] ^ b1
                q[2] = s[2] ^ b2
                q[3] = s[3] ^ b3
                q[4] = s[4] ^ b0
                q[5] = s[5] ^ b1
                q[6] = s[6] ^ b2
                q[7] = s[7] ^ b3
                q = ptr32(int(q) + 32)
                s = ptr32(int(s) + 32)
            n += n
        at += size
        if at == last - 2048:
            size = 1024


@micropython.viper
def update(x: ptr8, v: uint, t: ptr8, y: ptr8, n: int):
    """y = (y ^ block) * H for n bytes, a multiple of 16, at x, with the table at t, 4-aligned; y is 16 bytes.

    Only bits 0..31 of y0..y3 count, on either word size: masks keep the offsets to 0..2032. The words that are reduced
    are sums of table words, below 2^32. v only reserves a register: pass 0. RV32 42.0 instructions a byte, Xtensa 46.8.
    """
    t0 = int(t)
    t1 = t0 + 2048
    t2 = t0 + 4096
    t3 = t0 + 5120
    t4 = t0 + 6144
    y0 = (((((y[0] << 8) + y[1]) << 8) + y[2]) << 8) + y[3]
    y1 = (((((y[4] << 8) + y[5]) << 8) + y[6]) << 8) + y[7]
    y2 = (((((y[8] << 8) + y[9]) << 8) + y[10]) << 8) + y[11]
    y3 = (((((y[12] << 8) + y[13]) << 8) + y[14]) << 8) + y[15]
    while n > 0:
        v = uint((((((x[0] << 8) + x[1]) << 8) + x[2]) << 8) + x[3] ^ y0)
        a0 = ptr32(((int(v) << 4) & 0x7F0) + t0)
        a1 = ptr32(((int(v) >> 3) & 0x7F0) + t1)
        a2 = ptr32(((int(v) >> 10) & 0x3F0) + t2)
        a3 = ptr32(((int(v) >> 16) & 0x3F0) + t3)
        a4 = ptr32(((int(v) >> 22) & 0x3F0) + t4)
        v = uint((((((x[4] << 8) + x[5]) << 8) + x[6]) << 8) + x[7] ^ y1)
        b0 = ptr32(((int(v) << 4) & 0x7F0) + t0)
        b1 = ptr32(((int(v) >> 3) & 0x7F0) + t1)
        b2 = ptr32(((int(v) >> 10) & 0x3F0) + t2)
        b3 = ptr32(((int(v) >> 16) & 0x3F0) + t3)
        b4 = ptr32(((int(v) >> 22) & 0x3F0) + t4)
        v = uint((((((x[8] << 8) + x[9]) << 8) + x[10]) << 8) + x[11] ^ y2)
        c0 = ptr32(((int(v) << 4) & 0x7F0) + t0)
        c1 = ptr32(((int(v) >> 3) & 0x7F0) + t1)
        c2 = ptr32(((int(v) >> 10) & 0x3F0) + t2)
        c3 = ptr32(((int(v) >> 16) & 0x3F0) + t3)
        c4 = ptr32(((int(v) >> 22) & 0x3F0) + t4)
        v = uint((((((x[12] << 8) + x[13]) << 8) + x[14]) << 8) + x[15] ^ y3)
        d0 = ptr32(((int(v) << 4) & 0x7F0) + t0)
        d1 = ptr32(((int(v) >> 3) & 0x7F0) + t1)
        d2 = ptr32(((int(v) >> 10) & 0x3F0) + t2)
        d3 = ptr32(((int(v) >> 16) & 0x3F0) + t3)
        d4 = ptr32(((int(v) >> 22) & 0x3F0) + t4)
        # fmt: off
        # z6, then z5 and z4, go into v; z << 31, 30, 25 are the bits that leave the word below at its end.
        v = uint(d0[3] ^ d1[3] ^ d2[3] ^ d3[3] ^ d4[3])
        y3 = (int(((((v << uint(1)) ^ v) << uint(5)) ^ v) << uint(25))
              ^ a0[3] ^ a1[3] ^ a2[3] ^ a3[3] ^ a4[3]
              ^ b0[2] ^ b1[2] ^ b2[2] ^ b3[2] ^ b4[2]
              ^ c0[1] ^ c1[1] ^ c2[1] ^ c3[1] ^ c4[1]
              ^ d0[0] ^ d1[0] ^ d2[0] ^ d3[0] ^ d4[0])
        y2 = (int((((((v >> uint(5)) ^ v) >> uint(1)) ^ v) >> uint(1)) ^ v)
              ^ a0[2] ^ a1[2] ^ a2[2] ^ a3[2] ^ a4[2]
              ^ b0[1] ^ b1[1] ^ b2[1] ^ b3[1] ^ b4[1]
              ^ c0[0] ^ c1[0] ^ c2[0] ^ c3[0] ^ c4[0])
        v = uint(c0[3] ^ c1[3] ^ c2[3] ^ c3[3] ^ c4[3]
                 ^ d0[2] ^ d1[2] ^ d2[2] ^ d3[2] ^ d4[2])
        y2 = int(((((v << uint(1)) ^ v) << uint(5)) ^ v) << uint(25)) ^ y2
        y1 = (int((((((v >> uint(5)) ^ v) >> uint(1)) ^ v) >> uint(1)) ^ v)
              ^ a0[1] ^ a1[1] ^ a2[1] ^ a3[1] ^ a4[1]
              ^ b0[0] ^ b1[0] ^ b2[0] ^ b3[0] ^ b4[0])
        v = uint(b0[3] ^ b1[3] ^ b2[3] ^ b3[3] ^ b4[3]
                 ^ c0[2] ^ c1[2] ^ c2[2] ^ c3[2] ^ c4[2]
                 ^ d0[1] ^ d1[1] ^ d2[1] ^ d3[1] ^ d4[1])
        y1 = int(((((v << uint(1)) ^ v) << uint(5)) ^ v) << uint(25)) ^ y1
        y0 = (int((((((v >> uint(5)) ^ v) >> uint(1)) ^ v) >> uint(1)) ^ v)
              ^ a0[0] ^ a1[0] ^ a2[0] ^ a3[0] ^ a4[0])
        # fmt: on
        x = ptr8(int(x) + 16)
        n -= 16
    y[0] = y0 >> 24
    y[1] = y0 >> 16
    y[2] = y0 >> 8
    y[3] = y0
    y[4] = y1 >> 24
    y[5] = y1 >> 16
    y[6] = y1 >> 8
    y[7] = y1
    y[8] = y2 >> 24
    y[9] = y2 >> 16
    y[10] = y2 >> 8
    y[11] = y2
    y[12] = y3 >> 24
    y[13] = y3 >> 16
    y[14] = y3 >> 8
    y[15] = y3


def build_into(table, h):
    """Fill `table` (8 KiB, 4-aligned) from the 16-byte subkey `h`."""
    _powers(h, table)
    _combine(table, table)
