"""The gate's loops over a frame, viper leaves (level 0).

A key orders float32 by its bits as unsigned numbers: all bits flipped when negative, the top bit set when not. NaN and
infinity fall outside any finite range.
"""

import micropython


@micropython.viper
def scan(p: ptr32, a: uint, zeros: int, n: int, bounds: ptr32) -> int:
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
def nonfinite(p: ptr32, n: int) -> int:
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
