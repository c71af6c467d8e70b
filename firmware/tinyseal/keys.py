"""This board's identity, its device key and its signer (hardware): FORMAT.md sections 1 and 4."""

import umachine

from . import rsa, store
from .errors import NO_KEY, SealError
from .memory import wipe

KEY = 32  # bytes of a device key, and of a seed
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
    if source == store.FILE_KIND:
        from . import hkdf  # noqa: F401 - a module stays: it is loaded before there are large buffers to lie behind


def device_key_into(source, key):
    """Fill `key`, a bytearray of 32 bytes that the caller wipes whatever happens. SealError(NO_KEY)."""
    found = _found()
    if source == store.NVS_KIND:
        if not found.get_into("key", key):
            raise SealError(NO_KEY, "this board has no key")
        return
    from .hkdf import hkdf_into

    seed = bytearray(KEY)
    try:
        if not found.get_into("key", seed):
            raise SealError(NO_KEY, "this board has no seed")
        hkdf_into(seed, device_id(), _INFO, key)
    finally:
        wipe(seed)


def signer():
    """The modulus of the key that signs this board's releases, 384 bytes, big-endian. SealError(NO_KEY)."""
    modulus = bytearray(rsa.SIZE)
    _found().get_into("signer", modulus)
    return modulus


def provision(source, secret, modulus):
    """Write key and signer, the signer last: it is what makes a board a provisioned one. The version floor stays."""
    kept = store.create(source)
    kept.put("key", secret)
    kept.put("signer", modulus)
