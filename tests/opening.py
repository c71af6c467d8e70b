"""Sealed files opened by the board's own code on the VM, many in one start."""

import json
import struct
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from tinyseal_host import keys, sealing
from tinyseal_host.errors import RefusedError
from tinyseal_host.formats import KeySource, SealedHeader
from vm import _PRELUDE, run

DEVICE_ID = bytes.fromhex("0203040506")
FLOOR = 5
VERSION = 7
PRELUDE = """
import os, sys, gc
class Machine:
    @staticmethod
    def unique_id():
        return unhex(%r)
sys.modules["umachine"] = Machine
from tinyseal import errors, slots, store
import tinyseal
store.NVS, store._FOLDER = None, os.getcwd()
def outcome(path):
    try:
        with tinyseal.open(path) as model:
            return ["OK", model.version, list(model.labels)]
    except errors.SealError as error:
        return [errors.CODES[error.code], error.detail]
"""


class Identity:
    """A board's keys, made anew for every run of the tests."""

    def __init__(self, folder: Path) -> None:
        keys.generate(folder)
        self.folder = folder
        self.master = keys.load_master([folder])
        self.private: rsa.RSAPrivateKey = keys.load_signing_key([folder])
        self.public = self.private.public_key()

    def files(self) -> dict[str, bytes]:
        """What provisioning with key source `file` leaves on a board."""
        secret = keys.provisioned_secret(self.master, DEVICE_ID, KeySource.FILE)
        return {"key": secret, "signer": keys.modulus(self.public)}


def on_board(script: str, files: dict[str, bytes], **options) -> str:
    """The stdout of a script that has `outcome`, in a folder with these files."""
    prelude = _PRELUDE + PRELUDE % DEVICE_ID.hex()
    return run(prelude + script, files={"question.json": b"0", **files}, **options)


def verdict(sealed, identity):
    """The host's."""
    try:
        release = sealing.check(
            sealed,
            device_id=DEVICE_ID,
            floor=FLOOR,
            key_source=KeySource.FILE,
            master=identity.master,
            signer=identity.public,
        )
    except RefusedError as error:
        return error.name
    return f"OK {release.header.model_version}"


def board_verdicts(sealed, identity, **options):
    """The board's, by name, from one start of the VM."""
    files = {f"{name}.seal": data for name, data in sealed.items()} | identity.files()
    files["state"] = struct.pack("<IB3x", FLOOR, 0)
    names = json.dumps(list(sealed))
    script = f"print(ujson.dumps({{name: outcome(name + '.seal') for name in {names}}}))"
    return json.loads(on_board(script, files, **options))


def same_verdicts(sealed, identity):
    """Board and host, held against each other; the board's."""
    board = board_verdicts(sealed, identity)
    for name, data in sealed.items():
        found = board[name]
        assert (f"OK {found[1]}" if found[0] == "OK" else found[0]) == verdict(data, identity), (name, found)
    return {name: found[0] for name, found in board.items()}


def seal_anything(release, identity, *, version=VERSION, device_id=DEVICE_ID, source=KeySource.FILE):
    """A sealed file around any bytes, by FORMAT.md; `sealing.seal` would refuse most of them."""
    key = keys.device_key(identity.master, device_id, source)
    header = SealedHeader(source, device_id, version, len(release), bytes(12), sealing.key_check(key)).pack()
    return header + AESGCM(key).encrypt(header[32:44], release, header)


def signed(body, identity):
    return sealing.sign(body, identity.private)
