"""Keys on the host: made, loaded strictly, and derived for a board exactly as FORMAT.md section 1 has it.

No key leaves this module in a message: errors name files, lengths and kinds, never contents.
"""

from __future__ import annotations

import os
import re
import secrets
import shlex
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, hmac, serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey, generate_private_key
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from .errors import TinysealError, UsageError, quoted
from .files import TEXT_LIMIT, read_with_mode, reason, write_new
from .formats import MAX_DEVICE_ID_LEN, SIGNATURE_LEN, KeySource

MASTER_FILE = "master.key"
SIGNING_FILE = "signing.key"
SIGNER_FILE = "signing.pub"

DEVICE_KEY_INFO = b"model-encryption"
EFUSE_ROOT_INFO = b"tinyseal efuse hmac"
FILE_SEED_INFO = b"tinyseal file seed"
_FINGERPRINT_LABEL = b"tinyseal master fingerprint"

_KEY_LEN = 32
_MODULUS_BITS = 8 * SIGNATURE_LEN
_EXPONENT = 65537
_WANTED_RSA = f"RSA-{_MODULUS_BITS} with e = {_EXPONENT}"
_FINGERPRINT_LEN = 8
_KEYGEN_HINT = "make keys with `tinyseal keygen DIR`, and name that folder with --keys"

# Hexadecimal and a newline, not raw bytes: the key survives an editor, a clipboard and a password manager, and whatever
# does change it (a cut line, a byte order mark, another encoding) is noticed.
_MASTER_TEXT = re.compile(rb"([0-9a-fA-F]{64})\r?\n?")
_DEVICE_ID = re.compile(r"[0-9a-f]{2}(?:(?::[0-9a-f]{2})*|(?:[0-9a-f]{2})*)", re.IGNORECASE)


def generate(folder: Path) -> list[Path]:
    """Make `master.key`, `signing.key` (both mode 0600) and `signing.pub` (0644) in `folder`, itself made if missing.

    All three or none: TinysealError when one exists already or cannot be written, and then nothing is left behind.
    """
    paths = [folder / name for name in (MASTER_FILE, SIGNING_FILE, SIGNER_FILE)]
    for path in paths:
        if os.path.lexists(path):
            raise TinysealError(f"{path}: exists already, and is never overwritten", hint="name another folder")
    with ExitStack() as undo:
        try:
            if not folder.is_dir():
                folder.mkdir(mode=0o700)
                undo.callback(folder.rmdir)
        except OSError as error:
            raise TinysealError(f"{folder}: {reason(error)}") from error
        private_key = generate_private_key(_EXPONENT, _MODULUS_BITS)
        private_pem = private_key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        public_pem = private_key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        contents = (f"{secrets.token_hex(_KEY_LEN)}\n".encode(), private_pem, public_pem)
        for path, content, mode in zip(paths, contents, (0o600, 0o600, 0o644), strict=True):
            write_new(path, content, mode)
            undo.callback(path.unlink)
        undo.pop_all()
    return paths


def load_master(folders: Sequence[Path]) -> bytes:
    """The 32-byte master key from the first folder that has one; TinysealError when none has, or it is not exact."""
    path = _find(folders, MASTER_FILE)
    match = _MASTER_TEXT.fullmatch(_read_secret(path))
    if match is None:
        raise TinysealError(f"{path}: not a master key, wanted one line of {2 * _KEY_LEN} hexadecimal digits")
    return bytes.fromhex(match[1].decode())


def load_signing_key(folders: Sequence[Path]) -> RSAPrivateKey:
    """The RSA-3072 signing key from the first folder that has one; TinysealError when none has or it is not one."""
    return _private_key(_find(folders, SIGNING_FILE))


def load_signer(folders: Sequence[Path]) -> RSAPublicKey:
    """The public half from the first folder with a `signing.pub` or else a `signing.key`; TinysealError as above."""
    path = _find(folders, SIGNER_FILE, SIGNING_FILE)
    if path.name == SIGNING_FILE:
        return _private_key(path).public_key()
    data = read_with_mode(path, TEXT_LIMIT)[0]
    try:
        key = serialization.load_pem_public_key(data)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise TinysealError(f"{path}: not a public key in PEM, wanted {_WANTED_RSA}") from error
    if not isinstance(key, RSAPublicKey):
        raise TinysealError(f"{path}: is another kind of key, wanted {_WANTED_RSA}")
    _check_rsa(path, key)
    return key


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
    if len(master) != _KEY_LEN:
        raise ValueError(f"master key has {len(master)} bytes, wanted {_KEY_LEN}")
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


def parse_device_id(text: str) -> bytes:
    """1 to 16 bytes from hexadecimal, with colons between the bytes as in a MAC, or none; UsageError if not."""
    if _DEVICE_ID.fullmatch(text):
        device_id = bytes.fromhex(text.replace(":", ""))
        if len(device_id) <= MAX_DEVICE_ID_LEN:
            return device_id
    raise UsageError(
        f"device id is {quoted(text)}, wanted 1 to {MAX_DEVICE_ID_LEN} bytes in hexadecimal",
        hint="`tinyseal status --port P` shows a board's, for example 7cdfa1e0c3b4 or 7c:df:a1:e0:c3:b4",
    )


def _find(folders: Sequence[Path], *names: str) -> Path:
    """The first of `names` in the first folder that has any of them."""
    for folder in folders:
        for name in names:
            if os.path.lexists(folder / name):
                return folder / name
    places = ", ".join(str(folder) for folder in folders) or "no key folder is named"
    raise TinysealError(f"{places}: no {' or '.join(names)} there, wanted one", hint=_KEYGEN_HINT)


def _read_secret(path: Path) -> bytes:
    """A key file that nobody but its owner may read, as ssh wants its keys; permission bits mean nothing on Windows."""
    data, mode = read_with_mode(path, TEXT_LIMIT)
    if os.name == "posix" and mode & 0o077:
        raise TinysealError(f"{path}: mode is {mode:04o}, wanted 0600", hint=f"chmod 600 {shlex.quote(str(path))}")
    return data


def _private_key(path: Path) -> RSAPrivateKey:
    data = _read_secret(path)
    # What the library says of a private key is dropped (`from None`): it is not ours to vouch for.
    try:
        key = serialization.load_pem_private_key(data, password=None)
    except TypeError:
        raise TinysealError(f"{path}: has a passphrase, wanted a key without one") from None
    except (ValueError, UnsupportedAlgorithm):
        raise TinysealError(f"{path}: not a private key in PEM, wanted {_WANTED_RSA}") from None
    if not isinstance(key, RSAPrivateKey):
        raise TinysealError(f"{path}: is another kind of key, wanted {_WANTED_RSA}")
    _check_rsa(path, key.public_key())
    return key


def _check_rsa(path: Path, key: RSAPublicKey) -> None:
    exact = key.public_numbers().e == _EXPONENT
    if key.key_size != _MODULUS_BITS or not exact:
        exponent = f"e = {_EXPONENT}" if exact else "another exponent"
        raise TinysealError(f"{path}: is RSA-{key.key_size} with {exponent}, wanted {_WANTED_RSA}")


def _hkdf(ikm: bytes, salt: bytes, info: bytes) -> bytes:
    return HKDF(hashes.SHA256(), length=_KEY_LEN, salt=salt, info=info).derive(ikm)


def _hmac(key: bytes, message: bytes) -> bytes:
    code = hmac.HMAC(key, hashes.SHA256())
    code.update(message)
    return code.finalize()
