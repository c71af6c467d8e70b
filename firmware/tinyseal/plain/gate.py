"""The gate's loops over a frame, for boards without the native emitter; see the native ones."""

import uctypes
from ustruct import unpack_from

_SIGN = 0x80000000


def _scan(p, _a, _zeros, n, job, channel):
    """Zeros among n float32; -1 when a key is outside job[2] .. job[2] + job[3], -2 when p is misaligned."""
    if uctypes.addressof(p) & 3:
        return -2
    step, at, low, span = unpack_from("<4I", job, 32 * channel)
    zeros = 0
    for _ in range(n):
        bits = unpack_from("<I", p, at)[0]
        key = bits ^ 0xFFFFFFFF if bits & _SIGN else bits | _SIGN
        if not low <= key <= low + span:
            return -1
        if bits in (0, _SIGN):
            zeros += 1
        at += step
    return zeros
