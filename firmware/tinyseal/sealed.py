"""Reads a sealed file into one buffer, and decrypts it there (level 3): FORMAT.md section 2."""

import gc

import uos
import ustruct
from micropython import const

from . import gcm
from .errors import FORMAT, MEMORY, NO_MODEL, ROLLBACK, STORE, WRONG_BOARD, SealError
from .memory import wipe

_HEADER = const(64)
_TAG = const(16)
_ENOENT = const(2)
_LEAST_PAYLOAD = const(64 + 384)  # a release's header and its signature


def _refuse(what):
    raise SealError(FORMAT, what)


class Sealed:
    """The header of the sealed file at `path`: key_source, device_id, version, payload_len.

    SealError(NO_MODEL) when there is no file, SealError(FORMAT) when header or file length are not exact.
    """

    def __init__(self, path):
        self.path = path
        try:
            size = uos.stat(path)[6]
            with open(path, "rb") as file:
                header = file.read(_HEADER)
        except OSError as error:
            raise SealError(NO_MODEL if error.args[0] == _ENOENT else STORE, path)
        if len(header) != _HEADER:
            _refuse("%d bytes" % size)
        form, self.key_source, id_len, reserved = header[4:8]
        self.version, self.payload_len = ustruct.unpack_from("<2I", header, 24)
        if header[:4] != b"SEAL" or form != 1 or not 1 <= self.key_source <= 3 or not 1 <= id_len <= 16:
            _refuse("header")
        if reserved or any(header[8 + id_len : 24]) or any(header[44:48]) or not self.version:
            _refuse("header")
        if self.payload_len < _LEAST_PAYLOAD or size != _HEADER + self.payload_len + _TAG:
            _refuse("%d bytes with a payload of %d" % (size, self.payload_len))
        self.device_id = header[8 : 8 + id_len]
        self._header = header
        self._payload = bytearray()
        self._work = None  # type: gcm.Work | None

    def check_board(self, device_id):
        """SealError(WRONG_BOARD) unless it is sealed for the board with this id, in bytes."""
        if self.device_id != device_id:
            raise SealError(
                WRONG_BOARD, "sealed for board %s, this is board %s" % (self.device_id.hex(), device_id.hex())
            )

    def check_version(self, floor):
        """SealError(ROLLBACK) when the version is below the floor."""
        if self.version < floor:
            raise SealError(ROLLBACK, "version %d, the floor is %d" % (self.version, floor))

    def reserve(self):
        """Ask for the two large pieces of memory, before anything small can lie in their way. SealError(MEMORY)."""
        gc.collect()
        try:
            self._payload = bytearray(self.payload_len)
            self._work = gcm.Work()
        except MemoryError:
            raise SealError(MEMORY, "payload of %d bytes, and 8 KiB to decrypt it" % self.payload_len)

    def forget(self):
        """Overwrite what was read, and maybe decrypted."""
        wipe(self._payload)

    def open(self, key):
        """The release, decrypted in the buffer that it was read to, once its tag is right; after `reserve`.

        SealError(AUTHENTICATION), SealError(ENGINE); SealError(FORMAT) when the file changed.
        """
        payload = self._payload
        try:
            with open(self.path, "rb") as file:
                header = file.read(_HEADER)
                got = file.readinto(payload)
                tag = file.read(_TAG)
        except OSError as error:
            _refuse("error %d while it was read" % error.args[0])
        if header != self._header or got != self.payload_len or len(tag) != _TAG:
            _refuse("changed while it was read")
        gcm.open_in_place(key, header[32:44], header, payload, tag, header[48:], self._work)
        self._work = None  # del would leave it in the dictionary's memory
        return payload
