"""Holds a frame against the contract before anything is computed from it (level 1)."""

import micropython
import ustruct
from micropython import const
from uarray import array

from .errors import NAN, OK, RANGE, SIZE, ZEROS

_OUTSIDE = const(-1)
_MISALIGNED = const(-2)

_KNOWN = const(4)  # buffers of one element type that are remembered: two for double buffering, and room

# A key orders float32 by its bits as unsigned numbers: all bits flipped when negative, the top bit set when not. NaN
# and infinity fall outside any finite range.
_TOP = 0x80000000


def _key(bits):
    return bits ^ 0xFFFFFFFF if bits & _TOP else bits | _TOP


@micropython.viper
def _scan(p: ptr32, a: uint, zeros: int, n: int, bounds: ptr32) -> int:
    """Zeros among n float32; -1 when a key is outside bounds[0] .. bounds[0] + bounds[1], -2 when p is misaligned.

    Keys are below 2^32 on either word size, and so is a key - low unless it is outside: then it wraps above the span.
    a and zeros only reserve registers: pass 0. RV32 32 instructions a value and 4 more a zero, Xtensa 40 and 5.
    """
    if int(p) & 3:
        return -2
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
    """How many of n float32 at the 4-aligned p are NaN or infinite. RV32 22 instructions a value, Xtensa 26."""
    exponent = 0xFF
    exponent = exponent << 23  # not a literal: that would be an object
    found = 0
    while n > 0:
        if p[0] & exponent == exponent:
            found += 1
        p = ptr32(int(p) + 4)
        n -= 1
    return found


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
        zeros = _scan(frame, 0, 0, self._length, self._bounds)
        if zeros == _MISALIGNED:
            return SIZE
        if zeros == _OUTSIDE:
            return NAN if _nonfinite(frame, self._length) else RANGE
        return ZEROS if zeros > self._max_zeros else OK

    def forget(self):
        """Let go of the buffers that are remembered."""
        self._values = [None] * _KNOWN
        self._bytes = [None] * _KNOWN
