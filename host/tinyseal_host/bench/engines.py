"""What is asked of a board's engines, and the answers that it must give: made by pyca and hashlib, not by us."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ..keys import modulus

# As in onboard/engines.py.
_KEY = bytes(range(32))
_NONCE, _AAD = bytes(12), bytes(48)
_PAGE = 4096

OPENED = (4096, 16384, 65536)
"""Bytes of ciphertext."""


@dataclass(frozen=True)
class Question:
    """A figure's name, how much of what a call does, what it is, and the digest of the answer, "" where none is due."""

    name: str
    count: int
    unit: str
    about: str
    answer: str


def questions() -> tuple[Question, ...]:
    """What `engines()` on the board answers, in the order in which people read it."""
    zeros, ones = bytes(_PAGE), b"\x01" * _PAGE
    counters = b"".join(_NONCE + (256 + number).to_bytes(4, "big") for number in range(256))
    ghash = digest(_ghash(ones))
    return (
        Question("call", 1, "call", "an empty function of Python: in each of these", ""),
        Question("aes_block", 1, "block", "AES-256 by the engine, a block a call", digest(_ecb(zeros[:16]))),
        Question("aes_buffer", 256, "block", "AES-256 by the engine, 256 blocks a call", digest(_ecb(zeros))),
        Question("sha256_block", 64, "byte", "SHA-256 by the engine, made and finished", digest(zeros[:64])),
        Question("sha256_buffer", _PAGE, "byte", "SHA-256 by the engine, made and finished", digest(zeros)),
        Question("ghash_table", 1, "table", "GHASH's table, once a file", ghash),
        Question("ghash_buffer", _PAGE, "byte", "GHASH", ghash),
        Question("ctr_counters", 256, "block", "counter blocks", digest(counters)),
        Question("ctr_xor", _PAGE, "byte", "keystream and ciphertext", digest(ones)),
        Question("wipe", _PAGE, "byte", "overwriting", digest(zeros)),
    )


def opening(n: int) -> tuple[Question, bytes]:
    """Of n bytes of zeros under a key and a nonce that everybody knows; their tag."""
    engine = Cipher(algorithms.AES(_KEY), modes.CTR(_NONCE + (2).to_bytes(4, "big"))).encryptor()
    plain = engine.update(bytes(n))
    sealed = AESGCM(_KEY).encrypt(_NONCE, plain, _AAD)
    about = "AES-256-GCM: verified, then decrypted in place"
    return Question(f"open_{n >> 10}k", n, "byte", about, digest(plain)), sealed[n:]


def signature() -> tuple[Question, tuple[bytes, bytes, bytes]]:
    """Of a key made for it: modulus, digest of the message, signature."""
    key = generate_private_key(65537, 3072)
    message = b"tinyseal bench"
    signed = key.sign(message, PSS(MGF1(hashes.SHA256()), 32), hashes.SHA256())
    question = Question("rsa_verify", 1, "signature", "RSA-3072 PSS", "True")
    return question, (modulus(key.public_key()), hashlib.sha256(message).digest(), signed)


def digest(data: bytes) -> str:
    """As onboard/clock.py has it."""
    return hashlib.sha256(data).hexdigest()[:16]


def _ecb(data: bytes) -> bytes:
    engine = Cipher(algorithms.AES(_KEY), modes.ECB()).encryptor()  # noqa: S305 - what boards have
    return engine.update(data) + engine.finalize()


def _ghash(data: bytes) -> bytes:
    """GHASH of whole blocks and their length: the tag of such AAD without text, E(J0) taken off."""
    tag = AESGCM(_KEY).encrypt(_NONCE, b"", data)
    mask = _ecb(_NONCE + (1).to_bytes(4, "big"))
    return bytes(a ^ b for a, b in zip(tag, mask, strict=True))
