"""The NVS partition: values by namespace and key, in RAM, and on `nvs.bin` once they are committed.

`nvs.bin` is the magic `NVS1` and records: u8 type, u8 length of the namespace, u8 length of the key, u16 length of the
value (little-endian), then the three. It is always replaced whole.
"""

import errno
import struct

from settings import HOST, StateError, state_file

I32, BLOB = 0x14, 0x42  # ESP-IDF's numbers for these types (nvs_flash, ItemType)
# Of the 24 KiB of a stock ESP32 partition table one page of 4 KiB stays free; a page has 126 entries of 32 bytes.
ENTRIES = 5 * 126

_MAGIC = b"NVS1"
_RECORD = "<BBBH"


def entries(values):
    """How many 32-byte entries the values take: one a number, two and the data a blob, one a namespace."""
    used = len({namespace for namespace, _ in values})
    for kind, value in values.values():
        used += 1 if kind == I32 else 2 + (len(value) + 31) // 32
    return used


def load():
    """The committed values, {(namespace, key): (type, bytes)}; StateError when the file is damaged."""
    try:
        with HOST.open(state_file("nvs.bin"), "rb") as file:
            data = file.read()
    except OSError as error:
        if error.errno == errno.ENOENT:
            return {}
        raise
    if data[:4] != _MAGIC:
        raise StateError("nvs.bin does not begin with NVS1")
    values = {}
    at, head = 4, struct.calcsize(_RECORD)
    while at < len(data):
        if at + head > len(data):
            raise StateError("nvs.bin ends within a record")
        kind, namespace_len, key_len, value_len = struct.unpack_from(_RECORD, data, at)
        key_at = at + head + namespace_len
        value_at = key_at + key_len
        if kind not in (I32, BLOB) or value_at + value_len > len(data):
            raise StateError("nvs.bin holds a record that cannot be")
        name = data[at + head : key_at].decode(), data[key_at:value_at].decode()
        at = value_at + value_len
        values[name] = kind, data[value_at:at]
    return values


def save(values):
    """Make the values durable."""
    with HOST.open(state_file("nvs.new"), "wb") as file:
        file.write(_MAGIC)
        for (namespace, key), (kind, value) in values.items():
            first, second = namespace.encode(), key.encode()
            file.write(struct.pack(_RECORD, kind, len(first), len(second), len(value)))
            file.write(first + second + value)
    HOST.rename(state_file("nvs.new"), state_file("nvs.bin"))
