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
def advance(p: ptr8, chunk: int, n: int):
    """Move n counter blocks to the chunk of that number, below 2^22: 64 GiB, more than a u32 length can name."""
    while n > 0:
        p[12] = chunk >> 16
        p[13] = chunk >> 8
        p[14] = chunk
        p = ptr8(int(p) + 16)
        n -= 1


@micropython.viper
def xor_into(d: ptr32, k: ptr32, v: int, n: int):
    """d ^= k for n bytes, both 4-aligned: words first, then up to 3 bytes. v only reserves a register: pass 0."""
    while n > 15:
        v = k[0]
        d[0] = d[0] ^ v
        v = k[1]
        d[1] = d[1] ^ v
        v = k[2]
        d[2] = d[2] ^ v
        v = k[3]
        d[3] = d[3] ^ v
        d = ptr32(int(d) + 16)
        k = ptr32(int(k) + 16)
        n -= 16
    e = ptr8(d)
    f = ptr8(k)
    while n > 0:
        n -= 1
        e[n] = e[n] ^ f[n]


@micropython.viper
def blank(k: ptr32, n: int) -> int:
    """Whether any of n blocks at the 4-aligned k is all zeros."""
    while n > 0:
        if k[0] | k[1] | k[2] | k[3] == 0:
            return 1
        k = ptr32(int(k) + 16)
        n -= 1
    return 0
