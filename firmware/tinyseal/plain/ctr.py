"""Counter blocks and the XOR of CTR mode, for boards without the native emitter (level 1); see the native module."""


def start(p, nonce, n):
    """The 12-byte nonce into n blocks at p; `advance` gives them their counters."""
    for at in range(0, 16 * n, 16):
        for i in range(12):
            p[at + i] = nonce[i]


def advance(p, _low, chunk, n):
    """Counters 256 * chunk + 0, 1, ..., big-endian, into n blocks, at most 256, at p; chunk is below 2^24."""
    for block in range(n):
        at = 16 * block + 12
        p[at] = chunk >> 16
        p[at + 1] = chunk >> 8 & 255
        p[at + 2] = chunk & 255
        p[at + 3] = block


def xor_into(d, k, n):
    """d ^= k for n bytes."""
    for i in range(n):
        d[i] ^= k[i]


def blank(k, n):
    """1 when any of n blocks at k is all zeros, else 0."""
    for at in range(0, 16 * n, 16):
        i = 0
        while i < 16 and not k[at + i]:
            i += 1
        if i == 16:
            return 1
    return 0
