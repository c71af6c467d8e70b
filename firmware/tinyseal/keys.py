"""This board's identity, its device key and its signer (hardware): FORMAT.md sections 1 and 4."""

import umachine
from micropython import const

from . import rsa, store
from .errors import NO_KEY, SealError
from .hkdf import hkdf
from .memory import wipe

_KEY = const(32)
_INFO = b"model-encryption"


def device_id():
    """The bytes that a sealed file names this board by; public."""
    return umachine.unique_id()


def key_source():
    """Where this board's device key comes from: 1 NVS, 3 file, 0 when it has none."""
    found = store.find()
    return found.kind if found is not None else 0


def _found():
    found = store.find()
    if found is None:
        raise SealError(NO_KEY, "this board was not provisioned")
    return found


def check_source(source):
    """SealError(NO_KEY) unless this is where the board's device key comes from."""
    mine = _found().kind
    if mine != source:
        raise SealError(NO_KEY, "sealed for key source %d, this board has %d" % (source, mine))


def device_key(source):
    """The 32-byte device key, a bytearray to be wiped by the caller. SealError(NO_KEY)."""
    secret = _found().get("key", _KEY)
    if secret is None:
        raise SealError(NO_KEY, "this board has no key")
    if source == store.NVS_KIND:
        return secret
    try:
        return hkdf(secret, device_id(), _INFO)
    finally:
        wipe(secret)


def signer():
    """The modulus of the key that signs this board's releases, 384 bytes, big-endian. SealError(NO_KEY)."""
    return _found().get("signer", rsa.SIZE)


def provision(source, secret, modulus):
    """Write key and signer, the signer last: it is what makes a board a provisioned one. The version floor stays."""
    kept = store.create(source)
    kept.put("key", secret)
    kept.put("signer", modulus)
