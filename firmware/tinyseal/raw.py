"""Frames of raw integers, viper leaves and their use (level 1): FORMAT.md's int16, int8 and uint8.

`job` holds eight words a channel: bytes from one of its values to the next, bytes to its first one, the `flip` that
makes the bits of a value an unsigned number in the values' order, the least value, the range's length, and zero.
"""

import micropython
import ustruct

from .contract import endless
from .errors import RELEASE, SealError

_RECORD = micropython.const(64)  # bytes of a channel's record
_INT16 = micropython.const(2)
_INT8 = micropython.const(3)
_RAW8_LEN = micropython.const(256)
_RAW16_LEN = micropython.const(772)
_NO_ZERO = micropython.const(65536)
_INFINITY = micropython.const(0x7F800000)
_NEVER = micropython.const(1 << 20)  # no value has it


@micropython.viper
def _scan8(p: ptr8, a: uint, zeros: int, n: int, job: ptr32, channel: int) -> int:
    """Zeros among n 8-bit values; -1 when one is not in job[3] .. job[3] + job[4]. job[5] is zero, flipped as they are.

    a and zeros only reserve registers: pass 0. A value below the least wraps above the span. RV32 28 instructions a
    value and 4 more a zero, Xtensa 37 and 5.
    """
    job = ptr32(int(job) + (channel << 5))
    step = job[0]
    flip = uint(job[2])
    low = uint(job[3])
    span = uint(job[4])
    zero = uint(job[5])
    p = ptr8(int(p) + job[1])
    end = int(p) + step * n
    zeros = 0
    while int(p) < end:
        a = uint(p[0]) ^ flip
        if a - low > span:
            return -1
        if a == zero:
            zeros += 1
        p = ptr8(int(p) + step)
    return zeros


@micropython.viper
def _scan16(p: ptr16, a: uint, zeros: int, n: int, job: ptr32, channel: int) -> int:
    """The same for 16-bit values, and as many instructions; -2 when p is misaligned."""
    if int(p) & 1:
        return -2
    job = ptr32(int(job) + (channel << 5))
    step = job[0]
    flip = uint(job[2])
    low = uint(job[3])
    span = uint(job[4])
    zero = uint(job[5])
    p = ptr16(int(p) + job[1])
    end = int(p) + step * n
    zeros = 0
    while int(p) < end:
        a = uint(p[0]) ^ flip
        if a - low > span:
            return -1
        if a == zero:
            zeros += 1
        p = ptr16(int(p) + step)
    return zeros


@micropython.viper
def _spread8(p: ptr8, v: int, at: int, n: int, job: ptr32, channel: int, u: ptr32):
    """u of n 8-bit values, from `at` bytes behind the channel's first one: their distance from job[3], the least.

    v is what float32's takes as well: pass 0. RV32 26 instructions a value, Xtensa 32.
    """
    job = ptr32(int(job) + (channel << 5))
    step = job[0]
    flip = job[2]
    low = job[3]
    p = ptr8(int(p) + job[1] + at)
    end = int(u) + 4 * n
    while int(u) < end:
        u[0] = (p[0] ^ flip) - low
        p = ptr8(int(p) + step)
        u = ptr32(int(u) + 4)


@micropython.viper
def _spread16(p: ptr16, v: int, at: int, n: int, job: ptr32, channel: int, u: ptr32):
    """The same of 16-bit values, RV32 and Xtensa as many instructions."""
    job = ptr32(int(job) + (channel << 5))
    step = job[0]
    flip = job[2]
    low = job[3]
    p = ptr16(int(p) + job[1] + at)
    end = int(u) + 4 * n
    while int(u) < end:
        u[0] = (p[0] ^ flip) - low
        p = ptr16(int(p) + step)
        u = ptr32(int(u) + 4)


@micropython.viper
def _quantise8(p: ptr8, out: ptr8, n: int, at: int, step: int, table: ptr8):
    """n 8-bit values, every `step`-th from the one numbered `at` on, to biased bytes in the same places of `out`.

    RV32 19 instructions a value, Xtensa 24.
    """
    p = ptr8(int(p) + at)
    out = ptr8(int(out) + at)
    end = int(out) + step * n
    while int(out) < end:
        out[0] = table[p[0]]
        p = ptr8(int(p) + step)
        out = ptr8(int(out) + step)


