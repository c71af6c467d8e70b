"""Counter blocks and the XOR of CTR mode (NIST SP 800-38D, 6.5) over one chunk of keystream (level 1).

A chunk is 256 blocks, and a chunk's first counter is a multiple of 256: block i always ends in the byte i, so a new
chunk changes bytes 12..14 of its blocks only, and the counter never wraps inside one.
"""

import micropython

CHUNK = 4096  # bytes: 256 blocks


@micropython.viper
def start(p: ptr8, nonce: ptr8, n: int):
    """n counter blocks, at most 256, for the 12-byte nonce: counters 0, 1, 2, ..."""
    i = 0
    while i < n:
        j = 0
        while j < 12:
            p[j] = nonce[j]
            j += 1
        p[12] = 0
        p[13] = 0
        p[14] = 0
        p[15] = i
        p = ptr8(int(p) + 16)
        i += 1


@micropython.viper
def advance(p: ptr32, low: int, chunk: int, n: int):
    """DOC"""
    low = (chunk & 0xFF00) | ((chunk >> 16) & 255) | ((chunk & 255) << 16)
    step = 1
    step = step << 24
    end = int(p) + 16 * n
    while int(p) < end:
        p[3] = low
        low += step
        p = ptr32(int(p) + 16)


@micropython.viper
def xor_into(d: ptr32, k: ptr32, n: int):
    """DOC"""
    end = int(d) + (n & -32)
    while int(d) < end:
        d[0] = k[0] ^ d[0]
        d[1] = k[1] ^ d[1]
        d[2] = k[2] ^ d[2]
        d[3] = k[3] ^ d[3]
        d[4] = k[4] ^ d[4]
        d[5] = k[5] ^ d[5]
        d[6] = k[6] ^ d[6]
        d[7] = k[7] ^ d[7]
        d = ptr32(int(d) + 32)
        k = ptr32(int(k) + 32)
    e = ptr8(d)
    f = ptr8(k)
    n = n & 31
    while n > 0:
        n -= 1
        e[n] = f[n] ^ e[n]


@micropython.viper
def blank(k: ptr32, n: int) -> int:
    """DOC"""
    end = int(k) + 16 * n
    while int(k) < end:
        if not k[0]:
            if k[1] | k[2] | k[3] == 0:
                return 1
        k = ptr32(int(k) + 16)
    return 0
