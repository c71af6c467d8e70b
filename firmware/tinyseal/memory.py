"""Wiping and comparing secrets (level 0)."""

import micropython


@micropython.viper
def _fill(p: ptr8, n: int):
    while n > 0:
        n -= 1
        p[n] = 0


@micropython.viper
def _difference(a: ptr8, b: ptr8, n: int) -> int:
    d = 0
    while n > 0:
        n -= 1
        d |= a[n] ^ b[n]
    return d


def wipe(buffer):
    """Overwrite a byte buffer with zeros; `bytes` too, which is what makes digests and derived keys wipeable."""
    _fill(buffer, len(buffer))


def equal(a, b):
    """Whether two byte buffers are the same, in a time that depends on their length only."""
    return len(a) == len(b) and _difference(a, b, len(a)) == 0
