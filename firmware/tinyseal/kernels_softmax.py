"""Softmax on int8, viper leaves (level 1): gemmlowp's fixed point on biased bytes, as TensorFlow Lite has it.

The exponentials come from FORMAT.md's "Exponential table"; a 32-bit word of it is never negative.
"""

import micropython


@micropython.viper
def softmax_sum(arena: ptr8, in_at: int, depth: int, exp: ptr32, scratch_at: int) -> int:
    """The sum of exponentials in Q12.19 to scratch[0], below 2^27 for depth <= 255; returns the greatest byte."""
    x = ptr8(int(arena) + in_at)
    scratch = ptr32(int(arena) + scratch_at)
    top = 0
    i = 0
    while i < depth:
        if x[i] > top:
            top = x[i]
        i += 1
    total = 0
    i = 0
    while i < depth:
        total += int((uint(exp[top - x[i]]) + uint(2048)) >> uint(12))
        i += 1
    scratch[0] = total
    return top


@micropython.viper
def softmax_reciprocal(arena: ptr8, scratch_at: int):
    """1 / sum: from the sum in Q12.19 in scratch[0], Q0.31 to scratch[0] and the final right shift to scratch[1].

    gemmlowp's one_over_one_plus_x_for_x_in_0_1: d = (1 + x) / 2 in Q0.31, then Newton's x += x * (1 - d * x), three
    times, in Q2.29, from 48/17 - 32/17 * d. Seven products of the kind floor((a * b + 2^30) / 2^31) in one loop, each
    from 16-bit halves: |ah * bl| and |al * bh| <= 2^31 - 2^15, al * bl < 2^32.
    """
    scratch = ptr32(int(arena) + scratch_at)
    u = uint(scratch[0])
    shift = 35  # 12 integer bits, + 31 - 8 for an output in 1/256
    while (u >> uint(31)) == uint(0):
        u = u << uint(1)
        shift -= 1
    scratch[1] = shift
    d = int(u >> uint(1))
    x = 0x2D2D2D2D
    x = x + x  # 48/17 in Q2.29; as a literal it would be an object
    a = d
    b = -0x3C3C3C3C  # -32/17
    i = 0
    while i < 7:
        al = a & 0xFFFF
        ah = a >> 16
        bl = b & 0xFFFF
        bh = b >> 16
        low = int(uint(al * bl) >> uint(16))
        p = ah * bl
        q = al * bh
        t = ah * bh * 2 + (p >> 15) + (q >> 15) + (((p & 0x7FFF) + (q & 0x7FFF) + low + 16384) >> 15)
        if i & 1:
            a = x
            b = (1 << 29) - t
        else:
            if i:
                t = t << 2
            x += t
            a = d
            b = x
        i += 1
    if x >> 30:  # 1/d = 2 at the least d: saturates
        t = 1
        x = (t << 30) - 1 + (t << 30)
    else:
        x = x << 1
    scratch[0] = x


@micropython.viper
def softmax_scale(arena: ptr8, in_at: int, depth: int, exp: ptr32, scratch_at: int, top: int, out_at: int):
    """out = exp * reciprocal, biased, scale 1/256: the product as in softmax_reciprocal, rounded by scratch[1] bits."""
    x = ptr8(int(arena) + in_at)
    out = ptr8(int(arena) + out_at)
    scratch = ptr32(int(arena) + scratch_at)
    al = scratch[0] & 0xFFFF
    ah = scratch[0] >> 16
    shift = scratch[1]
    half = uint(1) << uint(shift - 1)
    i = 0
    while i < depth:
        b = exp[top - x[i]]
        bl = b & 0xFFFF
        bh = b >> 16
        low = int(uint(al * bl) >> uint(16))
        p = ah * bl
        q = al * bh
        t = ah * bh * 2 + (p >> 15) + (q >> 15) + (((p & 0x7FFF) + (q & 0x7FFF) + low + 16384) >> 15)
        t = int((uint(t) + half) >> uint(shift))
        if t > 255:
            t = 255
        out[i] = t
        i += 1