@micropython.viper
def _quantise16(p: ptr16, out: ptr8, n: int, at: int, step: int, table: ptr8):
    """The same of int16 values. The table's last entry, 65535, ends the search.

    RV32 66 instructions a value, Xtensa 76, where most values take a step of the search.
    """
    base = ptr16(table)[0]
    shift = ptr16(table)[1] & 15
    first = ptr8(int(table) + 4)
    last = ptr16(int(table) + 260)
    p = ptr16(int(p) + 2 * at)
    out = ptr8(int(out) + at)
    end = int(out) + step * n
    step2 = step + step
    while int(out) < end:
        x = (p[0] ^ 0x8000) - base
        if x < 0:
            x = 0
        q = x >> shift
        if q > 255:
            q = 255
        q = int(first[q])
        while x > last[q]:
            q += 1
        out[0] = q
        p = ptr16(int(p) + step2)
        out = ptr8(int(out) + step)


def job(contract, step, channel, jobs):
    """Write down what the leaves that scan and spread are told of a channel whose values are `step` bytes apart."""
    at = contract.at + _RECORD * channel
    flip = 0x8000 if contract.type == _INT16 else 0x80 if contract.type == _INT8 else 0
    low, high, _, _, zero = ustruct.unpack_from("<5i", contract.release, at)
    zero = _NEVER if zero == _NO_ZERO else (zero + flip) & 0xFFFF
    first = channel * contract.size
    ustruct.pack_into("<6I", jobs, 32 * channel, step, first, flip, low + flip, high - low, zero)


def leaves(contract):
    """The leaves that scan and spread values of the contract's type."""
    return (_scan16, _spread16) if contract.type == _INT16 else (_scan8, _spread8)


def _check(contract):
    """SealError(RELEASE) when a channel breaks a rule."""
    least = 0 if contract.type > _INT8 else -1 << (8 * contract.size - 1)
    end = least + (1 << 8 * contract.size)
    for i in range(contract.channels):
        at = contract.at + _RECORD * i
        low, high, _, _, zero = ustruct.unpack_from("<5i", contract.release, at)
        scale, offset = ustruct.unpack_from("<2I", contract.release, at + 8)
        is_zero = zero == _NO_ZERO or least <= zero < end
        if not least <= low < high < end or not is_zero or not 0 < scale < _INFINITY or endless(offset):
            raise SealError(RELEASE, "contract: channel %d" % i)


def _are_alike(contract):
    """Whether all channels have the same scale and offset, by their bits."""
    first = contract.at + 8
    starts = range(first, first + _RECORD * contract.channels, _RECORD)
    return len({bytes(contract.release[start : start + 8]) for start in starts}) == 1


class Quantise:
    """Turns accepted frames into biased bytes, by the tables at release offset `at`."""

    def __init__(self, layout, at, contract):
        """SealError(RELEASE) when a channel breaks a rule, or the tables are not whole or have no end."""
        _check(contract)
        self._channels = 1 if _are_alike(contract) else contract.channels
        self._samples = contract.length // self._channels
        self._leaf = _quantise16 if contract.type == _INT16 else _quantise8
        size = _RAW16_LEN if contract.type == _INT16 else _RAW8_LEN
        layout.table(at, self._channels * size)
        self._tables = [memoryview(layout.release)[at + size * i :] for i in range(self._channels)]
        if contract.type == _INT16:
            for table in self._tables:
                if table[_RAW16_LEN - 2] & table[_RAW16_LEN - 1] != 0xFF:
                    raise SealError(RELEASE, "program: quantise table has no end")

    def run(self, frame, out):
        """All values of the frame to as many bytes at `out`. Allocates nothing."""
        for channel in range(self._channels):
            self._leaf(frame, out, self._samples, channel, self._channels, self._tables[channel])
