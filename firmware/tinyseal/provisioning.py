"""Making a board a provisioned one (hardware): no application loads this, only what the host calls."""

import ubinascii

from . import keys, store
from .memory import wipe


def provision(source, secret, modulus):
    """Write key and signer, the signer last: it is what makes a board a provisioned one. The version floor stays.

    Both are str of hexadecimal digits. With the key in eFuse there is no `secret`. ValueError when this port has no
    store for keys from `source`.
    """
    key = ubinascii.unhexlify(secret)
    try:
        _provision(source, key, ubinascii.unhexlify(modulus))
    finally:
        wipe(key)
        wipe(secret)


def _provision(source, key, modulus):
    if source == store.FILE_KIND:
        if store.NVS is not None:
            store.NvsStore().put(store.MARK, b"\x01")
        kept = store.FileStore()
    elif source in (store.NVS_KIND, store.EFUSE_KIND) and store.NVS is not None:
        kept = store.NvsStore()  # type: ignore[assignment]
    else:
        raise ValueError("no store for source %d" % source)
    if source == store.EFUSE_KIND:
        use_efuse()
    else:
        kept.put("key", key)
    kept.put("signer", modulus)


def use_efuse():
    """Erase the key in NVS, once the HMAC peripheral has shown that it has one: from then on that is the board's."""
    key = bytearray(keys.KEY)
    try:
        keys.device_key_into(store.EFUSE_KIND, key)
    finally:
        wipe(key)
    nvs = store.NvsStore().nvs()
    try:
        nvs.erase_key("key")
        nvs.commit()
    except OSError as error:
        if error.errno != store.NOT_FOUND:
            store.failed(error)
