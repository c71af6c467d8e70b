"""AES-GCM decryption (NIST SP 800-38D) from ECB, a mode that stock firmware has (level 2).

The only user of the AES engine. Verify first, then decrypt in place: no plaintext exists before the tag is right.
Sections and symbols are the standard's.
"""

import ucryptolib

from . import ctr, ghash
from .errors import AUTHENTICATION, ENGINE, SealError
from .memory import aligned, equal, wipe, wipe_inside

_ECB = 1

# FIPS-197, C.3: AES-256 with the key 00 01 .. 1f.
_KAT_PLAIN = b"\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff"
_KAT_CIPHER = b"\x8e\xa2\xb7\xca\x51\x67\x45\xbf\xea\xfc\x49\x90\x4b\x49\x60\x89"

KEY_CHECK_TEXT = b"tinyseal key chk"


def check_engine():
    """SealError(ENGINE) unless AES gives the standard's answer: its driver can fail silently and return zeros."""
    if not equal(ucryptolib.aes(bytes(range(32)), _ECB).encrypt(_KAT_PLAIN), _KAT_CIPHER):
        raise SealError(ENGINE, "AES gives a wrong answer")


def known_answer(key):
    """What AES gives for `KEY_CHECK_TEXT` under this key, 16 bytes: tells keys apart, and says nothing about them."""
    aes = ucryptolib.aes(key, _ECB)
    try:
        answer = bytearray(KEY_CHECK_TEXT)
        _encrypt_block(aes, answer)
        return answer
    finally:
        wipe_inside(aes, key)


def _ghash(work, data):
    """Absorb `data`, padded with zeros to whole blocks, into Y."""
    n = len(data)
    whole = n & ~15
    ghash.update(data, 0, work.table, work.y, whole)
    if n > whole:
        wipe(work.block)
        work.block[: n - whole] = data[whole:]
        ghash.update(work.block, 0, work.table, work.y, 16)


def _encrypt_block(aes, block):
    """Encrypt 16 bytes in place; SealError(ENGINE) when zeros come back, as they do when the driver has failed."""
    aes.encrypt(block, block)
    if ctr.blank(block, 1):
        raise SealError(ENGINE, "AES gives a block of zeros")


def _tag(aes, work, nonce, aad, data):
    """The 16-byte tag (7.1), in Y; the table keeps what H gave. With H = 0, refused, every tag would be E(J0)."""
    _encrypt_block(aes, work.block)  # still zeros: H
    ghash.build_into(work.table, work.block)
    _ghash(work, aad)
    _ghash(work, data)
    lengths = (len(aad) << 3).to_bytes(8, "big") + (len(data) << 3).to_bytes(8, "big")
    ghash.update(lengths, 0, work.table, work.y, 16)
    work.block[:12] = nonce
    work.block[12:] = b"\x00\x00\x00\x01"  # J0
    _encrypt_block(aes, work.block)
    ctr.xor_into(work.y, work.block, 16)
    return work.y


class Work:
    """The one piece of memory that secrets pass through, 8 KiB and 32 bytes: what is wiped is all of it.

    `table` is GHASH's, and after the tag a chunk of counter blocks and one of keystream; `y` is Y, `block` a block.
    """

    def __init__(self):
        self.memory = bytearray(ghash.TABLE + 32)
        view = memoryview(self.memory)
        self.table = view[: ghash.TABLE]
        self.y = view[ghash.TABLE : ghash.TABLE + 16]
        self.block = view[ghash.TABLE + 16 :]


def _crypt(aes, chunks, nonce, data):
    """XOR the keystream from counter 2 on into `data`; `chunks` holds a chunk of counters and one of keystream."""
    blocks = 2 + (len(data) + 15) // 16  # still to do, with counter 0 (unused) and counter 1 (the tag's)
    ctr.start(chunks, nonce, min(blocks, ctr.CHUNK // 16))
    data = memoryview(data)
    done = 0
    at = 32  # the first two blocks of the first chunk are not data's
    chunk = 0
    while done < len(data):
        n = min(blocks, ctr.CHUNK // 16)
        counters = chunks[: 16 * n]
        stream = chunks[ctr.CHUNK : ctr.CHUNK + 16 * n]
        ctr.advance(counters, 0, chunk, n)
        aes.encrypt(counters, stream)
        if ctr.blank(stream, n):
            raise SealError(ENGINE, "AES gives a block of zeros")
        part = data[done : done + ctr.CHUNK - at]
        ctr.xor_into(part, stream[at:], len(part))
        done += len(part)
        blocks -= n
        at = 0
        chunk += 1


def open_in_place(key, nonce, aad, data, tag, key_check=None, work=None):
    """Verify `tag` over `aad` and `data`, then decrypt the writable byte buffer `data` where it lies.

    `key` is 16 or 32 bytes, `nonce` 12, `tag` 16; `aad` and `data` begin 4-aligned, as every bytearray does: ValueError
    when not. `key_check`, when given, is the engine's known answer for this very key. SealError(AUTHENTICATION) leaves
    `data` as it was. SealError(ENGINE), and whatever else stops the decryption, leaves either that or zeros.
    Needs a `Work` beside `data`. At the end, whatever happens, that is wiped, and the key in the AES object.
    """
    if len(nonce) != 12 or len(tag) != 16 or not aligned(aad) or not aligned(data):
        raise ValueError("nonce, tag or alignment")
    work = work or Work()
    aes = ucryptolib.aes(key, _ECB)
    try:
        if key_check is not None:
            work.block[:] = KEY_CHECK_TEXT
            _encrypt_block(aes, work.block)
            if not equal(work.block, key_check):
                raise SealError(AUTHENTICATION)
            wipe(work.block)
        if not equal(_tag(aes, work, nonce, aad, data), tag):
            raise SealError(AUTHENTICATION)
        try:
            _crypt(aes, work.table, nonce, data)
        except BaseException:
            wipe(data)  # some of it may be plaintext by now
            raise
    finally:
        wipe(work.memory)
        wipe_inside(aes, key)
