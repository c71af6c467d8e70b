"""The part of a chip's `esp32` module that keeps values: NVS."""

import struct as _struct

import nvs as _nvs

_values = _nvs.load()


def _fail(code, name):
    raise OSError(-code, "ESP_ERR_NVS_" + name)


class NVS:
    """One namespace. What is set is seen at once by every object, and survives a reset after `commit`.

    Errors are OSError with ESP-IDF's numbers, negative: -0x1102 for a key that is missing or of another type.
    """

    def __init__(self, namespace):
        """Open a namespace of 1 to 15 characters."""
        if not 1 <= len(namespace.encode()) <= 15:
            _fail(0x1106, "INVALID_NAME")
        self._namespace = namespace

    def set_i32(self, key, value):
        """Set a signed number of 32 bits; OverflowError when it is not one."""
        if not -(1 << 31) <= value < 1 << 31:
            raise OverflowError("not a signed number of 32 bits")
        self._set(key, _nvs.I32, _struct.pack("<i", value))

    def get_i32(self, key):
        """Get a signed number of 32 bits."""
        value = bytearray(4)
        self._get(key, _nvs.I32).read_into(value)
        return _struct.unpack("<i", value)[0]

    def set_blob(self, key, value):
        """Set the bytes of a buffer or a string."""
        self._set(key, _nvs.BLOB, value.encode() if isinstance(value, str) else bytes(value))

    def get_blob(self, key, buffer):
        """Copy a blob into the beginning of `buffer`; its length in bytes."""
        value = self._get(key, _nvs.BLOB)
        if value.length > len(buffer):
            _fail(0x110C, "INVALID_LENGTH")
        value.read_into(buffer)
        return value.length

    def erase_key(self, key):
        """Remove a value of whatever type."""
        if (self._namespace, key) not in _values:
            _fail(0x1102, "NOT_FOUND")
        del _values[self._namespace, key]

    def commit(self):
        """Make what was set and erased durable, in every namespace."""
        _nvs.save(_values)

    def _set(self, key, kind, value):
        if not 1 <= len(key.encode()) <= 15:
            _fail(0x1109, "KEY_TOO_LONG")
        changed = _values.copy()
        changed[self._namespace, key] = _nvs.Value(kind, len(value), data=value)
        if _nvs.entries(changed) > _nvs.ENTRIES:
            _fail(0x1105, "NOT_ENOUGH_SPACE")
        _values.update(changed)

    def _get(self, key, kind):
        value = _values.get((self._namespace, key))
        if value is None or value.kind != kind:
            _fail(0x1102, "NOT_FOUND")
        return value
