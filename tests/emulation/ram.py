"""The emulated board's RAM, with what the code may do with each byte of it."""

import mmap

RAM_BASE = 0x3FC00000  # where the ESP32-C3 and S3 have theirs; a multiple of the size
RAM_SIZE = 0x400000

_READ, _WRITE = 1, 2


class Ram:
    """`RAM_SIZE` bytes at `RAM_BASE`; none of them may be touched by the code until `allow` says so."""

    def __init__(self) -> None:
        self.memory = mmap.mmap(-1, RAM_SIZE)  # page-aligned, so that unicorn can map it as it is
        self._rights = bytearray(RAM_SIZE)

    def write(self, address: int, data: bytes | memoryview) -> None:
        start = address - RAM_BASE
        self.memory[start : start + len(data)] = bytes(data)

    def read(self, address: int, length: int) -> bytes:
        start = address - RAM_BASE
        return self.memory[start : start + length]

    def forbid(self, start: int, end: int) -> None:
        """Take the rights to the addresses from `start` up to `end`."""
        self._rights[start - RAM_BASE : end - RAM_BASE] = bytes(end - start)

    def allow(self, address: int, length: int, write: bool) -> None:
        start = address - RAM_BASE
        self._rights[start : start + length] = bytes([_READ | _WRITE if write else _READ]) * length

    def allows(self, address: int, size: int, write: bool) -> bool:
        """Whether an access of 1, 2 or 4 bytes is aligned and every byte of it is allowed."""
        offset = address - RAM_BASE
        if offset & (size - 1) or not 0 <= offset < RAM_SIZE:
            return False
        needed = _WRITE if write else _READ
        return bool(self._rights[offset] & needed and self._rights[offset + size - 1] & needed)
