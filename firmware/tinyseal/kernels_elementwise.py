"""Elementwise operators, viper leaves (level 1): FORMAT.md's MAP, ADD, MUL, MINIMUM and MAXIMUM."""

import micropython


@micropython.viper
def map_bytes(arena: ptr8, x: ptr8, operands: ptr32, release: ptr8):
    """Each byte through a table of 256. x only reserves a register: pass the arena.

    RV32 29 instructions a byte, Xtensa 33.
    """
    x = ptr8(int(arena) + operands[0])
    out = ptr8(int(arena) + operands[2])
    table = ptr8(int(release) + operands[3])
    n = operands[1]
    while n > 0:
        out[0] = table[x[0]]
        x = ptr8(int(x) + 1)
        out = ptr8(int(out) + 1)
        n -= 1


@micropython.viper
def combine(v: int, t: int, arena: ptr8, source: ptr8, release: ptr8, o: ptr32, kind: int):
    """Each value with its partner: `kind` 0 the lesser, 1 the greater, as biased bytes compare, 2 ADD, 3 MUL.

    v and t reserve registers: pass 0. `source`: what `b_at` is an offset into, the arena or the release. `o`: the
    step's operands. The multiplier is that of kernels.py, |v| < 2^29; without one |v| < 2^30, so that v and its half
    stay below 2^31.

    Instructions a value (RV32 / Xtensa): lesser or greater 57 / 63, ADD 111 / 118 and 154 / 169 with a multiplier,
    MUL 149 / 169. ADD took 257 / 289 with its two addends multiplied here instead of looked up.
    """
    a = ptr8(int(arena) + o[0])
    first = int(source) + o[1]
    last = first + o[4]
    b = ptr8(first)
    out = ptr8(int(arena) + o[5])
    end = int(out) + o[3]
    if kind > 1:
        a_table = ptr32(int(release) + o[6])
        b_table = ptr32(int(release) + o[7])
        right = o[12]
        half = int(uint(1) << uint(right) >> uint(1))
        low = o[14]
        zero = o[13] - low
        span = o[15] - low
    while int(out) < end:
        v = a[0]
        t = b[0]
        if kind < 2:
            if int(t > v) == kind:
                v = t
        else:
            if kind == 2:
                v = a_table[v] + b_table[t] - o[8]
            else:
                v = ((v - o[6]) * (t - o[7])) << o[8]
            if o[9]:
                h = v >> 15
                v = v & 0x7FFF
                t = (o[10] * v) >> 15
                t = (o[10] * h + t + 32768) >> 1
                t = (o[9] * v + t) >> 15
                v = o[9] * h + t
            if v < 0:
                v -= o[11]
            v = ((v + half) >> right) + zero
            if uint(v) > uint(span):
                v = 0 if v < 0 else span
            v += low
        out[0] = v
        a = ptr8(int(a) + 1)
        out = ptr8(int(out) + 1)
        b = ptr8(int(b) + 1)
        if int(b) == last:
            b = ptr8(first)
