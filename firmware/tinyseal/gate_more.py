"""The checks that a contract may ask for (level 1): saturation, flat line, step, mean and deviation of each channel.

All of them are made on u, whole numbers from 0 to below 2^31 (FORMAT.md "Fixed point"), of a block of values at a time.
A channel's state, in words: values at the rails; least u, and how far the greatest is above it; largest step; the sum
of q; the sum of q^2 as its low 16 bits and the rest; and one that is not used. Bounds, for n <= 65535 values: q < 2^15,
sum(q) < 2^31, sum(q^2) < 2^46.
"""

import micropython
import ustruct
from uarray import array

_RECORD = micropython.const(64)  # bytes of a channel's record
_OK = micropython.const(0)  # indices of errors.STATUSES
_ZEROS = micropython.const(4)
_SATURATED = micropython.const(1)
_FLAT = micropython.const(2)
_STEP = micropython.const(4)
_SUMS = micropython.const(24)  # mean and deviation
# Of each check in turn the word of the state, and those of the record that it may not be below or above.
_COMPARED = ((0, 0, 7), (2, 8, 0), (3, 0, 9), (4, 10, 11), None)
_BLOCK = micropython.const(64)
_STATE = micropython.const(8)  # words
_JOB = micropython.const(8)  # words
_SHIFT = micropython.const(7)  # the job's word that has it


@micropython.viper
def _spread(p: ptr32, v: int, at: int, n: int, job: ptr32, channel: int, u: ptr32):
    """u of n float32, from `at` bytes behind the channel's first one.

    job, eight words a channel: bytes from value to value, bytes to the first one, two of the gate's, the exponent of
    the range, F of its lower end. A value is in the range, so its exponent is no greater. The difference is right
    modulo 2^32 on either word size, and so is the word that is stored. v only reserves a register, here and below: pass
    0. RV32 78 instructions a value, Xtensa 85.
    """
    job = ptr32(int(job) + (channel << 5))
    step = job[0]
    exponent = job[4]
    base = job[5]
    p = ptr32(int(p) + job[1] + at)
    end = int(u) + 4 * n
    while int(u) < end:
        v = p[0]
        m = v & 0x7FFFFF
        s = (v >> 23) & 0xFF
        if s:
            m += 0x800000
        else:
            s = 1
        s = exponent - s
        if s > 31:
            s = 31
        if (v >> 31) & 1:
            m = 0 - m
        u[0] = ((m << 6) >> s) - base
        p = ptr32(int(p) + step)
        u = ptr32(int(u) + 4)


@micropython.viper
def _begin(work: ptr32, state: ptr32, channel: int):
    """A channel's first value, work[1], stands for the one before it, and is its least; all else is zero."""
    state = ptr32(int(state) + (channel << 5))
    i = 7
    while i > 0:
        i -= 1
        state[i] = 0
    state[1] = work[1]
    work[0] = work[1]


@micropython.viper
def _saturated(u: ptr32, v: int, n: int, record: ptr32, state: ptr32, channel: int):
    """Count values at or beyond the rails, record[5] and record[6]. RV32 24 instructions a value, Xtensa 28."""
    state = ptr32(int(state) + (channel << 5))
    record = ptr32(int(record) + (channel << 6))
    low = record[5]
    high = record[6]
    count = state[0]
    end = int(u) + 4 * n
    while int(u) < end:
        v = u[0]
        if v <= low or v >= high:
            count += 1
        u = ptr32(int(u) + 4)
    state[0] = count


@micropython.viper
def _extremes(u: ptr32, v: int, n: int, state: ptr32, channel: int):
    """Keep the least and how far the greatest is above it. RV32 23 instructions a value, Xtensa 29."""
    state = ptr32(int(state) + (channel << 5))
    least = state[1]
    most = least + state[2]
    end = int(u) + 4 * n
    while int(u) < end:
        v = u[0]
        if v < least:
            least = v
        if v > most:
            most = v
        u = ptr32(int(u) + 4)
    state[1] = least
    state[2] = most - least


@micropython.viper
def _steps(work: ptr32, v: int, n: int, state: ptr32, channel: int):
    """Keep the largest difference of neighbours; work[0] is the last value of the block before, then of this one.

    RV32 34 instructions a value, Xtensa 41.
    """
    state = ptr32(int(state) + (channel << 5))
    first = work
    largest = state[3]
    previous = work[0]
    end = int(work) + 4 * n
    while int(work) < end:
        work = ptr32(int(work) + 4)
        v = work[0]
        d = v - previous
        if d < 0:
            d = 0 - d
        if d > largest:
            largest = d
        previous = v
    first[0] = previous
    state[3] = largest


@micropython.viper
def _sums(u: ptr32, v: int, n: int, shift: int, state: ptr32, channel: int):
    """Add q = u >> shift and q * q of at most 64 values: the low halves' sum stays below 2^23.

    RV32 42 instructions a value, Xtensa 47.
    """
    state = ptr32(int(state) + (channel << 5))
    total = state[4]
    low = state[5]
    rest = state[6]
    end = int(u) + 4 * n
    while int(u) < end:
        v = u[0] >> shift
        total += v
        v = v * v
        low += v & 0xFFFF
        rest += v >> 16
        u = ptr32(int(u) + 4)
    state[4] = total
    state[5] = low & 0xFFFF
    state[6] = rest + (low >> 16)


