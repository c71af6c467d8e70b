"""Wiping and comparing secrets, for boards without the native emitter (level 0); `uctypes` stands for pointers."""

import sys

import uctypes
from micropython import const

_REACH = const(40)  # as in the native module
_SCHEDULE = const(240)  # bytes of the longest AES key schedule: 60 words


def _fill(p, n):
    """n bytes at p become zero; of `bytes` and `str` too."""
    if type(p) is bytes or type(p) is str:
        p = uctypes.bytearray_at(uctypes.addressof(p), n)
    for i in range(n):
        p[i] = 0


def _difference(a, b, n):
    """0 when n bytes at a and b are equal, else 1..255; the same bytecode is run either way."""
    d = 0
    for i in range(n):
        d |= (a[i] ^ b[i]) & 255  # one may be an array("b")
    return d


def _erase(p, secret, n, reach):
    """Zero the first copy of an AES key of n bytes that begins 0..reach-1 bytes into the buffer p; 1 if there was one.

    With it goes its key schedule, told as in the native module.
    """
    for at in range(reach):
        j = 0
        while j < n and p[at + j] == secret[j]:
            j += 1
        if j == n:
            i = n + 4
            while i < n + 16 and p[at + i] == p[at + i - 4] ^ p[at + i - n]:
                i += 1
            if i == n + 16:
                j = _SCHEDULE if n == 32 else 176
            for i in range(at, at + j):
                p[i] = 0
            return 1
    return 0


def _low_bits(p):
    """The lowest two bits of an address."""
    return uctypes.addressof(p) & 3


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
    address = id(thing) & sys.maxsize  # on a C6 or H2 id() is sign-extended
    return bool(_erase(uctypes.bytearray_at(address, _REACH + _SCHEDULE), secret, len(secret), _REACH))


def equal(a, b):
    """Whether two byte buffers are the same, in a time that depends on their lengths only."""
    return len(a) == len(b) and _difference(a, b, len(a)) == 0
