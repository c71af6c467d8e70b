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
    """Where this board's device key comes from: 1 NVS, 2 eFuse, 3 file, 0 when it has none."""
    found = store.find()
    if found is None:
        return 0
    if found.kind != store.NVS_KIND:
        return store.FILE_KIND
    key = bytearray(KEY)
    in_nvs = found.get_into("key", key)
    wipe(key)
    return store.NVS_KIND if in_nvs else store.EFUSE_KIND


def _found():
    found = store.find()
    if found is None:
        raise SealError(NO_KEY, "this board was not provisioned")
    return found


def check_source(source):
    """SealError(NO_KEY) unless this is where the board's device key comes from."""
    _found()
    mine = key_source()
    if mine != source:
        raise SealError(NO_KEY, "sealed for key source %d, this board has %d" % (source, mine))
    if source == store.FILE_KIND:
        from . import hkdf  # noqa: F401 - a module stays: it is loaded before there are large buffers to lie behind
    if source == store.EFUSE_KIND:
        from . import efuse  # noqa: F401 - as above


def device_key_into(source, key):
    """Fill `key`, a bytearray of 32 bytes that the caller wipes whatever happens. SealError(NO_KEY)."""
    if source == store.EFUSE_KIND:
        from .efuse import hmac_into

        hmac_into(_INFO + device_id(), key)
        return
    secret = key if source == store.NVS_KIND else bytearray(KEY)  # else a seed
    try:
        if not _found().get_into("key", secret):
            raise SealError(NO_KEY, "this board has no key")
        if secret is not key:
            from .hkdf import hkdf_into

            hkdf_into(secret, device_id(), _INFO, key)
    finally:
        if secret is not key:
            wipe(secret)


def signer():
    """The modulus of the key that signs this board's releases, 384 bytes, big-endian. SealError(NO_KEY)."""
    modulus = bytearray(rsa.SIZE)
    _found().get_into("signer", modulus)
    return modulus