@micropython.viper
def _first(word: int, low: int, high: int, state: ptr32, record: ptr32, channels: int) -> int:
    """The first channel whose word of the state is below record[low] or above record[high]; -1 when none's is.

    0 is no word of the record, and stands for no such limit.
    """
    i = 0
    while i < channels:
        v = state[word]
        if low and v < record[low]:
            return i
        if high and v > record[high]:
            return i
        state = ptr32(int(state) + 32)
        record = ptr32(int(record) + 64)
        i += 1
    return -1


@micropython.viper
def _first_spread(state: ptr32, record: ptr32, channels: int, n: uint) -> int:
    """The first channel whose n * sum(q^2) - sum(q)^2 is outside its limits of 64 bits; -1 when none is.

    Both terms are below 2^62, in a high and a low word. They are made of 16-bit pieces, every sum of which is below
    2^32: at most 65535 * 65535 + 65534, and 2 * 65535 * 32767 + 65534. RV32 337 instructions a channel, Xtensa 372.
    """
    half = uint(0xFFFF)
    by = uint(16)
    mask = uint(1) << uint(31)
    mask = mask + (mask - uint(1))
    i = 0
    while i < channels:
        rest = uint(state[6])
        a = n * uint(state[5])
        b = n * (rest & half) + (a >> by)
        high = n * (rest >> by) + (b >> by)
        low = ((b & half) << by) + (a & half)
        rest = uint(state[4])
        a = (rest & half) * (rest & half)
        b = (rest & half) * (rest >> by)
        b = b + b + (a >> by)
        high = high - ((rest >> by) * (rest >> by) + (b >> by))
        rest = ((b & half) << by) + (a & half)
        if low < rest:
            high = high - uint(1)
        low = (low - rest) & mask
        if high < uint(record[13]):
            return i
        if high == uint(record[13]) and low < uint(record[12]):
            return i
        if high > uint(record[15]):
            return i
        if high == uint(record[15]) and low > uint(record[14]):
            return i
        state = ptr32(int(state) + 32)
        record = ptr32(int(record) + 64)
        i += 1
    return -1


def _fixed(bits, exponent):
    """F of a float32."""
    own = (bits >> 23) & 0xFF
    mantissa = (bits & 0x7FFFFF) + (0x800000 if own else 0)
    if bits >> 31:
        mantissa = -mantissa
    return (mantissa << 6) >> min(exponent - max(own, 1), 31)


def _float32_job(contract, channel, jobs):
    """Write down exponent and base for `_spread`; the greatest u."""
    low, high = ustruct.unpack_from("<2I", contract.release, contract.at + _RECORD * channel)
    exponent = max((low >> 23) & 0xFF, (high >> 23) & 0xFF, 1)
    base = _fixed(low, exponent)
    ustruct.pack_into("<2I", jobs, 4 * (_JOB * channel + 4), exponent, base & 0xFFFFFFFF)
    return _fixed(high, exponent) - base


class MoreChecks:
    """The checks of one contract. `check(frame)` returns a status; `channel` is where it failed, -1 for nowhere."""

    def __init__(self, contract, spread, jobs):
        """`spread` is None for float32; `jobs` are the gate's, eight words a channel, the last two of them free."""
        self._contract = contract
        self._spread_into = spread or _spread
        self._jobs = jobs
        self._records = memoryview(contract.release)[contract.at :]
        self._states = array("I", bytes(4 * _STATE * contract.channels))
        self._work = array("I", bytes(4 * (_BLOCK + 1)))
        self._u = memoryview(self._work)[1:]
        for i in range(contract.channels):
            span = jobs[_JOB * i + 4] if spread else _float32_job(contract, i, jobs)
            shift = 0
            while span >> shift > 0x7FFF:
                shift += 1
            jobs[_JOB * i + _SHIFT] = shift
        self.channel = -1

    def check(self, frame):
        """OK, or the first check that fails, of an accepted frame. Allocates nothing."""
        self.channel = -1
        contract = self._contract
        channels = contract.channels
        for channel in range(channels):
            self._measure(frame, channel)
        check = 1
        status = _ZEROS
        states, records = self._states, self._records
        for compared in _COMPARED:
            status += 1
            if contract.checks & check:
                if compared:
                    found = _first(compared[0], compared[1], compared[2], states, records, channels)
                else:
                    found = _first_spread(states, records, channels, contract.samples)
                if found >= 0:
                    self.channel = found
                    return status
            check += check
        return _OK

    def _measure(self, frame, channel):
        """Fill a channel's state, a block at a time."""
        checks = self._contract.checks
        jobs = self._jobs
        states = self._states
        u = self._u
        block = jobs[_JOB * channel] * _BLOCK
        left = self._contract.samples
        at = 0
        while left > 0:
            n = _BLOCK if left > _BLOCK else left
            self._spread_into(frame, 0, at, n, jobs, channel, u)
            if not at:
                _begin(self._work, states, channel)
            if checks & _SATURATED:
                _saturated(u, 0, n, self._records, states, channel)
            if checks & _FLAT:
                _extremes(u, 0, n, states, channel)
            if checks & _STEP:
                _steps(self._work, 0, n, states, channel)
            if checks & _SUMS:
                _sums(u, 0, n, jobs[_JOB * channel + _SHIFT], states, channel)
            left -= n
            at += block
