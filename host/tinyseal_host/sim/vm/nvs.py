"""The NVS partition, on `nvs.bin`. As on a chip, values are not kept in RAM once they are committed.

`nvs.bin` is the magic `NVS1` and records: u8 type, u8 length of the namespace, u8 length of the key, u16 length of the
value (little-endian), then the three. It is always replaced whole.
"""

import errno
import struct

import supply
from settings import HOST, StateError, state_file

I32, BLOB = 0x14, 0x42  # ESP-IDF's numbers for these types (nvs_flash, ItemType)
# Of the 24 KiB of a stock ESP32 partition table one page of 4 KiB stays free; a page has 126 entries of 32 bytes.
ENTRIES = 5 * 126

_MAGIC = b"NVS1"
_RECORD = "<BBBH"
_HEAD = struct.calcsize(_RECORD)


class Value:
    """A value by its place in `nvs.bin`, or with its bytes while it is not committed."""

    def __init__(self, kind, length, at=0, data=None):
        """`at` is the offset of the committed bytes, `data` the others."""
        self.kind = kind
        self.length = length
        self.at = at
        self.data = data

    def read_into(self, buffer):
        """Fill the beginning of `buffer`, straight from the file."""
        view = memoryview(buffer)[: self.length]
        if self.data is not None:
            view[:] = self.data
            return
        with HOST.open(state_file("nvs.bin"), "rb") as file:
            file.seek(self.at)
            file.readinto(view)


def entries(values):
    """How many 32-byte entries the values take: one a number, two and the data a blob, one a namespace."""
    used = len({namespace for namespace, _ in values})
    for value in values.values():
        used += 1 if value.kind == I32 else 2 + (value.length + 31) // 32
    return used


def load():
    """The committed values, {(namespace, key): Value}; StateError when the file is damaged."""
    try:
        file = HOST.open(state_file("nvs.bin"), "rb")
    except OSError as error:
        if error.errno == errno.ENOENT:
            return {}
        raise
    with file:
        size = file.seek(0, 2)
        file.seek(0)
        if file.read(4) != _MAGIC:
            raise StateError("nvs.bin does not begin with NVS1")
        values = {}
        at = 4
        while at < size:
            head = file.read(_HEAD)
            if len(head) < _HEAD:
                raise StateError("nvs.bin ends within a record")
            kind, namespace_len, key_len, value_len = struct.unpack(_RECORD, head)
            value_at = at + _HEAD + namespace_len + key_len
            if kind not in (I32, BLOB) or value_at + value_len > size:
                raise StateError("nvs.bin holds a record that cannot be")
            name = file.read(namespace_len).decode(), file.read(key_len).decode()
            values[name] = Value(kind, value_len, value_at)
            at = file.seek(value_at + value_len)
    return values


def save(values):
    """Make the values durable."""
    with HOST.open(state_file("nvs.new"), "wb") as file:
        at = file.write(_MAGIC)
        for (namespace, key), value in values.items():
            first, second = namespace.encode(), key.encode()
            at += file.write(struct.pack(_RECORD, value.kind, len(first), len(second), value.length) + first + second)
            data = bytearray(value.length)
            value.read_into(data)
            file.write(data)
            for i in range(len(data)):
                data[i] = 0
            values[namespace, key] = Value(value.kind, value.length, at)
            at += value.length
    supply.commit()
