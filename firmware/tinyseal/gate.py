"""Holds a frame against the contract before anything is computed from it (level 1)."""

import struct
from array import array

import micropython

from .errors import NAN, OK, RANGE, SIZE, ZEROS

# A key orders float32 by its bits as unsigned numbers: all bits flipped when negative, the top bit set when not. NaN and
# infinity fall outside any finite range.
_TOP = 0x80000000


def _key(bits):
    return bits ^ 0xFFFFFFFF if bits & _TOP else bits | _TOP


@micropython.viper
def _misaligned(p: ptr8) -> int:
    return int(p) & 3


@micropython.viper
def _scan(p: ptr32, a: uint, zeros: int, n: int, bounds: ptr32) -> int:
    """Zeros among n float32 whose keys lie in bounds[0] .. bounds[0] + bounds[1], or -1. a, zeros reserve registers: pass 0."""
    low = uint(bounds[0])
    span = uint(bounds[1])
    top = uint(1) << uint(31)
    magnitude = top - uint(1)
    end = int(p) + 4 * n
    zeros = 0
    while int(p) < end:
        a = uint(p[0])
        if (((a >> uint(31)) * magnitude + top) ^ a) - low > span:
            return -1
        if not a & magnitude:
            zeros += 1
        p = ptr32(int(p) + 4)
    return zeros


@micropython.viper
def _nonfinite(p: ptr32, n: int) -> int:
    """How many of n float32 are NaN or infinite."""
    exponent = 0xFF
    exponent = exponent << 23  # not a literal: that would be an object
    found = 0
    while n > 0:
        if p[0] & exponent == exponent:
            found += 1
        p = ptr32(int(p) + 4)
        n -= 1
    return found


class Gate:
    """The checks of one contract. `check(frame)` returns a status and allocates nothing for a buffer that it has seen last."""

    def __init__(self, length, low_bits, high_bits, max_zeros):
        """`length` in values; the limits as bits of finite float32, low below high; `max_zeros` may be equalled."""
        if low_bits == 0:
            low_bits = _TOP  # -0.0 lies in a range that begins at zero
        if high_bits == _TOP:
            high_bits = 0
        low = _key(low_bits)
        self._bounds = array("I", (low, _key(high_bits) - low))
        self._max_zeros = max_zeros
        self._length = length
        self._frame = None

    def _is_frame(self, frame):
        """float32 values (array("f")) or their bytes (bytearray, memoryview, array("B")): 4 * length bytes, 4-aligned."""
        n = self._length
        try:
            kind = type(frame[0])
            if len(frame) != (n if kind is float else 4 * n):
                return False
            struct.unpack_from("<f", frame, 4 * (n - 1))
        except (TypeError, IndexError, ValueError):
            return False
        try:
            struct.unpack_from("B", frame, 4 * n)
            return False  # array("d")
        except ValueError:
            return not _misaligned(frame)

    def check(self, frame):
        """OK, SIZE, NAN, RANGE or ZEROS, the first that applies in this order."""
        if frame is not self._frame:
            self._frame = None
            if not self._is_frame(frame):
                return SIZE
            self._frame = frame
            self._frame_len = len(frame)
        elif len(frame) != self._frame_len:
            return SIZE
        zeros = _scan(frame, 0, 0, self._length, self._bounds)
        if zeros < 0:
            return NAN if _nonfinite(frame, self._length) else RANGE
        return ZEROS if zeros > self._max_zeros else OK

    def forget(self):
        """Let go of the last frame."""
        self._frame = None
