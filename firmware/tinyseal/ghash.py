"""GHASH (NIST SP 800-38D, 6.4) with a table for each of a 32-bit word's five digits (level 1).

A block is 16 bytes as they lie in memory, read as four big-endian words; GCM's bit 0, the coefficient of x^0, is the
top bit of word 0. Multiplying by H is linear, so a word's product is the XOR of one entry a digit. The digits of a word
have, from its lowest bit, 7, 7, 6, 6 and 6 bits; their tables begin at bytes 0, 2048, 4096, 5120 and 6144. An entry is
four words: H times the first word of a block that has this digit, with zeros elsewhere.

A block (a, b, c, d) is a + x^32 (b + x^32 (c + x^32 d)): Horner's scheme, from d on. Times x^32 a product moves on by a
word; the one that leaves it stands for x^128 and above, and is reduced by x^128 = 1 + x + x^2 + x^7 (6.3).

How the count came down, in RV32 instructions a byte of 16 KiB, of which the table's share in brackets:

    61.0 (0.5)  8 tables of 4 bits, 2 KiB; the state is shifted and reduced after every word
    54.6 (2.4)  32 tables of 4 bits, 8 KiB: no shifting and no byte order, but 32 pointers and 128 loads a block
    44.7 (1.2)  the tables above: 20 pointers and 80 loads, and three words to reduce
    43.2 (1.2)  v, the word that digits are taken from and then the one that is reduced, in a register
    43.1 (1.1)  `_combine` writes two entries a turn
    54.5 (1.1)  the words of a block in a loop, each reduced, instead of all of them written out: 1.4 KB less code, for
                what a file of 100 KiB takes a seventeenth of its signature's instructions longer

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
    """y = (y ^ block) * H for n bytes, a multiple of 16, at x, with the table at t, 4-aligned; y is 16 bytes, 4-aligned.

    While it runs y holds four words, most significant byte first. Of v, where digits are taken from, only bits 0..31
    count, on either word size: masks keep the offsets to 0..2032; what is reduced is below 2^32. v only reserves a
    register: pass 0. RV32 53.4 instructions a byte, Xtensa 59.3.
    """
    t0 = int(t)
    t1 = t0 + 2048
    t2 = t0 + 4096
    t3 = t0 + 5120
    t4 = t0 + 6144
    end = int(y) + 16
    k = ptr32(y)
    while int(k) < end:
        b = ptr8(k)
        k[0] = (((((b[0] << 8) + b[1]) << 8) + b[2]) << 8) + b[3]
        k = ptr32(int(k) + 4)
    x = ptr8(int(x) + 12)
    while n > 0:
        z0 = 0
        z1 = 0
        z2 = 0
        z3 = 0
        k = ptr32(int(y) + 12)
        while int(k) >= int(y):
            v = uint((((((x[0] << 8) + x[1]) << 8) + x[2]) << 8) + x[3] ^ k[0])
            a0 = ptr32(((int(v) << 4) & 0x7F0) + t0)
            a1 = ptr32(((int(v) >> 3) & 0x7F0) + t1)
            a2 = ptr32(((int(v) >> 10) & 0x3F0) + t2)
            a3 = ptr32(((int(v) >> 16) & 0x3F0) + t3)
            a4 = ptr32(((int(v) >> 22) & 0x3F0) + t4)
            v = uint(z3)
            z3 = a0[3] ^ a1[3] ^ a2[3] ^ a3[3] ^ a4[3] ^ z2
            z2 = a0[2] ^ a1[2] ^ a2[2] ^ a3[2] ^ a4[2] ^ z1
            z1 = int(((((v << uint(1)) ^ v) << uint(5)) ^ v) << uint(25)) ^ a0[1] ^ a1[1] ^ a2[1] ^ a3[1] ^ a4[1] ^ z0
            z0 = int((((((v >> uint(5)) ^ v) >> uint(1)) ^ v) >> uint(1)) ^ v) ^ a0[0] ^ a1[0] ^ a2[0] ^ a3[0] ^ a4[0]
            k = ptr32(int(k) - 4)
            x = ptr8(int(x) - 4)
        k[1] = z0
        k[2] = z1
        k[3] = z2
        k[4] = z3
        x = ptr8(int(x) + 32)
        n -= 16
    k = ptr32(y)
    while int(k) < end:
        n = k[0]
        b = ptr8(k)
        b[0] = n >> 24
        b[1] = n >> 16
        b[2] = n >> 8
        b[3] = n
        k = ptr32(int(k) + 4)


def build_into(table, h):
    """Fill `table` (8 KiB, 4-aligned) from the 16-byte subkey `h`."""
    _powers(h, table)
    _combine(table, table)
