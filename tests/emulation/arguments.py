"""Arguments of a call: integers as words, buffers copied into the emulated RAM and back.

Buffers that overlap in the host's memory (the same object twice, a memoryview and what it looks into) overlap in
the emulated RAM in the same way. Every buffer, or group of overlapping ones, has a guard of `_GUARD` patterned bytes
before and behind it. MicroPython aligns its heap blocks to 16 bytes: a buffer starts at a multiple of 16, a
memoryview slice as far behind one as it does in its object.
"""

import ctypes
from array import array
from dataclasses import dataclass

from .errors import Overrun
from .ram import Ram

Argument = int | bytes | bytearray | memoryview | array  # type: ignore[type-arg]

_GUARD = 64
_ALIGNMENT = 16
_PATTERN = bytes(0xC3 ^ 5 * i & 0xFF for i in range(_GUARD))


@dataclass
class _Buffer:
    view: memoryview
    host: int  # address in this process
    target: int = 0  # address in the emulated RAM


class Arguments:
    """The words to pass for one call; place() before it, collect() after it."""

    def __init__(self, values: dict[str, tuple[str, Argument]]) -> None:
        """`values`: by name, (viper type, value). TypeError: a buffer where none fits; OverflowError: past 32 bits."""
        self._words: dict[str, int] = {}
        self._buffers: dict[str, _Buffer] = {}
        for name, (kind, value) in values.items():
            if isinstance(value, int):
                if not -0x80000000 <= value <= 0xFFFFFFFF:
                    raise OverflowError(f"argument {name} does not fit 32 bits: {value}")
                self._words[name] = value & 0xFFFFFFFF
            elif kind.startswith("ptr"):
                view = memoryview(value).cast("B")
                self._buffers[name] = _Buffer(view, _host_address(view))
            else:
                raise TypeError(f"argument {name} is {kind or 'untyped'}, not a pointer: got {type(value).__name__}")
        self._names = list(values)
        self._groups = _overlapping(list(self._buffers.values()))
        self._guards: list[int] = []

    def place(self, ram: Ram, start: int, limit: int) -> list[int]:
        """Copy the buffers to addresses from `start` on and give the words; MemoryError when `limit` is too low."""
        at = start
        for group in self._groups:
            first = group[0].host
            length = max(b.host + len(b.view) for b in group) - first
            begin = (at + _GUARD + _ALIGNMENT - 1) // _ALIGNMENT * _ALIGNMENT + _offset_in_object(group[0])
            end = begin + length
            if end + _GUARD > limit:
                raise MemoryError(f"the buffers of a call take more than {limit - start} bytes")
            for guard in (begin - _GUARD, end):
                ram.write(guard, _PATTERN)
                self._guards.append(guard)
            for buffer in sorted(group, key=lambda b: b.view.readonly, reverse=True):  # the right to write comes last
                buffer.target = begin + buffer.host - first
                ram.write(buffer.target, buffer.view)
                ram.allow(buffer.target, len(buffer.view), write=not buffer.view.readonly)
            at = end + _GUARD
        self.end = at
        return [self._words[name] if name in self._words else self._buffers[name].target for name in self._names]

    def collect(self, ram: Ram) -> None:
        """Copy the buffers back. Overrun when a guard or a read-only buffer has changed; then nothing is copied."""
        for guard in self._guards:
            found = ram.read(guard, _GUARD)
            if found != _PATTERN:
                where = next(i for i in range(_GUARD) if found[i] != _PATTERN[i])
                raise Overrun(f"wrote {self.describe(guard + where)}")
        for group in self._groups:
            if all(b.view.readonly for b in group):
                for buffer in group:
                    if ram.read(buffer.target, len(buffer.view)) != buffer.view:
                        raise Overrun(f"wrote into read-only {self._name_of(buffer)}")
        for buffer in self._buffers.values():
            if not buffer.view.readonly:
                buffer.view[:] = ram.read(buffer.target, len(buffer.view))

    def _name_of(self, buffer: _Buffer) -> str:
        return next(name for name, b in self._buffers.items() if b is buffer)

    def describe(self, address: int) -> str:
        """An address outside every buffer, as a byte index into the nearest one; "" when there is none."""

        def distance(buffer: _Buffer) -> int:
            return max(buffer.target - address, address - buffer.target - len(buffer.view) + 1)

        near = min(self._buffers.values(), key=distance, default=None)
        if near is None:
            return ""
        return f"byte {address - near.target} of {self._name_of(near)}, which has {len(near.view)}"


def _overlapping(buffers: list[_Buffer]) -> list[list[_Buffer]]:
    """Groups of buffers that share host bytes, each sorted by address."""
    groups: list[list[_Buffer]] = []
    end = 0
    for buffer in sorted(buffers, key=lambda b: (b.host, -len(b.view))):
        if groups and buffer.host < end:
            groups[-1].append(buffer)
            end = max(end, buffer.host + len(buffer.view))
        else:
            groups.append([buffer])
            end = buffer.host + len(buffer.view)
    return groups


def _offset_in_object(buffer: _Buffer) -> int:
    return (buffer.host - _host_address(memoryview(buffer.view.obj).cast("B"))) % _ALIGNMENT


class _PyBuffer(ctypes.Structure):
    """`Py_buffer` of the C API, which tells the address of read-only memory too."""

    _fields_ = [
        ("buf", ctypes.c_void_p),
        ("obj", ctypes.c_void_p),
        ("rest", ctypes.c_char * 128),
    ]


def _host_address(view: memoryview) -> int:
    raw = _PyBuffer()
    ctypes.pythonapi.PyObject_GetBuffer(ctypes.py_object(view), ctypes.byref(raw), 0)
    try:
        return raw.buf or 0
    finally:
        ctypes.pythonapi.PyBuffer_Release(ctypes.byref(raw))
