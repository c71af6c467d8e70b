"""Writes the dot-product kernels: one module of the firmware, `dot_N.py`, for each width N of a block of weights.

It runs when the package is built (`payload.py`). What it writes is one page a width, with every multiply-accumulate
written out, because viper has no unrolling; `python firmware/dot_generator.py 16 rv32imc` prints one to read.

The sum is Horner's. 2x + 1 is odd, so it has an inverse modulo 2^32, and with r[k] = (2x[k] + 1) / (2x[k+1] + 1)

    sum(v[k] * (2x[k] + 1)) = (...((v[0] r[0] + v[1]) r[1] + v[2]) ... + v[7]) (2x[7] + 1)

so that the accumulator never leaves its register: load, add, multiply. Eight inputs are a chain; the kernel `units` of
`kernels_dot` makes the factors r. A chain for every eight, instead of one for all, lets a unit be used at any place of
any kernel, and gives a PC, whose multiplier is a pipeline, something to overlap.

Counted, instructions per multiply-accumulate of the sums alone, 64 rows (RV32 / Xtensa, as `mpy-cross` makes them):

    one chain, 64 inputs in locals                           5.40 / 6.43
    chains of 16                                             5.45 / 6.52
    chains of 8                                              5.51 / 6.65    this
    products `v = w[k] * x[k] + v`, 64 inputs in locals      6.34 / 8.36
    products, inputs in memory                               11.9 / 13.2
    width 16 / 32 / 48 / 144, chains of 16 (RV32)            6.41, 5.77, 5.55, 5.27

and of the kernel below, everything that it does included, with a short table:

    width 64                                                 6.83 / 8.18    2.8 KB of code
    width 32, 16                                             8.44, 11.6     1.6 and 1.1 KB
    width 144                                                5.94 / 7.16    5.5 KB: too dear for what it saves
"""

import sys

WIDTHS = (64, 32, 16)
"""The blocks that a row of weights is cut into, from the widest on (FORMAT.md, "Dot table")."""
BYTECODE = "bytecode"
"""Instead of an architecture: boards without the native emitter."""
_UNIT = 8

_MODULE = '''\
"""Dot products of blocks of {width} weights (level 1); written by `firmware/dot_generator.py`, which explains it."""

import micropython


@micropython.viper
def dot(w: ptr8, v: int, arena: ptr8, job: ptr32, places: ptr32, at: int, out_at: int, pixels: int):
    """For each of `pixels`, every row of a block against {width} inputs.

    w is the release, v reserves a register: pass 0. `job`: release offset of the block, rows, 1 for a short table,
    bytes from a pixel's units to the next one's, then zero, low, high. `places`: where each of the block's units lies,
    from arena offset `at` on. At `out_at` in the arena: with a short table the output's bytes, else sums, u32 each,
    that the products are added to. Everything is modulo 2^32 but v behind the last `+`, which is twice the accumulator,
    below 2^23: the products with the multiplier's bytes stay below 2^31.
    """
    first = int(w) + job[0]
    short = job[2]
    low = job[5]
    zero = job[4] - low
    span = job[6] - low
    end = first + job[1] * ({width} + 16 * short)
    at += int(arena)
    out = ptr8(int(arena) + out_at)
    sums = ptr32(int(arena) + out_at)
    while pixels > 0:
{loads}        w = ptr8(first)
        while int(w) < end:
{chains}
            if short:
                v = {signed}
                t = (w[{multiplier}] * v) >> 8
                t = (w[{multiplier} + 1] * v + t) >> 8
                t = (w[{multiplier} + 2] * v + t) >> 8
                v = (w[{multiplier} + 3] * v + t + 128) >> 8
                v = (((v >> 31) + v + ptr32(w)[{words} + 2]) >> ptr32(w)[{words} + 3]) + zero
                if uint(span) < uint(v):
                    v = 0 if v < 0 else span
                out[0] = v + low
                out = ptr8(int(out) + 1)
                w = ptr8(int(w) + {record})
            else:
                sums[0] = sums[0] + v
                sums = ptr32(int(sums) + 4)
                w = ptr8(int(w) + {width})
        at += job[3]
        pixels -= 1
'''


