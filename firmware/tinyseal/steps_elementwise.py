"""MAP, ADD, MUL, MINIMUM and MAXIMUM: their leaves and their steps, whose `run` allocates nothing (level 2)."""

import micropython

from .layout import refuse


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

    Instructions a value (RV32 / Xtensa): lesser or greater 57 / 63, ADD 111 / 118 and 152 / 167 with a multiplier,
    MUL 147 / 167. ADD took 257 / 289 with its two addends multiplied here instead of looked up.
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
            v = a_table[v] + b_table[t] - o[8] if kind == 2 else ((v - o[6]) * (t - o[7])) << o[8]
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


class Map:
    WORDS = 4

    def __init__(self, layout, at, operands):
        in_at, length, out_at, table_at = operands
        layout.arena(in_at, length)
        layout.arena(out_at, length)
        layout.table(table_at, 256)
        self._operands = layout.view(at)

    def run(self, model, arena):
        map_bytes(arena, arena, self._operands, model)


class Minimum:
    """What has two operands: the first six words of a step are the same for all of them."""

    WORDS = 6
    kind = 0

    def __init__(self, layout, at, operands):
        a_at, b_at, self._b_constant, length, period, out_at = operands[:6]
        if self._b_constant > 1 or not period or length % period:
            refuse("period")
        layout.arena(a_at, length)
        layout.arena(out_at, length)
        if self._b_constant:
            layout.table(b_at, period)
        else:
            layout.arena(b_at, period)
        self._operands = layout.view(at)

    def run(self, model, arena):
        combine(0, 0, arena, model if self._b_constant else arena, model, self._operands, self.kind)


class Maximum(Minimum):
    WORDS = 6
    kind = 1


class Add(Minimum):
    WORDS = 16
    kind = 2

    def __init__(self, layout, at, operands):
        super().__init__(layout, at, operands)
        a_table_at, b_table_at, _, hi, lo, _, right = operands[6:13]
        layout.table(a_table_at, 1024)
        layout.table(b_table_at, 1024)
        layout.multiplier(hi, lo, 0, right)
        layout.clamp(operands)


class Mul(Minimum):
    WORDS = 16
    kind = 3

    def __init__(self, layout, at, operands):
        super().__init__(layout, at, operands)
        a_zero, b_zero, left, hi, lo, _, right = operands[6:13]
        if max(a_zero, b_zero) > 255:
            refuse("zero point")
        layout.multiplier(hi, lo, left, right)
        layout.clamp(operands)
