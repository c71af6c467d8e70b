"""Holds a frame against the contract before anything is computed from it (level 2)."""

import micropython
import ustruct
from micropython import const
from uarray import array

# Indices of errors.STATUSES.
_OK = const(0)
_SIZE = const(1)
_NAN = const(2)
_RANGE = const(3)
_ZEROS = const(4)

_FLOAT32 = const(1)  # contract's type
_RECORD = const(64)  # bytes of a channel's record
_JOB = const(32)  # bytes of what the leaves are told of a channel
_MISALIGNED = const(-2)

_KNOWN = const(4)  # buffers of one element type that are remembered: two for double buffering, and room
_BYTES = const("bB")
_CODES = const("?fhbB")  # array's typecode by the contract's type

# A key orders float32 by its bits as unsigned numbers: all bits flipped when negative, the top bit set when not. NaN
# and infinity fall outside any finite range.
_TOP = const(0x80000000)
_LEAST = const(0x800000)  # of the finite ones
_SPAN = const(0xFEFFFFFF)  # from there to the greatest


def _key(bits):
    return bits ^ 0xFFFFFFFF if bits & _TOP else bits | _TOP


@micropython.viper
def _scan(p: ptr32, a: uint, zeros: int, n: int, job: ptr32, channel: int) -> int:
    """Zeros among n float32; -1 when a key is outside job[2] .. job[2] + job[3], -2 when p is misaligned.

    Of each channel there are eight words in `job`: here its own are meant. job[0] bytes lie between a value and the
    next, job[1] before the first. Keys are below 2^32 on either word size, and
    so is a key - low unless it is outside: then it wraps above the span. a and zeros only reserve registers: pass 0.
    RV32 33 instructions a value and 4 more a zero, Xtensa 41 and 5.
    """
    if int(p) & 3:
        return -2
    job = ptr32(int(job) + (channel << 5))
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
    is_float = kind == _FLOAT32
    if (type(view[0]) is float) != is_float or not _is_at_most(view, size * length):
        return False
    if not is_float:
        return not _is_at_most(view, size * length - 1)
    return ustruct.pack("<f", view[0]) == ustruct.pack("<f", ustruct.unpack_from("<f", view)[0])


def _job(contract, step, channel, jobs):
    """Write down what the leaves are told of a channel whose values are `step` bytes apart."""
    low_bits, high_bits = ustruct.unpack_from("<2I", contract.release, contract.at + _RECORD * channel)
    if low_bits == 0:
        low_bits = _TOP  # -0.0 lies in a range that begins at zero
    if high_bits == _TOP:
        high_bits = 0  # +0.0 lies in a range that ends at -0.0
    low = _key(low_bits)
    ustruct.pack_into("<4I", jobs, _JOB * channel, step, channel * contract.size, low, _key(high_bits) - low)


class Gate:
    """The checks of one contract. `check(frame)` returns a status; `channel` is where it failed, -1 for nowhere.

    It allocates nothing for bytes and bytearrays, for the last four arrays and memoryviews of each element size that
    were of the right type, and for whatever has another type or another len(). An array or memoryview that is new to it
    costs a few small objects once. What is remembered of a buffer is its element type, which cannot change; its length
    is looked at every time.
    """

    def __init__(self, contract):
        """`contract`: a Contract, whose release stays where it is."""
        self._contract = contract
        self.channel = -1
        if contract.type == _FLOAT32:
            self._scan, spread, job = _scan, None, _job
        else:
            from . import raw

            self._scan, spread = raw.leaves(contract)
            job = raw.job
        channels = contract.channels
        jobs = self._jobs = array("I", bytes(_JOB * (channels + 1)))
        for i in range(channels):
            job(contract, contract.size * channels, i, jobs)
        # The last is for any channel, and the range of all finite float32.
        ustruct.pack_into("<4I", jobs, _JOB * channels, 4 * channels, 0, _LEAST, _SPAN)
        self._more = None
        if contract.checks:
            from . import gate_more

            self._more = gate_more.MoreChecks(contract, spread, jobs)
        self.forget()

    def _is_frame(self, frame):
        """Values of the contract's type, or their bytes, in a buffer of exactly its length."""
        kind = type(frame)
        contract = self._contract
        length = contract.length
        size = contract.size
        if kind is bytearray or kind is bytes:
            return len(frame) == size * length
        if kind is not array and kind is not memoryview:
            return False
        if len(frame) == length:
            known = self._values
        elif len(frame) == size * length:
            known = self._bytes
        else:
            return False
        for one in known:
            if one is frame:
                return True
        values = known is self._values
        if kind is array:
            code = str(frame[:0])[7]  # array('f')
            right = code == _CODES[contract.type] if values else code in _BYTES
        elif values:
            right = _has_elements(frame, length, size, contract.type)
        else:
            right = _is_at_most(frame, size * length)
        if right:
            known.pop(0)
            known.append(frame)
        return right

    def check(self, frame):
        """OK, or the first check that fails; anything but an aligned buffer of the right type and length is SIZE."""
        self.channel = -1
        if not self._is_frame(frame):
            return _SIZE
        zeros = 0
        n = self._contract.samples
        for channel in range(self._contract.channels):
            found = self._scan(frame, 0, 0, n, self._jobs, channel)
            if found < 0:
                return _SIZE if found == _MISALIGNED else self._why(frame)
            zeros += found
        if zeros > self._contract.max_zeros:
            return _ZEROS
        if self._more is None:
            return _OK
        status = self._more.check(frame)
        self.channel = self._more.channel
        return status

    def _why(self, frame):
        """NAN or RANGE, and the first channel where it is so."""
        n = self._contract.samples
        if self._scan is _scan:
            channels = self._contract.channels
            for channel in range(channels):
                self._jobs[_JOB // 4 * channels + 1] = 4 * channel
                if _scan(frame, 0, 0, n, self._jobs, channels) < 0:
                    self.channel = channel
                    return _NAN
        self.channel = 0
        while self._scan(frame, 0, 0, n, self._jobs, self.channel) >= 0:
            self.channel += 1
        return _RANGE

    def forget(self):
        """Let go of the buffers that are remembered."""
        self._values = [None] * _KNOWN
        self._bytes = [None] * _KNOWN
