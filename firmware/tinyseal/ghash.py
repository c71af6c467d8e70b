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
    """Entries 8, 4, 2, 1 of each position: H * x^(4p) .. H * x^(4p+3), for the 16 bytes at h and the table at t.

    The state is four big-endian words, below 2^32 on either word size. RV32 25,353 instructions, Xtensa 28,748.
    """
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
    """The other entries of each position, from entries 8, 4, 2 and 1: one word column at a time, in the 4-aligned t.

    RV32 13,514 instructions, Xtensa 15,359.
    """
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
def update(d: ptr32, v: int, t: ptr8, y: ptr32, n: int):
    """y = (y ^ block) * H for n bytes, a multiple of 16, at d; y is 16 bytes; d, t and y are 4-aligned.

    p0..p31 point to the entries for the block's nibbles, four positions to a base; then each word of the product is one
    long sum. Words stay as loaded: only bits 0..31 of them count, and masks keep the offsets to 0..240.
    v only reserves a register: pass 0. RV32 52.2 instructions a byte, Xtensa 56.6.
    """
    t0 = int(t)
    t1 = t0 + 1024
    t2 = t0 + 2048
    t3 = t0 + 3072
    t4 = t0 + 4096
    t5 = t0 + 5120
    t6 = t0 + 6144
    t7 = t0 + 7168
    y0 = y[0]
    y1 = y[1]
    y2 = y[2]
    y3 = y[3]
    while n > 0:
        v = d[0] ^ y0
        p0 = ptr32((v & 240) + t0)
        p1 = ptr32(((v << 4) & 240) + t0)
        p2 = ptr32(((v >> 8) & 240) + t0)
        p3 = ptr32(((v >> 4) & 240) + t0)
        p4 = ptr32(((v >> 16) & 240) + t1)
        p5 = ptr32(((v >> 12) & 240) + t1)
        p6 = ptr32(((v >> 24) & 240) + t1)
        p7 = ptr32(((v >> 20) & 240) + t1)
        v = d[1] ^ y1
        p8 = ptr32((v & 240) + t2)
        p9 = ptr32(((v << 4) & 240) + t2)
        p10 = ptr32(((v >> 8) & 240) + t2)
        p11 = ptr32(((v >> 4) & 240) + t2)
        p12 = ptr32(((v >> 16) & 240) + t3)
        p13 = ptr32(((v >> 12) & 240) + t3)
        p14 = ptr32(((v >> 24) & 240) + t3)
        p15 = ptr32(((v >> 20) & 240) + t3)
        v = d[2] ^ y2
        p16 = ptr32((v & 240) + t4)
        p17 = ptr32(((v << 4) & 240) + t4)
        p18 = ptr32(((v >> 8) & 240) + t4)
        p19 = ptr32(((v >> 4) & 240) + t4)
        p20 = ptr32(((v >> 16) & 240) + t5)
        p21 = ptr32(((v >> 12) & 240) + t5)
        p22 = ptr32(((v >> 24) & 240) + t5)
        p23 = ptr32(((v >> 20) & 240) + t5)
        v = d[3] ^ y3
        p24 = ptr32((v & 240) + t6)
        p25 = ptr32(((v << 4) & 240) + t6)
        p26 = ptr32(((v >> 8) & 240) + t6)
        p27 = ptr32(((v >> 4) & 240) + t6)
        p28 = ptr32(((v >> 16) & 240) + t7)
        p29 = ptr32(((v >> 12) & 240) + t7)
        p30 = ptr32(((v >> 24) & 240) + t7)
        p31 = ptr32(((v >> 20) & 240) + t7)
        # fmt: off
        y0 = (p0[0] ^ p1[64] ^ p2[128] ^ p3[192] ^ p4[0] ^ p5[64] ^ p6[128] ^ p7[192]
              ^ p8[0] ^ p9[64] ^ p10[128] ^ p11[192] ^ p12[0] ^ p13[64] ^ p14[128] ^ p15[192]
              ^ p16[0] ^ p17[64] ^ p18[128] ^ p19[192] ^ p20[0] ^ p21[64] ^ p22[128] ^ p23[192]
              ^ p24[0] ^ p25[64] ^ p26[128] ^ p27[192] ^ p28[0] ^ p29[64] ^ p30[128] ^ p31[192])
        y1 = (p0[1] ^ p1[65] ^ p2[129] ^ p3[193] ^ p4[1] ^ p5[65] ^ p6[129] ^ p7[193]
              ^ p8[1] ^ p9[65] ^ p10[129] ^ p11[193] ^ p12[1] ^ p13[65] ^ p14[129] ^ p15[193]
              ^ p16[1] ^ p17[65] ^ p18[129] ^ p19[193] ^ p20[1] ^ p21[65] ^ p22[129] ^ p23[193]
              ^ p24[1] ^ p25[65] ^ p26[129] ^ p27[193] ^ p28[1] ^ p29[65] ^ p30[129] ^ p31[193])
        y2 = (p0[2] ^ p1[66] ^ p2[130] ^ p3[194] ^ p4[2] ^ p5[66] ^ p6[130] ^ p7[194]
              ^ p8[2] ^ p9[66] ^ p10[130] ^ p11[194] ^ p12[2] ^ p13[66] ^ p14[130] ^ p15[194]
              ^ p16[2] ^ p17[66] ^ p18[130] ^ p19[194] ^ p20[2] ^ p21[66] ^ p22[130] ^ p23[194]
              ^ p24[2] ^ p25[66] ^ p26[130] ^ p27[194] ^ p28[2] ^ p29[66] ^ p30[130] ^ p31[194])
        y3 = (p0[3] ^ p1[67] ^ p2[131] ^ p3[195] ^ p4[3] ^ p5[67] ^ p6[131] ^ p7[195]
              ^ p8[3] ^ p9[67] ^ p10[131] ^ p11[195] ^ p12[3] ^ p13[67] ^ p14[131] ^ p15[195]
              ^ p16[3] ^ p17[67] ^ p18[131] ^ p19[195] ^ p20[3] ^ p21[67] ^ p22[131] ^ p23[195]
              ^ p24[3] ^ p25[67] ^ p26[131] ^ p27[195] ^ p28[3] ^ p29[67] ^ p30[131] ^ p31[195])
        # fmt: on
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
