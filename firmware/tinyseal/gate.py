"""Holds a frame against the contract before anything is computed from it (level 2)."""

import micropython
import ustruct
from uarray import array

from .contract import FLOAT32, RECORD
from .errors import NAN, OK, RANGE, SIZE, ZEROS

_MISALIGNED = micropython.const(-2)

_KNOWN = micropython.const(4)  # buffers of one element type that are remembered: two for double buffering, and room
_BYTES = "bB"
_CODES = "?fhbB"  # array's typecode by the contract's type

# A key orders float32 by its bits as unsigned numbers: all bits flipped when negative, the top bit set when not. NaN
# and infinity fall outside any finite range.
_TOP = 0x80000000


def _key(bits):
    return bits ^ 0xFFFFFFFF if bits & _TOP else bits | _TOP


@micropython.viper
def _scan(p: ptr32, a: uint, zeros: int, n: int, job: ptr32) -> int:
    """Zeros among n float32; -1 when a key is outside job[2] .. job[2] + job[3], -2 when p is misaligned.

    job[0] bytes lie between a value and the next, job[1] before the first. Keys are below 2^32 on either word size, and
    so is a key - low unless it is outside: then it wraps above the span. a and zeros only reserve registers: pass 0.
    RV32 33 instructions a value and 4 more a zero, Xtensa 41 and 5.
    """
    if int(p) & 3:
        return -2
    step = job[0]
    low = uint(job[2])
    span = uint(job[3])
    top = uint(1) << uint(31)
    magnitude = top - uint(1)
    p = ptr32(int(p) + job[1])
    end = int(p) + step * n
    zeros = 0
    while int(p) < end:
        a = uint(p[0])
        if (((a >> uint(31)) * magnitude + top) ^ a) - low > span:
            return -1
        if not a & magnitude:
            zeros += 1
        p = ptr32(int(p) + step)
    return zeros


@micropython.viper
def _nonfinite(p: ptr32, n: int, job: ptr32) -> int:
    """How many of n float32 at the 4-aligned p are NaN or infinite. RV32 22 instructions a value, Xtensa 26."""
    step = job[0]
    exponent = 0xFF
    exponent = exponent << 23  # not a literal: that would be an object
    p = ptr32(int(p) + job[1])
    found = 0
    while n > 0:
        if p[0] & exponent == exponent:
            found += 1
        p = ptr32(int(p) + step)
        n -= 1
    return found


def _is_at_most(frame, size):
    """Whether a buffer has no more than `size` bytes. Asking is all there is: no buffer tells its element size."""
    try:
        ustruct.unpack_from("", frame, size + 1)
    except ValueError:
        return True
    return False


def _has_elements(view, length, size, kind):
    """Whether `length` elements of a memoryview are of the contract's type, as far as it can be seen.

    Signed and unsigned ones cannot be told apart. On a board, pointers (array("O")) have four bytes as float32 has.
    """
    is_float = kind == FLOAT32
    if (type(view[0]) is float) != is_float:
        return False
    if not _is_at_most(view, size * length) or _is_at_most(view, size * length - 1):
        return False
    return not is_float or ustruct.pack("<f", view[0]) == ustruct.pack("<f", ustruct.unpack_from("<f", view)[0])


def _job(contract, step, channel):
    """What the leaves are told of a channel whose values are `step` bytes apart."""
    low_bits, high_bits = ustruct.unpack_from("<2I", contract.release, contract.at + RECORD * channel)
    if low_bits == 0:
        low_bits = _TOP  # -0.0 lies in a range that begins at zero
    if high_bits == _TOP:
        high_bits = 0  # +0.0 lies in a range that ends at -0.0
    low = _key(low_bits)
    return array("I", (step, channel * contract.size, low, _key(high_bits) - low))


class Gate:
    """The checks of one contract. `check(frame)` returns a status; `channel` is where it failed, -1 for nowhere.

    It allocates nothing for bytes and bytearrays, for the last four arrays and memoryviews of each element size that
    were of the right type, and for whatever has another type or another len(). An array or memoryview that is new to it
    costs a few small objects once. What is remembered of a buffer is its element type, which cannot change; its length
    is looked at every time.
    """

    def __init__(self, contract):
        """`contract`: a Contract, whose release stays where it is."""
        self._kind = contract.type
        self._size = contract.size
        self._length = contract.length
        self._max_zeros = contract.max_zeros
        self.channel = -1
        if self._kind == FLOAT32:
            self._scan, spread = _scan, None
            job, compared = _job, 2
        else:
            from . import raw

            self._scan, spread = raw.leaves(contract)
            job, compared = raw.job, 5
        step = contract.size * contract.channels
        self._each = [job(contract, step, i) for i in range(contract.channels)]
        self._samples = contract.samples
        # In one go where all channels have the same limits.
        alike = contract.are_alike(compared)
        self._jobs = [job(contract, contract.size, 0)] if alike else self._each
        self._n = contract.length if alike else contract.samples
        self._more = None
        if contract.checks:
            from . import gate_more

            self._more = gate_more.MoreChecks(contract, spread, self._each)
        self.forget()

    def _is_frame(self, frame):
        """Values of the contract's type, or their bytes, in a buffer of exactly its length."""
        kind = type(frame)
        size = self._size
        if kind is bytearray or kind is bytes:
            return len(frame) == size * self._length
        if kind is not array and kind is not memoryview:
            return False
        if len(frame) == self._length:
            known = self._values
        elif len(frame) == size * self._length:
            known = self._bytes
        else:
            return False
        for one in known:
            if one is frame:
                return True
        values = known is self._values
        if kind is array:
            code = str(frame[:0])[7]  # array('f')
            right = code == _CODES[self._kind] if values else code in _BYTES
        elif values:
            right = _has_elements(frame, self._length, size, self._kind)
        else:
            right = _is_at_most(frame, size * self._length)
        if right:
            known.pop(0)
            known.append(frame)
        return right

    def check(self, frame):
        """OK, or the first check that fails; anything but an aligned buffer of the right type and length is SIZE."""
        self.channel = -1
        if not self._is_frame(frame):
            return SIZE
        zeros = 0
        for job in self._jobs:
            found = self._scan(frame, 0, 0, self._n, job)
            if found < 0:
                return SIZE if found == _MISALIGNED else self._why(frame)
            zeros += found
        if zeros > self._max_zeros:
            return ZEROS
        if self._more is None:
            return OK
        status = self._more.check(frame)
        self.channel = self._more.channel
        return status

    def _why(self, frame):
        """NAN or RANGE, and the first channel where it is so."""
        self.channel = 0
        if self._kind == FLOAT32:
            for job in self._each:
                if _nonfinite(frame, self._samples, job):
                    return NAN
                self.channel += 1
            self.channel = 0
        for job in self._each:
            if self._scan(frame, 0, 0, self._samples, job) < 0:
                break
            self.channel += 1
        return RANGE

    def forget(self):
        """Let go of the buffers that are remembered."""
        self._values = [None] * _KNOWN
        self._bytes = [None] * _KNOWN
