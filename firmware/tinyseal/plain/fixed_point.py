"""What the plain kernels have in common: words of a table, and gemmlowp's requantisation in plain integers (level 0).

The kernels copy no weights: they index the release, and a record's words become integers one at a time.
"""


def word(table, at):
    """The i32 at byte offset `at`; of a bias below 2^30 in size no object is made."""
    return table[at] | table[at + 1] << 8 | table[at + 2] << 16 | ((table[at + 3] ^ 128) - 128) << 24


def requantise(acc, hi, lo, left, right):
    """acc * 2^left * multiplier / 2^31, then / 2^right, each rounded as FORMAT.md's "Rows table" says."""
    t = ((acc << left) * (hi << 16 | lo) + 0x40000000) >> 31
    if right:
        t = (t + (1 << (right - 1)) - (t < 0)) >> right
    return t


def requantise_row(acc, table, at):
    """requantise() with the multiplier and shifts of the record whose words begin at byte offset `at`."""
    return requantise(acc, word(table, at + 4), word(table, at + 8), word(table, at + 12), word(table, at + 16))


def clamp(value, low, high):
    return low if value < low else high if value > high else value
