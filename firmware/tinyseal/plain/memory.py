"""Wiping and comparing secrets, for boards without the native emitter (level 0); `uctypes` stands for pointers.

What wipes has no loop and no branch of its own: Ctrl-C raises at jumps of the bytecode only, so between the start of a
`finally` and the end of the wipes in it there is no place where it could, as there is none in native code. Unlike that,
it needs some small objects' heap.
"""

import uctypes
import usys
from micropython import const
from ustruct import pack_into

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
    # As in the native function. A schedule is 4 (n/4 + 7) words (FIPS-197, 5.2), of which the key is the first n/4.
    words = range(at + n + 4, at + n + 4 + 12 * found)
    expanded = all(map(lambda i: p[i] == p[i - 4] ^ p[i - n], words))  # noqa: C417 - a generator loops
    _zero(p, at, found * (n + expanded * (3 * n + 112)))
    return found


def _erase(p, secret, n, reach):
    """Zero the first copy of an AES key of n bytes that begins 0..reach-1 bytes behind p; 1 if there was one, else 0.

    p is a buffer, or an address as id() gives it: sign-extended on a C6 or H2.
    """
    address = (uctypes.addressof, int)[type(p) is int](p) & usys.maxsize
    found = uctypes.bytearray_at(address, reach + _SCHEDULE)
    return int(any(map(lambda at: _erased(found, secret, n, at), range(reach))))  # noqa: C417 - a generator loops


def _low_bits(p):
    """The lowest two bits of an address."""
    return uctypes.addressof(p) & 3
