"""HMAC-SHA256 (RFC 2104) and HKDF-SHA256 (RFC 5869) on the built-in SHA-256 (level 1)."""

import uhashlib

from .memory import wipe

_BLOCK = 64


def hmac(key, *parts):
    """The 32-byte HMAC-SHA256 of the concatenated parts.

    The inner hash ends before the outer begins: the original ESP32 lends its SHA engine to one live hash object.
    """
    pad = bytearray(_BLOCK)
    if len(key) > _BLOCK:
        key = uhashlib.sha256(key).digest()
    pad[: len(key)] = key
    for i in range(_BLOCK):
        pad[i] ^= 0x36
    inner = uhashlib.sha256(pad)
    for part in parts:
        inner.update(part)
    digest = inner.digest()
    for i in range(_BLOCK):
        pad[i] ^= 0x36 ^ 0x5C
    outer = uhashlib.sha256(pad)
    outer.update(digest)
    wipe(pad)
    wipe(digest)
    return outer.digest()


def hkdf(ikm, salt, info, length=32):
    """`length` bytes (at most 255 * 32) of HKDF-SHA256 output keying material."""
    prk = hmac(salt, ikm)
    okm = bytearray(length)
    block = b""
    for i in range((length + 31) // 32):
        block = hmac(prk, block, info, bytes((i + 1,)))
        okm[32 * i : 32 * i + 32] = block[: length - 32 * i]
    wipe(prk)
    wipe(block)
    return okm