_PAIRS = '''

@micropython.viper
def dot_pairs(w: ptr8, v: int, arena: ptr8, job: ptr32, places: ptr32, at: int, out_at: int, pixels: int):
    """As `dot`, two pixels at a time in the halves of 64-bit numbers; of units with plain factors 2x + 1."""
    first = int(w) + job[0]
    short = job[2]
    low = job[5]
    zero = job[4] - low
    span = job[6] - low
    nudge = 1
    nudge = nudge << 31
    end = first + job[1] * ({width} + 16 * short)
    at += int(arena)
    out = ptr8(int(arena) + out_at)
    sums = ptr32(int(arena) + out_at)
    while pixels > 0:
        beside = 0 if pixels == 1 else 1  # the last one of an odd number is done twice
        other = at + beside * job[3]
        out2 = ptr8(int(out) + beside * job[1])
        sums2 = ptr32(int(sums) + 4 * beside * job[1])
{pair_loads}        w = ptr8(first)
        while int(w) < end:
            v = 0
{products}
            if short:
                base = ptr32(w)[{words}]
                a = ((v - total + base) << 32) >> 32
                b = (((v >> 32) - total2 + base) << 32) >> 32
                multiplier = ptr32(w)[{words} + 1]
                half = ptr32(w)[{words} + 2]
                right = ptr32(w)[{words} + 3]
                a = (a * multiplier + nudge) >> 32
                a = (((a >> 31) + a + half) >> right) + zero
                if uint(a) > uint(span):
                    a = 0 if a < 0 else span
                b = (b * multiplier + nudge) >> 32
                b = (((b >> 31) + b + half) >> right) + zero
                if uint(b) > uint(span):
                    b = 0 if b < 0 else span
                out[0] = a + low
                out2[0] = b + low
                out = ptr8(int(out) + 1)
                out2 = ptr8(int(out2) + 1)
                w = ptr8(int(w) + {record})
            else:
                a = sums[0] + v - total
                sums2[0] = sums2[0] + (v >> 32) - total2
                sums[0] = a
                sums = ptr32(int(sums) + 4)
                sums2 = ptr32(int(sums2) + 4)
                w = ptr8(int(w) + {width})
        out = out2
        sums = sums2
        at += 2 * job[3]
        pixels -= 2
'''

_PLAIN = '''\
"""Dot products of blocks of {width} weights, for boards without the native emitter (level 1).

Written by `firmware/dot_generator.py`. A unit is eight bytes of input, as the plain `kernels_dot` makes them.
"""

from ustruct import pack_into, unpack_from

from .fixed_point import clamp, requantise, word


def dot(w, _v, arena, job, places, at, out_at, pixels):
    """As the native module's."""
    rows_at, m, short, pitch, zero, low, high = unpack_from("<7I", job)
    places = unpack_from("<{units}I", places)
    for _ in range(pixels):
        row = rows_at
        for _ in range(m):
            twice = 0
            for place in places:
                for i in range(at + place, at + place + 8):
                    x = arena[i]  # no slice: what it copies would stay on the heap
                    twice += w[row] * (2 * x + 1) - 256 * x
                    row += 1
            if short:
                base, multiplier, _, right = unpack_from("<i3I", w, row)
                arena[out_at] = clamp(requantise((twice + base) >> 1, multiplier, 0, right) + zero, low, high)
                out_at += 1
                row += 16
            else:
                pack_into("<I", arena, out_at, (word(arena, out_at) + twice) & 0xFFFFFFFF)
                out_at += 4
        at += pitch


dot_pairs = dot  # on a PC
'''


def dot_module(width: int, architecture: str) -> str:
    """The source of `dot_WIDTH` for an architecture, or as plain Python for BYTECODE.

    "x64", where only the virtual board runs, has 64-bit integers: the accumulator must be cut to 32 bits, and a product
    holds two pixels' sums side by side, which makes a network with convolutions 1.6 times as fast there.
    """
    if architecture == BYTECODE:
        return _PLAIN.format(width=width, units=width // _UNIT)
    base = f"v + ptr32(w)[{width // 4}]"
    wide = architecture == "x64"
    return (_MODULE + (_PAIRS if wide else "")).format(
        width=width,
        words=width // 4,
        multiplier=width + 4,
        record=width + 16,
        loads="".join(_load(unit, wide=False) for unit in range(width // _UNIT)),
        pair_loads="".join(_load(unit, wide=True) for unit in range(width // _UNIT)),
        chains="\n".join(_chain(unit) for unit in range(width // _UNIT)),
        products="\n".join(f"            v = w[{k}] * x{k} + v" for k in range(width)),
        signed=f"(({base}) << 32) >> 32" if wide else base,
    )


def _load(unit: int, *, wide: bool) -> str:
    """A unit's eight factors into locals, and what its inputs add to every row; `wide` for two pixels."""
    add = "=" if unit == 0 else "+="
    lines = [f"u = ptr32(at + places[{unit}])"]
    if wide:
        lines += [f"t = ptr32(other + places[{unit}])"]
        lines += [f"x{_UNIT * unit + k} = u[{k}] + (t[{k}] << 32)" for k in range(_UNIT)]
        lines += [f"total {add} u[8]", f"total2 {add} t[8]"]
    else:
        lines += [f"r{_UNIT * unit + k} = u[{k}]" for k in range(_UNIT)]
        lines += [f"total {add} u[8]"]
    return "".join(f"        {line}\n" for line in lines)


def _chain(unit: int) -> str:
    """One statement: eight weights of the row against a unit's factors."""
    first = _UNIT * unit
    text = f"w[{first}] * r{first}"
    for k in range(first + 1, first + _UNIT):
        text = f"({text} + w[{k}]) * r{k}"
    return f"            v = {text} " + ("- total" if unit == 0 else "+ v")


if __name__ == "__main__":
    print(dot_module(int(sys.argv[1]), sys.argv[2]))
