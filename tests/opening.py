"""Sealed files opened by the board's own code on the VM, many in one start."""

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa
from tinyseal_host import keys
from tinyseal_host.formats import KeySource
from vm import _PRELUDE, run

DEVICE_ID = bytes.fromhex("0203040506")
PRELUDE = """
import os, sys, gc
class Machine:
    @staticmethod
    def unique_id():
        return unhex(%r)
sys.modules["umachine"] = Machine
from tinyseal import errors, slots, store
import tinyseal
store._FOLDER = os.getcwd()
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
