"""The values that a board keeps beside its models, FORMAT.md section 4 (hardware): in NVS, or in files for development.

A board has one store. Files count only where there is no NVS, or where provisioning has left a mark in it: whoever can
write the filesystem, or has got NVS erased, must not be able to put a signer of his own in the board's place.
"""

import uos
from micropython import const

from .errors import STORE, SealError

try:
    from esp32 import NVS
except ImportError:  # a port without NVS
    NVS = None  # type: ignore[assignment,misc]

NVS_KIND = const(1)
EFUSE_KIND = const(2)  # only the key is in eFuse, the rest is in NVS
FILE_KIND = const(3)
_FOLDER = "/seal"
_SIGNER = const(384)  # bytes of a signer's modulus, and what makes a board a provisioned one
MARK = "files"
NOT_FOUND = const(-0x1102)  # ESP_ERR_NVS_NOT_FOUND
_ENOENT = const(2)
_EEXIST = const(17)


def failed(error):
    """SealError(STORE) for an OSError."""
    raise SealError(STORE, "error %d" % error.errno)


class NvsStore:
    """One handle for as long as the VM lives: MicroPython has no way to give one back."""

    kind = NVS_KIND
    _handle = None  # type: NVS | None

    def nvs(self):
        """ESP-IDF's handle of the namespace."""
        if NvsStore._handle is None:
            NvsStore._handle = NVS("tinyseal")
        return NvsStore._handle

    def get_into(self, name, value):
        """Fill the bytearray `value`, as long as the stored one must be; False if there is none. SealError(STORE)."""
        try:
            if self.nvs().get_blob(name, value) != len(value):
                raise SealError(STORE, name + " is too short")
        except OSError as error:
            if error.errno != NOT_FOUND:
                failed(error)
            return False
        return True

    def put(self, name, value):
        """Write it whole; SealError(STORE)."""
        try:
            self.nvs().set_blob(name, value)
            self.nvs().commit()
        except OSError as error:
            failed(error)


class FileStore:
    """A file a value, each written whole by a rename."""

    kind = FILE_KIND

    def get_into(self, name, value):
        """As in NVS."""
        try:
            if uos.stat(_FOLDER + "/" + name)[6] != len(value):
                raise SealError(STORE, name + " has another length")
            with open(_FOLDER + "/" + name, "rb") as file:
                file.readinto(value)
        except OSError as error:
            if error.errno != _ENOENT:
                failed(error)
            return False
        return True

    def put(self, name, value):
        """As in NVS."""
        path = _FOLDER + "/" + name
        try:
            make_folder()
            with open(path + ".new", "wb") as file:
                file.write(value)
            uos.rename(path + ".new", path)
        except OSError as error:
            failed(error)


def make_folder():
    """The folder of slots and files."""
    try:
        uos.mkdir(_FOLDER)
    except OSError as error:
        if error.errno != _EEXIST:
            raise


def find():
    """This board's store, the one that holds a signer; None when it was never provisioned. SealError(STORE)."""
    if NVS is not None:
        nvs = NvsStore()
        if nvs.get_into("signer", bytearray(_SIGNER)):
            return nvs
        if not nvs.get_into(MARK, bytearray(1)):
            return None
    files = FileStore()
    return files if files.get_into("signer", bytearray(_SIGNER)) else None
