"""Wiping and comparing secrets (level 0)."""

import micropython
from micropython import const

# Offsets at which the AES object may keep its key: ESP-IDF's context has it 2 bytes behind the object's type pointer
# (6), mbedTLS's in software two words and an alignment to 16 behind it (up to 36 where pointers have 8 bytes).
_REACH = const(40)


@micropython.viper
def _fill(p: ptr8, n: int):
    """n bytes at p become zero: up to a word's border one by one, then 32 at a time, then the rest.

    RV32 1.3 instructions a byte of a long buffer, Xtensa 1.3; 16 and 17 for those that go one by one.
    """
    end = int(p) + n
    while int(p) < end and int(p) & 3:
        p[0] = 0
        p = ptr8(int(p) + 1)
    w = ptr32(p)
    while int(w) + 32 <= end:
        w[0] = 0
        w[1] = 0
        w[2] = 0
        w[3] = 0
        w[4] = 0
        w[5] = 0
        w[6] = 0
        w[7] = 0
        w = ptr32(int(w) + 32)
    p = ptr8(w)
    while int(p) < end:
        p[0] = 0
        p = ptr8(int(p) + 1)


@micropython.viper
def _difference(a: ptr8, b: ptr8, n: int) -> int:
    """0 when n bytes at a and b are equal, else 1..255; the same instructions are run either way.

    RV32 30 instructions a byte, Xtensa 33.
    """
    d = 0
    while n > 0:
        n -= 1
        d |= a[n] ^ b[n]
    return d


@micropython.viper
def _erase(p: ptr8, secret: ptr8, n: int, reach: int) -> int:
    """Zero the first copy of an AES key of n bytes that begins 0..reach-1 bytes behind p; 1 if there was one, else 0.

    With it goes what AES in software has expanded it to, if that stands behind it: of FIPS-197's key schedule the words
    n/4 + 1 to n/4 + 3 are the sum of two before them, which needs no S-box to see.
    The top bit of p is dropped: id() of an object at 2^30 and above (C6, H2) is sign-extended from 31 bits.
    RV32 about 52 instructions for each place and for each byte found, Xtensa 58.
    """
    p = ptr8(uint(p) << uint(1) >> uint(1))
    while reach > 0:
        j = 0
        while j < n and p[j] == secret[j]:
            j += 1
        if j == n:
            i = n + 4
            while i < n + 16 and p[i] == p[i - 4] ^ p[i - n]:
                i += 1
            if i == n + 16:
                j = 240 if n == 32 else 176  # 60 or 44 words
            while j > 0:
                j -= 1
                p[j] = 0
            return 1
        p = ptr8(int(p) + 1)
        reach -= 1
    return 0


@micropython.viper
def _low_bits(p: ptr8) -> int:
    """The lowest two bits of an address. RV32 41 instructions, Xtensa 30."""
    return int(p) & 3


def aligned(buffer):
    """Whether a buffer begins at a multiple of 4, as every object does and a memoryview's slice may not."""
    return _low_bits(buffer) == 0


def wipe(buffer):
    """Overwrite a byte buffer with zeros; `bytes` too, which is what makes digests and derived keys wipeable."""
    _fill(buffer, len(buffer))


def wipe_inside(thing, secret):
    """Overwrite the copy of a 16- or 32-byte AES key that an AES object keeps, and has no method to forget.

    Returns whether it was found. The object must not be used afterwards.
    """
    return bool(_erase(id(thing), secret, len(secret), _REACH))


def equal(a, b):
    """Whether two byte buffers are the same, in a time that depends on their lengths only."""
    return len(a) == len(b) and _difference(a, b, len(a)) == 0
