"""AES-GCM decryption (NIST SP 800-38D) from the one mode that stock firmware has, ECB: the only user of the AES engine (level 2).

Verify first, then decrypt in place: no plaintext exists before the tag is right. Sections and symbols are the standard's.
"""

import ucryptolib

from . import ctr, ghash
from .errors import AUTHENTICATION, ENGINE, SealError
from .memory import equal, wipe

_ECB = 1

# FIPS-197, C.3: AES-256 with the key 00 01 .. 1f.
_KAT_PLAIN = b"\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff"
_KAT_CIPHER = b"\x8e\xa2\xb7\xca\x51\x67\x45\xbf\xea\xfc\x49\x90\x4b\x49\x60\x89"

KEY_CHECK_TEXT = b"tinyseal key chk"


def check_engine():
    """SealError(ENGINE) unless the AES engine gives the standard's answer: its driver can fail and return zeros silently."""
    if not equal(ucryptolib.aes(bytes(range(32)), _ECB).encrypt(_KAT_PLAIN), _KAT_CIPHER):
        raise SealError(ENGINE, "AES gives a wrong answer to FIPS-197 C.3")


def _ghash(table, y, data):
    """Absorb `data`, padded with zeros to whole blocks."""
    n = len(data)
    whole = n & ~15
    ghash.update(table, 0, 0, data, y, whole)
    if n > whole:
        last = bytearray(16)
        last[: n - whole] = data[whole:]
        ghash.update(table, 0, 0, last, y, 16)
        wipe(last)


def _tag(aes, table, nonce, aad, data):
    """The 16-byte tag (7.1); `table` is left holding what H gave."""
    h = bytearray(16)
    aes.encrypt(h, h)
    if not any(h):
        raise SealError(ENGINE, "GCM's H is zero")
    ghash.build_into(table, h)
    wipe(h)
    y = bytearray(16)
    _ghash(table, y, aad)
    _ghash(table, y, data)
    lengths = (len(aad) << 3).to_bytes(8, "big") + (len(data) << 3).to_bytes(8, "big")
    ghash.update(table, 0, 0, lengths, y, 16)
    j0 = bytearray(nonce) + b"\x00\x00\x00\x01"
    aes.encrypt(j0, j0)
    ctr.xor_into(y, j0, 0, 16)
    wipe(j0)
    return y


def _crypt(aes, work, nonce, data):
    """XOR the keystream that begins at counter 2 into `data`; `work` holds a chunk of counters and one of keystream."""
    total = 2 + (len(data) + 15) // 16  # blocks, with counter 0 (unused) and counter 1 (the tag's)
    n = min(total, 256)
    view = memoryview(work)
    counters = view[: 16 * n]
    stream = view[ctr.CHUNK : ctr.CHUNK + 16 * n]
    ctr.start(counters, nonce, n)
    aes.encrypt(counters, stream)
    data = memoryview(data)
    done = min(len(data), 16 * (n - 2))
    ctr.xor_into(data, stream[32:], 0, done)
    chunk = 1
    while done < len(data):
        ctr.advance(counters, chunk, n)
        aes.encrypt(counters, stream)
        part = data[done : done + ctr.CHUNK]
        ctr.xor_into(part, stream, 0, len(part))
        done += len(part)
        chunk += 1


def open_in_place(key, nonce, aad, data, tag, key_check=None):
    """Verify `tag` over `aad` and `data`, then decrypt the bytearray `data` where it lies.

    `key` is 16 or 32 bytes, `nonce` 12, `tag` 16; `aad` and `data` begin 4-aligned, as every bytearray does. `key_check`, when given, is
    the engine's known answer for this very key. SealError(AUTHENTICATION) leaves `data` as it was; SealError(ENGINE).
    Needs 8 KiB of heap beside `data`, wiped at the end whatever happens.
    """
    work = bytearray(ghash.TABLE)
    try:
        aes = ucryptolib.aes(key, _ECB)
        if key_check is not None and not equal(aes.encrypt(KEY_CHECK_TEXT), key_check):
            raise SealError(AUTHENTICATION)
        y = _tag(aes, work, nonce, aad, data)
        if not equal(y, tag):
            raise SealError(AUTHENTICATION)
        _crypt(aes, work, nonce, data)
    finally:
        wipe(work)
