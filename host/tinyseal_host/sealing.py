"""Signing, sealing and their reverse; and what a board does with a sealed file at open, done on the host.

Signed once, sealed for many: `sign` needs the signing key and no board, `seal` a board and the master key only.
"""

from __future__ import annotations

import hmac
import secrets

import numpy as np
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from . import gate
from .errors import Refusal, RefusedError, Status
from .formats import (
    SEALED_HEADER_LEN,
    SIGNATURE_LEN,
    KeySource,
    Release,
    SealedHeader,
    parse_release,
    parse_sealed,
)
from .keys import device_key

KEY_CHECK_TEXT = b"tinyseal key chk"
_NONCE_LEN = 12
_SALT_LEN = 32
_PSS = PSS(mgf=MGF1(hashes.SHA256()), salt_length=_SALT_LEN)


def sign(body: bytes, private_key: RSAPrivateKey) -> bytes:
    """The release that `body` (of `formats.build_release`) makes with its 384-byte RSASSA-PSS signature behind it."""
    return body + private_key.sign(body, _PSS, hashes.SHA256())


def verify(release: bytes, public_key: RSAPublicKey) -> None:
    """RefusedError SIGNATURE unless the last 384 bytes are the signer's signature over all bytes before them."""
    try:
        public_key.verify(release[-SIGNATURE_LEN:], release[:-SIGNATURE_LEN], _PSS, hashes.SHA256())
    except InvalidSignature as error:
        raise RefusedError(
            Refusal.SIGNATURE,
            "release: not signed by the expected signer",
            hint="`tinyseal keys DIR` shows a signer's fingerprint",
        ) from error


class Sealer:
    """Seals one signed release for one board after the other: read and held against the format once, for all of them.

    RefusedError RELEASE when `release` is not one. Whether its signature is right is for `verify`, which a station
    without the signer's key cannot call.
    """

    def __init__(self, release: bytes, key_source: KeySource, master: bytes) -> None:
        self.release = parse_release(release)
        self.key_source = key_source
        self._data = release
        self._master = master

    def seal(self, device_id: bytes) -> bytes:
        """The sealed file for one board, under a fresh nonce."""
        key = device_key(self._master, device_id, self.key_source)
        nonce = secrets.token_bytes(_NONCE_LEN)
        version = self.release.header.model_version
        header = SealedHeader(self.key_source, device_id, version, len(self._data), nonce, key_check(key)).pack()
        return header + AESGCM(key).encrypt(nonce, self._data, header)

    def has_sealed(self, sealed: bytes, device_id: bytes) -> bool:
        """Whether `sealed` is a whole sealed file of this release for this board, as `seal` makes them."""
        try:
            header = parse_sealed(sealed)
            same = header.device_id == device_id and header.key_source == self.key_source
            version = self.release.header.model_version
            return same and header.model_version == version and _decrypt(sealed, header, self._master) == self._data
        except RefusedError:
            return False


def seal(release: bytes, device_id: bytes, key_source: KeySource, master: bytes) -> bytes:
    """A signed release encrypted for one board; RefusedError RELEASE when it is not one: see `Sealer`."""
    return Sealer(release, key_source, master).seal(device_id)


def unseal(sealed: bytes, master: bytes) -> bytes:
    """The release in a sealed file; RefusedError FORMAT or AUTHENTICATION, the latter always with the same words."""
    return _decrypt(sealed, parse_sealed(sealed), master)


def check(
    sealed: bytes,
    *,
    device_id: bytes,
    floor: int,
    key_source: KeySource,
    master: bytes,
    signer: RSAPublicKey,
) -> Release:
    """What the board `device_id` with version floor `floor` does at open, in the order of FORMAT.md section 5.

    RefusedError with the code that the board gives. Left to the board: what depends on it (NO_MODEL, a missing key or
    signer, ENGINE, MEMORY) and the network's run in the self-test; the self-test's frame is held against the contract.
    """
    header = parse_sealed(sealed)
    if header.device_id != device_id:
        raise RefusedError(
            Refusal.WRONG_BOARD, f"sealed file: is for board {header.device_id.hex()}, this is board {device_id.hex()}"
        )
    if header.key_source != key_source:
        raise RefusedError(
            Refusal.NO_KEY, f"sealed file: wants key source {_shown(header.key_source)}, this is {_shown(key_source)}"
        )
    if header.model_version < floor:
        raise RefusedError(
            Refusal.ROLLBACK, f"sealed file: model version is {header.model_version}, wanted at least {floor}"
        )
    data = _decrypt(sealed, header, master)
    verify(data, signer)
    release = parse_release(data)
    # Equal versions leave nothing to the second look at the floor.
    if release.header.model_version != header.model_version:
        raise RefusedError(
            Refusal.RELEASE,
            f"release: model version is {release.header.model_version}, sealed as {header.model_version}",
        )
    status = gate.check(np.frombuffer(release.selftest_frame, release.contract.dtype), release.contract)
    if status is not Status.OK:
        raise RefusedError(Refusal.SELF_TEST, f"release: the contract refuses the self-test's frame: {status.name}")
    return release


def _decrypt(sealed: bytes, header: SealedHeader, master: bytes) -> bytes:
    key = device_key(master, header.device_id, header.key_source)
    try:
        if not hmac.compare_digest(key_check(key), header.key_check):
            raise InvalidTag
        aad, body = sealed[:SEALED_HEADER_LEN], sealed[SEALED_HEADER_LEN:]
        return AESGCM(key).decrypt(header.nonce, body, aad)
    except InvalidTag as error:
        raise RefusedError(
            Refusal.AUTHENTICATION, "sealed file: altered, damaged, or sealed under another key"
        ) from error


def key_check(key: bytes) -> bytes:
    """AES-256 of `KEY_CHECK_TEXT` under a device key, 16 bytes: tells keys apart, and says nothing about them."""
    # One block, as the known answer of an AES object: ECB hides nothing here, and nothing needs hiding.
    encryptor = Cipher(algorithms.AES256(key), modes.ECB()).encryptor()  # noqa: S305
    return encryptor.update(KEY_CHECK_TEXT) + encryptor.finalize()


def _shown(source: KeySource) -> str:
    return source.name.lower()
