"""Holds a frame against the contract before anything is computed from it (level 1)."""

import ustruct
from micropython import const
from uarray import array

from .errors import NAN, OK, RANGE, SIZE, ZEROS
from .scan import nonfinite, scan

_OUTSIDE = const(-1)
_MISALIGNED = const(-2)

_KNOWN = const(4)  # buffers of one element type that are remembered: two for double buffering, and room

_TOP = 0x80000000


def _key(bits):
    """The order of float32 as that of unsigned numbers; see scan.py."""
    return bits ^ 0xFFFFFFFF if bits & _TOP else bits | _TOP


def _is_at_most(frame, size):
    """Whether a buffer has no more than `size` bytes. Asking is all there is: no buffer tells its element size."""
    try:
        ustruct.unpack_from("", frame, size + 1)
    except ValueError:
        return True
    return False


def _is_float32(frame, length):
    """Whether `length` elements of a buffer are float32. On a board, pointers (array("O")) have four bytes as well."""
    if type(frame[0]) is not float or not _is_at_most(frame, 4 * length):
        return False
    return ustruct.pack("<f", frame[0]) == ustruct.pack("<f", ustruct.unpack_from("<f", frame)[0])


class Gate:
    """The checks of one contract. `check(frame)` returns a status.

    It allocates nothing for bytes and bytearrays, for the last four arrays and memoryviews of each element size that
    were of the right type, and for whatever has another type or another len(). An array or memoryview that is new to it
    costs a few small objects once. What is remembered of a buffer is its element type, which cannot change; its length
    is looked at every time.
    """

    def __init__(self, length, low_bits, high_bits, max_zeros):
        """`length` in values; the limits as bits of finite float32, low below high; `max_zeros` may be equalled."""
        if low_bits == 0:
            low_bits = _TOP  # -0.0 lies in a range that begins at zero
        if high_bits == _TOP:
            high_bits = 0  # +0.0 lies in a range that ends at -0.0
        low = _key(low_bits)
        self._bounds = array("I", (low, _key(high_bits) - low))
        self._max_zeros = max_zeros
        self._length = length
        self.forget()

    def _is_frame(self, frame):
        """float32 values or their bytes, in a buffer of exactly the contract's length."""
        kind = type(frame)
        if kind is bytearray or kind is bytes:
            return len(frame) == 4 * self._length
        if kind is not array and kind is not memoryview:
            return False
        if len(frame) == self._length:
            known = self._values
        elif len(frame) == 4 * self._length:
            known = self._bytes
        else:
            return False
        for one in known:
            if one is frame:
                return True
        right = _is_float32(frame, self._length) if known is self._values else _is_at_most(frame, 4 * self._length)
        if right:
            known.pop(0)
            known.append(frame)
        return right

    def check(self, frame):
        """OK, SIZE, NAN, RANGE or ZEROS, the first that applies; anything but a 4-aligned buffer is SIZE."""
        if not self._is_frame(frame):
            return SIZE
        zeros = scan(frame, 0, 0, self._length, self._bounds)
        if zeros == _MISALIGNED:
            return SIZE
        if zeros == _OUTSIDE:
            return NAN if nonfinite(frame, self._length) else RANGE
        return ZEROS if zeros > self._max_zeros else OK

    def forget(self):
        """Let go of the buffers that are remembered."""
        self._values = [None] * _KNOWN
        self._bytes = [None] * _KNOWN
