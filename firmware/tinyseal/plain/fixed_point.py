"""What the plain kernels share: words of a table, and gemmlowp's requantisation in plain integers (level 0).

The kernels copy neither weights nor activations, which would stay on the heap: they index release and arena.
"""


def word(table, at):
    """The i32 at byte offset `at`; of one below 2^30 in size no object is made."""
    return table[at] | table[at + 1] << 8 | table[at + 2] << 16 | ((table[at + 3] ^ 128) - 128) << 24


def scaled(value, multiplier):
    """value * multiplier / 2^31, to the nearest, a half upwards."""
    return (value * multiplier + 0x40000000) >> 31


def requantise(acc, multiplier, left, right):
    """acc * 2^left * multiplier / 2^31, then / 2^right, each rounded as FORMAT.md's "Rows table" says."""
    t = scaled(acc << left, multiplier)
    if right:
        t = (t + (1 << (right - 1)) - (t < 0)) >> right
    return t


def clamp(value, low, high):
    return low if value < low else high if value > high else value
