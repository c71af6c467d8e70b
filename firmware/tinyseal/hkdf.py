"""HMAC-SHA256 (RFC 2104) and HKDF-SHA256 (RFC 5869) on the built-in SHA-256 (level 1)."""

import uhashlib

from .errors import ENGINE, SealError
from .memory import equal, wipe

_BLOCK = 64
_HASH = 32

# FIPS 180-4's example of one block, from NIST's collection of intermediate values.
_KAT_MESSAGE = b"abc"
_KAT_DIGEST = (
    b"\xba\x78\x16\xbf\x8f\x01\xcf\xea\x41\x41\x40\xde\x5d\xae\x22\x23"
    b"\xb0\x03\x61\xa3\x96\x17\x7a\x9c\xb4\x10\xff\x61\xf2\x00\x15\xad"
)


def check_engine():
    """SealError(ENGINE) unless the SHA-256 engine gives the standard's answer."""
    if not equal(uhashlib.sha256(_KAT_MESSAGE).digest(), _KAT_DIGEST):
        raise SealError(ENGINE, "SHA-256 gives a wrong answer to FIPS 180-4's example")


def _digest(hash):
    """What a hash object gives; SealError(ENGINE) unless it has the length of a SHA-256."""
    digest = hash.digest()
    if len(digest) != _HASH:
        raise SealError(ENGINE, "SHA-256 of %d bytes" % len(digest))
    return digest


def hmac(key, *parts):
    """The 32-byte HMAC-SHA256 of the concatenated parts, in wipeable bytes.

    The inner hash ends before the outer begins: the original ESP32 lends its SHA engine to one live hash object.
    """
    pad = bytearray(_BLOCK)
    if len(key) > _BLOCK:
        short = _digest(uhashlib.sha256(key))
        pad[:_HASH] = short
        wipe(short)
    else:
        pad[: len(key)] = key
    for i in range(_BLOCK):
        pad[i] ^= 0x36
    inner = uhashlib.sha256(pad)
    for part in parts:
        inner.update(part)
    digest = _digest(inner)
    for i in range(_BLOCK):
        pad[i] ^= 0x36 ^ 0x5C
    outer = uhashlib.sha256(pad)
    outer.update(digest)
    wipe(pad)
    wipe(digest)
    return _digest(outer)


def hkdf(ikm, salt, info, length=_HASH):
    """`length` bytes of HKDF-SHA256 output keying material in a bytearray; ValueError above the RFC's 255 * 32."""
    okm = bytearray(length)
    block = b""
    prk = hmac(salt, ikm)
    try:
        for at in range(0, length, _HASH):
            previous = block
            block = hmac(prk, previous, info, bytes((at // _HASH + 1,)))
            wipe(previous)
            for i in range(min(_HASH, length - at)):  # a slice of `block` would leave a copy behind
                okm[at + i] = block[i]
    finally:
        wipe(prk)
        wipe(block)
    return okm
