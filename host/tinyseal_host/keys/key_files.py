"""The three key files: made all or none, never overwritten, loaded strictly."""

from __future__ import annotations

import os
import re
import secrets
import shlex
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from enum import Enum
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey, generate_private_key
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

from ..errors import TinysealError
from ..files import TEXT_LIMIT, read_with_mode, reason, write_new
from ..formats import SIGNATURE_LEN
from .derived import KEY_LEN
from .pkcs8 import encrypted_pem

MASTER_FILE = "master.key"
SIGNING_FILE = "signing.key"
SIGNER_FILE = "signing.pub"
NAMES = {MASTER_FILE: "master key", SIGNING_FILE: "signing key", SIGNER_FILE: "signer's public key"}
"""The file names, and what people call what is in them."""

_MODULUS_BITS = 8 * SIGNATURE_LEN
_EXPONENT = 65537
_WANTED_RSA = f"RSA-{_MODULUS_BITS} with e = {_EXPONENT}"
_KEYGEN_HINT = "make keys with `tinyseal keygen DIR`, and name that folder with --keys"

# Hexadecimal and a newline, not raw bytes: the key survives an editor, a clipboard and a password manager, and whatever
# does change it (a cut line, a byte order mark, another encoding) is noticed.
_MASTER_TEXT = re.compile(rb"([0-9a-fA-F]{64})\r?\n?")

Ask = Callable[[Path], bytes]
"""Gets the passphrase of the key file that it is given, 1 byte or more."""


class KeyKind(Enum):
    """The two keys that there are; they need not lie in one folder."""

    MASTER = "master"
    SIGNING = "signing"


class PassphraseError(TinysealError):
    """A key is encrypted, and nobody was there to ask for its passphrase."""


def generate(folder: Path, kinds: Sequence[KeyKind] = tuple(KeyKind), passphrase: bytes | None = None) -> list[Path]:
    """Make `master.key`, `signing.key` (both mode 0600) and `signing.pub` (0644) in `folder`, itself made if missing.

    Those of the wanted kinds, the signing key under `passphrase` if there is one. All or none: TinysealError when one
    exists already or cannot be written, and then nothing is left behind. There is no way to overwrite one: who means to
    part with a key, and with all boards that were provisioned from it, can move it away by hand.
    """
    paths = [folder / MASTER_FILE] if KeyKind.MASTER in kinds else []
    paths += [folder / SIGNING_FILE, folder / SIGNER_FILE] if KeyKind.SIGNING in kinds else []
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
        for path, (content, mode) in zip(paths, _contents(kinds, passphrase), strict=True):
            write_new(path, content, mode)
            undo.callback(path.unlink)
        undo.pop_all()
    return paths


def _contents(kinds: Sequence[KeyKind], passphrase: bytes | None) -> Iterator[tuple[bytes, int]]:
    """What is in the files of `generate`, in its order, with their modes."""
    if KeyKind.MASTER in kinds:
        yield f"{secrets.token_hex(KEY_LEN)}\n".encode(), 0o600
    if KeyKind.SIGNING in kinds:
        key = generate_private_key(_EXPONENT, _MODULUS_BITS)
        plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        pem = serialization.Encoding.PEM
        yield key.private_bytes(pem, *plain) if passphrase is None else encrypted_pem(key, passphrase), 0o600
        yield key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo), 0o644


def load_master(folders: Sequence[Path]) -> bytes:
    """The 32-byte master key from the first folder that has one; TinysealError when none has, or it is not exact."""
    path = _find(folders, MASTER_FILE)
    match = _MASTER_TEXT.fullmatch(_read_secret(path))
    if match is None:
        raise TinysealError(f"{path}: not a master key, wanted one line of {2 * KEY_LEN} hexadecimal digits")
    return bytes.fromhex(match[1].decode())


def load_signing_key(folders: Sequence[Path], ask: Ask | None = None) -> RSAPrivateKey:
    """The RSA-3072 signing key from the first folder that has one; TinysealError when none has or it is not one.

    `ask` is called for a key with a passphrase; without it such a key is a PassphraseError.
    """
    return _private_key(_find(folders, SIGNING_FILE), ask)


def load_signer(folders: Sequence[Path], ask: Ask | None = None) -> RSAPublicKey:
    """The public half from the first folder with a `signing.pub` or else a `signing.key`; TinysealError as above."""
    path = _find(folders, SIGNER_FILE, SIGNING_FILE)
    return read_signer(path) if path.name == SIGNER_FILE else _private_key(path, ask).public_key()


def find_signer(folders: Sequence[Path]) -> RSAPublicKey | None:
    """The public half from the first folder with a `signing.pub`, None when none has; TinysealError as above.

    A `signing.key` alone is left alone: who only looks at a signature is not asked for a passphrase.
    """
    path = next((folder / SIGNER_FILE for folder in folders if os.path.lexists(folder / SIGNER_FILE)), None)
    return None if path is None else read_signer(path)


def read_signer(path: Path) -> RSAPublicKey:
    """The public key in a `signing.pub`; TinysealError as above."""
    data = read_with_mode(path, TEXT_LIMIT)[0]
    try:
        key = serialization.load_pem_public_key(data)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise TinysealError(f"{path}: not a public key in PEM, wanted {_WANTED_RSA}") from error
    if not isinstance(key, RSAPublicKey):
        raise TinysealError(f"{path}: is another kind of key, wanted {_WANTED_RSA}")
    _check_rsa(path, key)
    return key


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


def _private_key(path: Path, ask: Ask | None) -> RSAPrivateKey:
    data = _read_secret(path)
    # What the library says of a private key is dropped (`from None`): it is not ours to vouch for.
    try:
        key = serialization.load_pem_private_key(data, password=None)
    except TypeError:
        key = _decrypted(path, data, ask)
    except (ValueError, UnsupportedAlgorithm):
        raise TinysealError(f"{path}: not a private key in PEM, wanted {_WANTED_RSA}") from None
    if not isinstance(key, RSAPrivateKey):
        raise TinysealError(f"{path}: is another kind of key, wanted {_WANTED_RSA}")
    _check_rsa(path, key.public_key())
    return key


def _decrypted(path: Path, data: bytes, ask: Ask | None) -> PrivateKeyTypes:
    if ask is None:
        raise PassphraseError(f"{path}: has a passphrase, and none was given")
    passphrase = ask(path)
    # CBC has no tag: a wrong passphrase and a damaged file look alike.
    try:
        return serialization.load_pem_private_key(data, passphrase)
    except (ValueError, UnsupportedAlgorithm):
        raise TinysealError(f"{path}: wrong passphrase, or the file is damaged") from None


def _check_rsa(path: Path, key: RSAPublicKey) -> None:
    exact = key.public_numbers().e == _EXPONENT
    if key.key_size != _MODULUS_BITS or not exact:
        exponent = f"e = {_EXPONENT}" if exact else "another exponent"
        raise TinysealError(f"{path}: is RSA-{key.key_size} with {exponent}, wanted {_WANTED_RSA}")
