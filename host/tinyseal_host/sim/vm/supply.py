"""The writes that outlive the power, one by one: an erased block, a programmed piece of flash, a committed NVS.

The board's power can be set to fail at the n-th of them since it came on, with that one done whole, half or not at all;
or each can be noted in `writes.log`: u8 kind (1 flash, 2 NVS), u32 offset, u32 length (little-endian), the bytes.

As in `flash`, nothing in here branches or loops while littlefs waits for it.
"""

import struct

import control
from settings import CUT, HOST, state_file

_FLASH, _NVS = 1, 2
_PARTS = {"none": 0, "half": 1, "whole": 2}


def _write(file, at, data):
    file.seek(at)
    file.write(data)


def _rename():
    HOST.rename(state_file("nvs.new"), state_file("nvs.bin"))


def _nothing(*_):
    pass


def _die(*_):
    control.tell(b"C")
    while True:  # the relay ends this
        control.wait()


class _Cut:
    """Counts in `writes`, so that a soft reset does not begin anew."""

    def __init__(self, at, part):
        self._at = at
        part = _PARTS[part]
        self._whole = (2, part, 0)
        self._lives = (_nothing, _die, _die)
        self._renames = (_nothing, _nothing, _rename)
        self._file = HOST.open(state_file("writes"), "r+b")
        self._count = int.from_bytes(self._file.read(4), "little")

    def _next(self):
        """0 before the write at which the power fails, 1 at it, 2 after it."""
        self._count += 1
        _write(self._file, 0, self._count.to_bytes(4, "little"))
        return (self._count >= self._at) + (self._count > self._at)

    def write(self, file, at, data):
        when = self._next()
        _write(file, at, memoryview(data)[: len(data) * self._whole[when] // 2])
        self._lives[when]()

    def commit(self):
        when = self._next()
        self._renames[self._whole[when]]()
        self._lives[when]()


class _Log:
    def __init__(self):
        self._file = HOST.open(state_file("writes.log"), "ab")

    def write(self, file, at, data):
        self._file.write(struct.pack("<BII", _FLASH, at, len(data)))
        self._file.write(data)
        _write(file, at, data)

    def commit(self):
        with HOST.open(state_file("nvs.new"), "rb") as file:
            data = file.read()
        self._file.write(struct.pack("<BII", _NVS, 0, len(data)))
        self._file.write(data)
        _rename()


if not CUT:
    write, commit = _write, _rename
else:
    _supply = _Log() if CUT == "log" else _Cut(int(CUT.split(":")[0]), CUT.split(":")[1])
    write, commit = _supply.write, _supply.commit
