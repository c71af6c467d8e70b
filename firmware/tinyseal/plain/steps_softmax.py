"""Softmax on int8, for boards without the native emitter: FORMAT.md's SOFTMAX, symbol by symbol."""

from .fixed_point import scaled, word


def softmax(_a, _b, arena, exp, in_at, depth, out_at):
    """One row of FORMAT.md's SOFTMAX. exp: its table."""
    top = max(arena[in_at + i] for i in range(depth))
    total = 0
    for i in range(depth):
        total += (word(exp, 4 * (top - arena[in_at + i])) + 0x800) >> 12
    shift = 35  # less h, the zero bits before the first one of the sum
    while not total & 0x80000000:
        total <<= 1
        shift -= 1
    d = total >> 1
    r = 1515870810 + scaled(d, -1010580540)
    for _ in range(3):
        r += 4 * scaled(r, 0x20000000 - scaled(d, r))
    scale = 0x7FFFFFFF if r >> 30 else 2 * r
    for i in range(depth):
        e = scaled(scale, word(exp, 4 * (top - arena[in_at + i])))
        arena[out_at + i] = min(255, (e + (1 << (shift - 1))) >> shift)
