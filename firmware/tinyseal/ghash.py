"""GHASH (NIST SP 800-38D, 6.4) with a table for each of a block's 32 nibbles (level 1).

A block is 16 bytes as they lie in memory; GCM's bit 0 is the top bit of byte 0. Multiplying by H is linear, so the
product is the XOR of one entry a nibble. The table holds, for nibble position p (0..31, the high nibble of a byte
first) and nibble value v, the 16 bytes of v * x^(4p) * H at `256 * p + 16 * v`: 8 KiB, and nothing is ever shifted or
reduced.

Constant indices stay within 0..255 elements, which the Xtensa emitter needs: the table pointer moves instead.
"""

import micropython

TABLE = 8192  # bytes


@micropython.viper
def _powers(h: ptr8, t: ptr8):
    """Entries 8, 4, 2, 1 of each position: H * x^(4p) .. H * x^(4p+3). The state is kept as four big-endian words."""
    k = 1
    k = (k << 31 << 1) - 1  # the low 32 bits of a word, on either word size
    u0 = uint((((((h[0] << 8) + h[1]) << 8) + h[2]) << 8) + h[3])
    u1 = uint((((((h[4] << 8) + h[5]) << 8) + h[6]) << 8) + h[7])
    u2 = uint((((((h[8] << 8) + h[9]) << 8) + h[10]) << 8) + h[11])
    u3 = uint((((((h[12] << 8) + h[13]) << 8) + h[14]) << 8) + h[15])
    p = 0
    while p < 32:
        v = 128
        while v > 8:  # 16 * entry: 8, 4, 2, 1
            q = ptr8(int(t) + v)
            q[0] = u0 >> uint(24)
            q[1] = u0 >> uint(16)
            q[2] = u0 >> uint(8)
            q[3] = u0
            q[4] = u1 >> uint(24)
            q[5] = u1 >> uint(16)
            q[6] = u1 >> uint(8)
            q[7] = u1
            q[8] = u2 >> uint(24)
            q[9] = u2 >> uint(16)
            q[10] = u2 >> uint(8)
            q[11] = u2
            q[12] = u3 >> uint(24)
            q[13] = u3 >> uint(16)
            q[14] = u3 >> uint(8)
            q[15] = u3
            c = u3 & uint(1)
            u3 = ((u2 << uint(31)) & uint(k)) | (u3 >> uint(1))
            u2 = ((u1 << uint(31)) & uint(k)) | (u2 >> uint(1))
            u1 = ((u0 << uint(31)) & uint(k)) | (u1 >> uint(1))
            u0 = (u0 >> uint(1)) ^ (c * (uint(0xE1) << uint(24)))
            v >>= 1
        t = ptr8(int(t) + 256)
        p += 1


@micropython.viper
def _combine(t: ptr32):
    """The other entries of each position, from entries 8, 4, 2 and 1: one word column at a time."""
    p = 32
    while p > 0:
        w = 4
        while w > 0:
            t[0] = 0
            a = t[4]
            b = t[8]
            t[12] = a ^ b
            c = t[16]
            t[20] = a ^ c
            t[24] = b ^ c
            t[28] = t[12] ^ c
            c = t[32]
            t[36] = a ^ c
            t[40] = b ^ c
            t[44] = t[12] ^ c
            t[48] = t[16] ^ c
            t[52] = t[20] ^ c
            t[56] = t[24] ^ c
            t[60] = t[28] ^ c
            t = ptr32(int(t) + 4)
            w -= 1
        t = ptr32(int(t) + 240)
        p -= 1


