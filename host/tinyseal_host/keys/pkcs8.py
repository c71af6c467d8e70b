"""An RSA private key under a passphrase: PKCS #8 (RFC 5958) with PBES2 (RFC 8018), scrypt (RFC 7914) and AES-256-CBC.

Written by hand because the PKCS #8 that pyca writes (50.0: 2,048 rounds of PBKDF2-HMAC-SHA256, where OWASP asks for
600,000) is soon guessed, and cannot be told to take more. pyca and OpenSSL read this one.
"""

from __future__ import annotations

import base64
import secrets

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from cryptography.hazmat.primitives.padding import PKCS7
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

# Of the parameters that OWASP's Password Storage Cheat Sheet holds equal, those with the largest N that OpenSSL opens:
# it allows scrypt 32 MiB, and this takes 128 * N * r = 16 MiB, five times over. About 0.2 s.
_N, _R, _P = 1 << 14, 8, 5
_KEY_LEN = 32
_SALT_LEN = 16
_IV_LEN = 16

_INTEGER, _OCTET_STRING, _OBJECT_IDENTIFIER, _SEQUENCE = 0x02, 0x04, 0x06, 0x30
_PBES2 = bytes.fromhex("2a864886f70d01050d")  # 1.2.840.113549.1.5.13
_SCRYPT = bytes.fromhex("2b06010401da47040b")  # 1.3.6.1.4.1.11591.4.11
_AES256_CBC = bytes.fromhex("60864801650304012a")  # 2.16.840.1.101.3.4.1.42
_PEM_LINE = 64


def encrypted_pem(key: RSAPrivateKey, passphrase: bytes) -> bytes:
    """`BEGIN ENCRYPTED PRIVATE KEY`, under a fresh salt and IV; ValueError for an empty passphrase."""
    if not passphrase:
        raise ValueError("passphrase is empty")
    salt, iv = secrets.token_bytes(_SALT_LEN), secrets.token_bytes(_IV_LEN)
    plain = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    padder = PKCS7(algorithms.AES256.block_size).padder()
    padded = padder.update(plain) + padder.finalize()
    derived = Scrypt(salt=salt, length=_KEY_LEN, n=_N, r=_R, p=_P).derive(passphrase)
    encryptor = Cipher(algorithms.AES256(derived), modes.CBC(iv)).encryptor()
    ciphertext = encryptor.update(padded) + encryptor.finalize()

    kdf = _sequence(
        _der(_OBJECT_IDENTIFIER, _SCRYPT), _sequence(_der(_OCTET_STRING, salt), *map(_integer, (_N, _R, _P)))
    )
    cipher = _sequence(_der(_OBJECT_IDENTIFIER, _AES256_CBC), _der(_OCTET_STRING, iv))
    algorithm = _sequence(_der(_OBJECT_IDENTIFIER, _PBES2), _sequence(kdf, cipher))
    return _pem(_sequence(algorithm, _der(_OCTET_STRING, ciphertext)))


def _der(tag: int, content: bytes) -> bytes:
    """Tag, length and content (X.690, 8.1); a length from 128 on follows a byte that says how many bytes it has."""
    length = len(content)
    if length < 0x80:
        return bytes([tag, length]) + content
    length_bytes = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length_bytes)]) + length_bytes + content


def _sequence(*parts: bytes) -> bytes:
    return _der(_SEQUENCE, b"".join(parts))


def _integer(value: int) -> bytes:
    """Of a positive number: one bit more than it has, for the sign."""
    return _der(_INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def _pem(der: bytes) -> bytes:
    text = base64.b64encode(der)
    lines = [text[at : at + _PEM_LINE] for at in range(0, len(text), _PEM_LINE)]
    return b"\n".join([b"-----BEGIN ENCRYPTED PRIVATE KEY-----", *lines, b"-----END ENCRYPTED PRIVATE KEY-----", b""])
