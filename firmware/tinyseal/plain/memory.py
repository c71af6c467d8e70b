"""Wiping and comparing secrets, for boards without the native emitter (level 0); `uctypes` stands for pointers.

What wipes has no loop and no branch of its own: Ctrl-C raises at jumps of the bytecode only, so between the start of a
`finally` and the end of the wipes in it there is no place where it could, as there is none in native code. Unlike that,
it needs some small objects' heap.
"""

import uctypes
import usys
from micropython import const
from ustruct import pack_into

_REACH = const(40)  # as in the native module
_SCHEDULE = const(240)  # bytes of the longest AES key schedule: 60 words


def _zero(buffer, at, n):
    """n bytes of a writable buffer from `at` on become zero: a string that is too short is filled up with zeros."""
    pack_into("%ds" % n, buffer, at, b"")


def _fill(p, n):
    """n bytes at p become zero; of `bytes` and `str` too."""
    _zero(uctypes.bytearray_at(uctypes.addressof(p), n), 0, n)


def _difference(a, b, n):
    """0 when n bytes at a and b are equal, else 1..255; the same bytecode is run either way."""
    d = 0
    for i in range(n):
        d |= (a[i] ^ b[i]) & 255  # one may be an array("b")
    return d


def _erased(p, secret, n, at):
    """Zero the AES key of n bytes at p[at:], with its schedule if it stands there; whether it was the key."""
    found = memoryview(p)[at : at + n] == secret
    # As in the native module. A schedule is 4 (n/4 + 7) words (FIPS-197, 5.2), of which the key is the first n/4.
    words = range(at + n + 4, at + n + 4 + 12 * found)
    expanded = all(map(lambda i: p[i] == p[i - 4] ^ p[i - n], words))  # noqa: C417 - a generator loops
    _zero(p, at, found * (n + expanded * (3 * n + 112)))
    return found


def _erase(p, secret, n, reach):
    """Zero the first copy of an AES key of n bytes that begins 0..reach-1 bytes into the buffer p; 1 if any."""
    return int(any(map(lambda at: _erased(p, secret, n, at), range(reach))))  # noqa: C417 - a generator loops


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
    address = id(thing) & usys.maxsize  # on a C6 or H2 id() is sign-extended
    return bool(_erase(uctypes.bytearray_at(address, _REACH + _SCHEDULE), secret, len(secret), _REACH))


def equal(a, b):
    """Whether two byte buffers are the same, in a time that depends on their lengths only."""
    return len(a) == len(b) and _difference(a, b, len(a)) == 0