@micropython.viper
def update(t: ptr8, v: int, m: int, d: ptr32, y: ptr32, n: int):
    """y = (y ^ block) * H for n bytes, a multiple of 16, at the 4-aligned d. v and m only reserve registers: pass 0."""
    m = 240
    y0 = y[0]
    y1 = y[1]
    y2 = y[2]
    y3 = y[3]
    while n > 0:
        v = d[0] ^ y0
        p0 = ptr32((v & m) + int(t))
        p1 = ptr32(((v << 4) & m) + int(t))
        p2 = ptr32(((v >> 8) & m) + int(t))
        p3 = ptr32(((v >> 4) & m) + int(t))
        t = ptr8(int(t) + 1024)
        p4 = ptr32(((v >> 16) & m) + int(t))
        p5 = ptr32(((v >> 12) & m) + int(t))
        p6 = ptr32(((v >> 24) & m) + int(t))
        p7 = ptr32(((v >> 20) & m) + int(t))
        t = ptr8(int(t) + 1024)
        z0 = p0[0] ^ p1[64] ^ p2[128] ^ p3[192] ^ p4[0] ^ p5[64] ^ p6[128] ^ p7[192]
        z1 = p0[1] ^ p1[65] ^ p2[129] ^ p3[193] ^ p4[1] ^ p5[65] ^ p6[129] ^ p7[193]
        z2 = p0[2] ^ p1[66] ^ p2[130] ^ p3[194] ^ p4[2] ^ p5[66] ^ p6[130] ^ p7[194]
        z3 = p0[3] ^ p1[67] ^ p2[131] ^ p3[195] ^ p4[3] ^ p5[67] ^ p6[131] ^ p7[195]
        v = d[1] ^ y1
        p0 = ptr32((v & m) + int(t))
        p1 = ptr32(((v << 4) & m) + int(t))
        p2 = ptr32(((v >> 8) & m) + int(t))
        p3 = ptr32(((v >> 4) & m) + int(t))
        t = ptr8(int(t) + 1024)
        p4 = ptr32(((v >> 16) & m) + int(t))
        p5 = ptr32(((v >> 12) & m) + int(t))
        p6 = ptr32(((v >> 24) & m) + int(t))
        p7 = ptr32(((v >> 20) & m) + int(t))
        t = ptr8(int(t) + 1024)
        z0 = p0[0] ^ p1[64] ^ p2[128] ^ p3[192] ^ p4[0] ^ p5[64] ^ p6[128] ^ p7[192] ^ z0
        z1 = p0[1] ^ p1[65] ^ p2[129] ^ p3[193] ^ p4[1] ^ p5[65] ^ p6[129] ^ p7[193] ^ z1
        z2 = p0[2] ^ p1[66] ^ p2[130] ^ p3[194] ^ p4[2] ^ p5[66] ^ p6[130] ^ p7[194] ^ z2
        z3 = p0[3] ^ p1[67] ^ p2[131] ^ p3[195] ^ p4[3] ^ p5[67] ^ p6[131] ^ p7[195] ^ z3
        v = d[2] ^ y2
        p0 = ptr32((v & m) + int(t))
        p1 = ptr32(((v << 4) & m) + int(t))
        p2 = ptr32(((v >> 8) & m) + int(t))
        p3 = ptr32(((v >> 4) & m) + int(t))
        t = ptr8(int(t) + 1024)
        p4 = ptr32(((v >> 16) & m) + int(t))
        p5 = ptr32(((v >> 12) & m) + int(t))
        p6 = ptr32(((v >> 24) & m) + int(t))
        p7 = ptr32(((v >> 20) & m) + int(t))
        t = ptr8(int(t) + 1024)
        z0 = p0[0] ^ p1[64] ^ p2[128] ^ p3[192] ^ p4[0] ^ p5[64] ^ p6[128] ^ p7[192] ^ z0
        z1 = p0[1] ^ p1[65] ^ p2[129] ^ p3[193] ^ p4[1] ^ p5[65] ^ p6[129] ^ p7[193] ^ z1
        z2 = p0[2] ^ p1[66] ^ p2[130] ^ p3[194] ^ p4[2] ^ p5[66] ^ p6[130] ^ p7[194] ^ z2
        z3 = p0[3] ^ p1[67] ^ p2[131] ^ p3[195] ^ p4[3] ^ p5[67] ^ p6[131] ^ p7[195] ^ z3
        v = d[3] ^ y3
        p0 = ptr32((v & m) + int(t))
        p1 = ptr32(((v << 4) & m) + int(t))
        p2 = ptr32(((v >> 8) & m) + int(t))
        p3 = ptr32(((v >> 4) & m) + int(t))
        t = ptr8(int(t) + 1024)
        p4 = ptr32(((v >> 16) & m) + int(t))
        p5 = ptr32(((v >> 12) & m) + int(t))
        p6 = ptr32(((v >> 24) & m) + int(t))
        p7 = ptr32(((v >> 20) & m) + int(t))
        t = ptr8(int(t) - 7168)
        y0 = p0[0] ^ p1[64] ^ p2[128] ^ p3[192] ^ p4[0] ^ p5[64] ^ p6[128] ^ p7[192] ^ z0
        y1 = p0[1] ^ p1[65] ^ p2[129] ^ p3[193] ^ p4[1] ^ p5[65] ^ p6[129] ^ p7[193] ^ z1
        y2 = p0[2] ^ p1[66] ^ p2[130] ^ p3[194] ^ p4[2] ^ p5[66] ^ p6[130] ^ p7[194] ^ z2
        y3 = p0[3] ^ p1[67] ^ p2[131] ^ p3[195] ^ p4[3] ^ p5[67] ^ p6[131] ^ p7[195] ^ z3
        d = ptr32(int(d) + 16)
        n -= 16
    y[0] = y0
    y[1] = y1
    y[2] = y2
    y[3] = y3


def build_into(table, h):
    """Fill `table` (8 KiB, 4-aligned) from the 16-byte subkey `h`."""
    _powers(h, table)
    _combine(table)
