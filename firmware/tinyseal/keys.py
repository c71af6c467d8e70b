"""This board's identity, its device key and its signer (hardware): FORMAT.md sections 1 and 4."""

import umachine
from micropython import const

from . import rsa, store
from .errors import NO_KEY, SealError
from .hkdf import hkdf
from .memory import wipe

_KEY = const(32)
_SOURCE_NVS = const(1)
_SOURCE_FILE = const(3)
_INFO = b"model-encryption"


def device_id():
    """The bytes that a sealed file names this board by; public."""
    return umachine.unique_id()


def key_source():
    """Where this board's device key comes from: 1 NVS, 3 file, 0 when it has none."""
    found = store.find(rsa.SIZE)
    return found.kind if found is not None else 0


def check_source(source):
    """SealError(NO_KEY) unless this is where the board's device key comes from."""
    mine = key_source()
    if not mine:
        raise SealError(NO_KEY, "this board was not provisioned")
    if mine != source:
        raise SealError(NO_KEY, "sealed for key source %d, this board has %d" % (source, mine))


def device_key(source):
    """The 32-byte device key, a bytearray to be wiped by the caller. SealError(NO_KEY)."""
    secret = store.of_kind(source).get("key", _KEY)
    if secret is None:
        raise SealError(NO_KEY, "this board has no key")
    if source == _SOURCE_NVS:
        return secret
    key = hkdf(secret, device_id(), _INFO)
    wipe(secret)
    return key


def signer():
    """The modulus of the key that signs this board's releases, 384 bytes, big-endian. SealError(NO_KEY)."""
    found = store.find(rsa.SIZE)
    if found is None:
        raise SealError(NO_KEY, "this board has no signer")
    return found.get("signer", rsa.SIZE)


def provision(source, secret, modulus):
    """Write key and signer, the signer last: it is what makes a board a provisioned one. The version floor stays."""
    kept = store.of_kind(source)
    kept.put("key", secret)
    kept.put("signer", modulus)
