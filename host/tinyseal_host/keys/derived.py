"""What is derived from keys: a board's secrets (FORMAT.md section 1), and fingerprints that may be shown."""

from __future__ import annotations

from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ..formats import MAX_DEVICE_ID_LEN, SIGNATURE_LEN, KeySource

DEVICE_KEY_INFO = b"model-encryption"
EFUSE_ROOT_INFO = b"tinyseal efuse hmac"
FILE_SEED_INFO = b"tinyseal file seed"
_FINGERPRINT_LABEL = b"tinyseal master fingerprint"

KEY_LEN = 32
"""Bytes of the master key and of everything that is derived from it."""
_FINGERPRINT_LEN = 8


def device_key(master: bytes, device_id: bytes, source: KeySource) -> bytes:
    """The 32-byte AES key of one board, which is what its key source yields there; ValueError for wrong lengths."""
    secret = provisioned_secret(master, device_id, source)
    if source == KeySource.NVS:
        return secret
    if source == KeySource.FILE:
        return _hkdf(secret, device_id, DEVICE_KEY_INFO)
    return _hmac(secret, DEVICE_KEY_INFO + device_id)


def provisioned_secret(master: bytes, device_id: bytes, source: KeySource) -> bytes:
    """The 32 bytes put on one board: device key (`nvs`), seed (`file`) or eFuse root (`efuse`); ValueError as above."""
    if len(master) != KEY_LEN:
        raise ValueError(f"master key has {len(master)} bytes, wanted {KEY_LEN}")
    if not 1 <= len(device_id) <= MAX_DEVICE_ID_LEN:
        raise ValueError(f"device id has {len(device_id)} bytes, wanted 1 to {MAX_DEVICE_ID_LEN}")
    infos = {KeySource.NVS: DEVICE_KEY_INFO, KeySource.EFUSE: EFUSE_ROOT_INFO, KeySource.FILE: FILE_SEED_INFO}
    return _hkdf(master, device_id, infos[source])


def modulus(signer: RSAPublicKey) -> bytes:
    """The signer as a board keeps it: 384 bytes, big-endian."""
    return signer.public_numbers().n.to_bytes(SIGNATURE_LEN, "big")


def signer_fingerprint(signer: RSAPublicKey) -> str:
    """16 hexadecimal digits that tell signers apart: the first bytes of the modulus' SHA-256."""
    digest = hashes.Hash(hashes.SHA256())
    digest.update(modulus(signer))
    return digest.finalize()[:_FINGERPRINT_LEN].hex()


def master_fingerprint(master: bytes) -> str:
    """16 hexadecimal digits that tell master keys apart, and may be shown.

    HMAC-SHA256 keyed with the master key is a pseudorandom function: its value for a label that no derivation uses says
    nothing about its other values or the key, and 256 random bits cannot be searched for with it.
    """
    return _hmac(master, _FINGERPRINT_LABEL)[:_FINGERPRINT_LEN].hex()


def _hkdf(ikm: bytes, salt: bytes, info: bytes) -> bytes:
    return HKDF(hashes.SHA256(), length=KEY_LEN, salt=salt, info=info).derive(ikm)


def _hmac(key: bytes, message: bytes) -> bytes:
    code = hmac.HMAC(key, hashes.SHA256())
    code.update(message)
    return code.finalize()
