"""What is attacked: one small release with its keys, and the rightful maker's tools to sign and seal anything anew."""

import secrets
import struct
from pathlib import Path

import tiny_release
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from opening import DEVICE_ID, Identity
from tinyseal_host import keys, sealing
from tinyseal_host.formats import SIGNATURE_LEN, KeySource, SealedHeader

VERSION = 7
FLOOR = 5
MARKER_LEN = 128


class Target:
    """New keys, made in `folder`, which must not exist, and a release that they signed and sealed.

    `marker` is 128 random bytes at the end of the tables section, which no step reads. It stands for the weights in a
    search of the memory: those of so small a network are not to be told from other small numbers.
    """

    def __init__(self, folder: Path) -> None:
        self.identity = Identity(folder)
        self.device_key = keys.device_key(self.identity.master, DEVICE_ID, KeySource.FILE)
        self.marker = secrets.token_bytes(MARKER_LEN)
        self.body = _with_marker(tiny_release.body(VERSION), self.marker)
        self.release = self.sign(self.body)
        self.sealed = self.seal(self.release)

    def sign(self, body: bytes) -> bytes:
        """`body` and the signer's signature."""
        return sealing.sign(body, self.identity.private)

    def seal(self, release: bytes) -> bytes:
        """A file with the right key, tag and header around any bytes; `sealing.seal` refuses what is not a release."""
        ecb = Cipher(algorithms.AES(self.device_key), modes.ECB()).encryptor()
        known, nonce = ecb.update(b"tinyseal key chk"), secrets.token_bytes(12)
        header = SealedHeader(KeySource.FILE, DEVICE_ID, VERSION, len(release), nonce, known).pack()
        return header + AESGCM(self.device_key).encrypt(nonce, release, header)

    def files(self) -> dict[str, bytes]:
        """What the board has beside a model: key, signer and state."""
        return {**self.identity.files(), "state": struct.pack("<IB3x", FLOOR, 0)}


def _with_marker(body: bytes, marker: bytes) -> bytes:
    end = tiny_release.TABLES_AT + len(tiny_release.TABLES)
    altered = bytearray(body[:end] + marker + body[end:])
    struct.pack_into("<I", altered, 4, len(altered) + SIGNATURE_LEN)
    struct.pack_into("<I", altered, 44, len(tiny_release.TABLES) + len(marker))
    return bytes(altered)
