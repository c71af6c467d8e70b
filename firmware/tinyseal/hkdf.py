"""HMAC-SHA256 (RFC 2104) and HKDF-SHA256 (RFC 5869) on the built-in SHA-256 (level 1)."""

import uhashlib
from micropython import const

from .memory import wipe
from .sha256 import digest_of

_BLOCK = const(64)
_HASH = const(32)


def hmac(key, *parts):
    """The 32-byte HMAC-SHA256 of the concatenated parts, in wipeable bytes.

    The inner hash ends before the outer begins: the original ESP32 lends its SHA engine to one live hash object.
    """
    pad = bytearray(_BLOCK)
    digest = b""
    try:
        if len(key) > _BLOCK:
            digest = digest_of(uhashlib.sha256(key))
            key = digest
        pad[: len(key)] = key
        for i in range(_BLOCK):
            pad[i] ^= 0x36
        inner = uhashlib.sha256(pad)
        wipe(digest)
        for part in parts:
            inner.update(part)
        digest = digest_of(inner)
        for i in range(_BLOCK):
            pad[i] ^= 0x36 ^ 0x5C
        outer = uhashlib.sha256(pad)
        outer.update(digest)
        return digest_of(outer)
    finally:
        wipe(pad)
        wipe(digest)


def hkdf_into(ikm, salt, info, okm):
    """Fill the bytearray `okm` with HKDF-SHA256 output keying material; ValueError above the RFC's 255 * 32 bytes."""
    block = b""
    prk = hmac(salt, ikm)
    try:
        for at in range(0, len(okm), _HASH):
            previous = block
            block = hmac(prk, previous, info, bytes((at // _HASH + 1,)))
            wipe(previous)
            for i in range(min(_HASH, len(okm) - at)):  # a slice of `block` would leave a copy behind
                okm[at + i] = block[i]
    finally:
        wipe(prk)
        wipe(block)
