"""Frames of raw integers, for boards without the native emitter (level 1); see the native module."""

import uctypes
from ustruct import pack_into, unpack_from


def _flipped(p, code, at, n, job, channel):
    """n values from `at` bytes behind the channel's first one, as unsigned numbers in their order."""
    step, start, flip = unpack_from("<3I", job, 32 * channel)
    return [unpack_from(code, p, start + at + step * i)[0] ^ flip for i in range(n)]


def _zeros(values, job, channel):
    low, span, zero = unpack_from("<3I", job, 32 * channel + 12)
    found = 0
    for value in values:
        if not low <= value <= low + span:
            return -1
        if value == zero:
            found += 1
    return found


def _distances(values, job, channel, u):
    low = unpack_from("<I", job, 32 * channel + 12)[0]
    for i in range(len(values)):
        pack_into("<I", u, 4 * i, values[i] - low)


def _scan8(p, _a, _found, n, job, channel):
    """Zeros among n 8-bit values; -1 when one is not in the range."""
    return _zeros(_flipped(p, "<B", 0, n, job, channel), job, channel)


def _scan16(p, _a, _found, n, job, channel):
    """The same for 16-bit values; -2 when p is misaligned."""
    if uctypes.addressof(p) & 1:
        return -2
    return _zeros(_flipped(p, "<H", 0, n, job, channel), job, channel)


def _spread8(p, _v, at, n, job, channel, u):
    """u of n 8-bit values, from `at` bytes behind the channel's first one."""
    _distances(_flipped(p, "<B", at, n, job, channel), job, channel, u)


def _spread16(p, _v, at, n, job, channel, u):
    """The same of 16-bit values."""
    _distances(_flipped(p, "<H", at, n, job, channel), job, channel, u)


def _quantise8(p, out, n, at, step, table):
    """n 8-bit values, every `step`-th from the one numbered `at` on, to biased bytes in the same places of `out`."""
    for i in range(at, at + n * step, step):
        out[i] = table[unpack_from("<B", p, i)[0]]


def _quantise16(p, out, n, at, step, table):
    """The same of int16 values."""
    base, shift = unpack_from("<2H", table)
    shift &= 15
    for i in range(at, at + n * step, step):
        x = max((unpack_from("<H", p, 2 * i)[0] ^ 0x8000) - base, 0)
        q = table[4 + min(x >> shift, 255)]
        while x > unpack_from("<H", table, 260 + 2 * q)[0]:
            q += 1
        out[i] = q
