"""The values that a board keeps beside its models, FORMAT.md section 4 (hardware): in NVS, or in files for development.

A board has one store. Files count only where NVS holds no signer: whoever can write the filesystem must not be able to
put a signer of his own before the board's.
"""

import uos
from micropython import const

try:
    from esp32 import NVS
except ImportError:  # a port without NVS
    NVS = None  # type: ignore[assignment,misc]

_NAMESPACE = "tinyseal"
_FOLDER = "/seal"
_NONE = const(0)
_NVS = const(1)
_FILES = const(3)

NAMES = ("key", "signer", "state")


class _NvsStore:
    """One handle, opened when it is needed and let go of: handles are not given back by a soft reset."""

    kind = _NVS

    def get(self, name, size):
        value = bytearray(size)
        try:
            if NVS(_NAMESPACE).get_blob(name, value) == size:
                return value
        except OSError:  # missing, or longer than size
            pass
        return None

    def put(self, name, value):
        nvs = NVS(_NAMESPACE)
        nvs.set_blob(name, value)
        nvs.commit()

    def remove(self, name):
        nvs = NVS(_NAMESPACE)
        try:
            nvs.erase_key(name)
            nvs.commit()
        except OSError:  # it was not there
            pass


class _FileStore:
    """A file a value, each written whole by a rename."""

    kind = _FILES

    def get(self, name, size):
        try:
            with open(_FOLDER + "/" + name, "rb") as file:
                value = bytearray(file.read(size + 1))
        except OSError:
            return None
        return value if len(value) == size else None

    def put(self, name, value):
        path = _FOLDER + "/" + name
        make_folder()
        with open(path + ".new", "wb") as file:
            file.write(value)
        uos.rename(path + ".new", path)

    def remove(self, name):
        try:
            uos.remove(_FOLDER + "/" + name)
        except OSError:  # it was not there
            pass


def make_folder():
    """The folder of slots and files."""
    try:
        uos.mkdir(_FOLDER)
    except OSError:  # it is there
        pass


def of_kind(kind):
    """The store of that kind, 1 NVS or 3 files; ValueError when this port has none."""
    if kind == _FILES:
        return _FileStore()
    if kind != _NVS or NVS is None:
        raise ValueError("no store of kind %d" % kind)
    return _NvsStore()


def find(signer_len):
    """This board's store, the one that holds a signer; None when it was never provisioned."""
    for kind in (_NVS, _FILES) if NVS is not None else (_FILES,):
        store = of_kind(kind)
        if store.get("signer", signer_len):
            return store
    return None
