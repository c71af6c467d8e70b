"""Counter blocks and the XOR of CTR mode (NIST SP 800-38D, 6.5) over one chunk of keystream (level 1).

A chunk is 256 blocks, and a chunk's first counter is a multiple of 256: a counter's last byte is the block's number in
its chunk, and nothing ever carries. The instruction counts are of the `.mpy` in the tests' emulated machines.

How they came down, in RV32 instructions:

    counter blocks, each   35.2 as four byte stores; 13.2 with the counter as one word, stepped in the byte order that
                           is stored; 9.5 with two blocks a turn
    XOR, each byte         27.0 by bytes; 8.8 by words, `d[n] ^= k[n]`; 5.8 with constant indices, 16 bytes a turn; 2.8
                           written as `d[0] = k[0] ^ d[0]`; 2.4 with 32 bytes a turn

64 bytes a turn would save 0.1 more and leave up to 63 bytes to the loop that takes 25 each.
"""

import micropython

CHUNK = 4096  # bytes: 256 blocks


@micropython.viper
def start(p: ptr32, nonce: ptr8, n: int):
    """The 12-byte nonce, of any alignment, into n blocks at the 4-aligned p; `advance` gives them their counters.

    RV32 14 instructions a block, Xtensa 16.
    """
    v0 = nonce[0] | nonce[1] << 8 | nonce[2] << 16 | nonce[3] << 24
    v1 = nonce[4] | nonce[5] << 8 | nonce[6] << 16 | nonce[7] << 24
    v2 = nonce[8] | nonce[9] << 8 | nonce[10] << 16 | nonce[11] << 24
    end = int(p) + 16 * n
    while int(p) < end:
        p[0] = v0
        p[1] = v1
        p[2] = v2
        p = ptr32(int(p) + 16)


@micropython.viper
def advance(p: ptr32, low: int, chunk: int, n: int):
    """Counters 256 * chunk + 0, 1, ... into n blocks, at most 256, at the 4-aligned p; chunk is below 2^24.

    A counter is big-endian: as the word that is stored, bytes 0..2 are the chunk's and byte 3 is the block's number.
    low only reserves a register: pass 0. RV32 9.5 instructions a block, Xtensa 11.4.
    """
    low = (chunk & 0xFF00) | ((chunk >> 16) & 255) | ((chunk & 255) << 16)
    step = 1
    step = step << 24
    two = step + step
    end = int(p) + 16 * (n & -2)
    while int(p) < end:
        p[3] = low
        p[7] = low + step
        low += two
        p = ptr32(int(p) + 32)
    if n & 1:
        p[3] = low


@micropython.viper
def xor_into(d: ptr32, k: ptr32, n: int):
    """d ^= k for n bytes, both 4-aligned: 32 at a time, then up to 31 one by one.

    RV32 2.38 instructions a byte, Xtensa 2.44.
    """
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
    """1 when any of n blocks at the 4-aligned k is all zeros, else 0. RV32 12 instructions a block, Xtensa 13."""
    end = int(k) + 16 * n
    while int(k) < end:
        if not k[0] and k[1] | k[2] | k[3] == 0:
            return 1
        k = ptr32(int(k) + 16)
    return 0
