"""GHASH (NIST SP 800-38D, 6.4) byte by byte, for boards without the native emitter (level 1).

All state lies in the caller's table and every value fits a small integer: nothing that depends on H is left on the
heap. The table is

    0     256 entries of 16 bytes: the byte b, standing first in a block, times H
    4096  256 entries of 2 bytes: the byte b at x^128 and above, reduced by x^128 = 1 + x + x^2 + x^7 (6.3)
    4608  the product of a block and H before its reduction, 31 bytes

GCM's bit 0, the coefficient of x^0, is the top bit of a block's first byte.
"""

from micropython import const

_REDUCED = const(4096)
_PRODUCT = const(4608)


def _powers(h, table):
    """Entries 1, 2, 4, .. of both tables, from the 16-byte subkey h; all others become zero."""
    for i in range(_PRODUCT):
        table[i] = 0
    for i in range(16):
        table[16 * 0x80 + i] = h[i]
    for shift in range(8):
        bit = 0x80 >> shift
        here = 16 * bit
        table[_REDUCED + 2 * bit] = 0xE1 >> shift
        table[_REDUCED + 2 * bit + 1] = 0xE100 >> shift & 255
        if shift < 7:
            # The next bit's entry: this one times x, which moves it on by a bit and reduces what falls off.
            carry = 0
            for i in range(here, here + 16):
                table[i - here // 2] = table[i] >> 1 | carry
                carry = (table[i] & 1) << 7
            if carry:
                table[here // 2] ^= 0xE1


def _combine(table, _q):
    """The other entries of both tables."""
    for b in range(3, 256):
        rest = b & (b - 1)  # without its lowest bit
        if rest:
            for at, width in ((0, 16), (_REDUCED, 2)):
                for i in range(width):
                    table[at + width * b + i] = table[at + width * rest + i] ^ table[at + width * (b ^ rest) + i]


def update(x, _v, t, y, n):
    """y = (y ^ block) * H for n bytes, a multiple of 16, at x, with the table at t; y is 16 bytes."""
    for block in range(0, n, 16):
        for i in range(_PRODUCT, _PRODUCT + 31):
            t[i] = 0
        for i in range(16):
            entry = 16 * (x[block + i] ^ y[i])
            for at in range(_PRODUCT + i, _PRODUCT + i + 16):
                t[at] ^= t[entry]
                entry += 1
        for i in range(_PRODUCT + 16, _PRODUCT + 31):
            entry = _REDUCED + 2 * t[i]
            t[i - 16] ^= t[entry]
            t[i - 15] ^= t[entry + 1]
        for i in range(16):
            y[i] = t[_PRODUCT + i]
