"""Frames that another controller sends."""

from binascii import crc32

from micropython import const
from ustruct import unpack
from utime import sleep_ms, ticks_diff, ticks_ms

_HEAD = b"\xa5\x5a"
_ETIMEDOUT = const(116)


class Frames:
    """From a machine.UART: A5 5A, the bytes of a frame, their CRC-32 little-endian.

    What the CRC does not hold for is dropped, and counted in `lost`. OSError when nothing comes for `timeout_ms`.
    """

    def __init__(self, uart, timeout_ms=2000):
        self.lost = 0
        self._uart = uart
        self._timeout_ms = timeout_ms
        self._two = bytearray(2)
        self._crc = bytearray(4)

    def fill(self, frame):
        """The next whole frame."""
        while True:
            self._find_head()
            self._read_into(frame)
            self._read_into(self._crc)
            if crc32(frame) == unpack("<I", self._crc)[0]:
                return
            self.lost += 1

    def _find_head(self):
        two = self._two
        self._read_into(two)
        last = memoryview(two)[1:]
        while two != _HEAD:
            two[0] = two[1]
            self._read_into(last)

    def _read_into(self, buffer):
        view = memoryview(buffer)
        at = 0
        heard = ticks_ms()
        while at < len(view):
            got = self._uart.readinto(view[at:])
            if got:
                at += got
                heard = ticks_ms()
            elif ticks_diff(ticks_ms(), heard) >= self._timeout_ms:
                raise OSError(_ETIMEDOUT)
            else:
                sleep_ms(1)
