"""Holds a program's operands against arena, tables and each other's rules (level 1): FORMAT.md's "Program header".

What passes here cannot lead a kernel outside of arena and tables.
"""

from micropython import const

from .errors import RELEASE, SealError

_QUANTISE_FIXED = const(1040)  # bytes of the quantise table before its steps
_THRESHOLDS = const(257)
_ROW_WORDS = const(5)
_K_MAX = const(16384)  # 255 * 255 * k stays below 2^31
WIDTHS = (64, 32, 16)
"""Into blocks of these the rows of a dot table are cut, from the widest on."""
UNIT_LEN = const(36)
_RIGHT_MAX = const(31)
_LEFT_MAX = const(28)


def refuse(what):
    """SealError(RELEASE) about the program."""
    raise SealError(RELEASE, "program: " + what)


class Layout:
    """Reads words of the release, and holds offsets against arena, tables and program."""

    def __init__(self, release, program_end, tables_at, tables_end):
        self.release = release
        self.program_end = program_end
        self.tables_at = tables_at
        self.tables_end = tables_end
        self.arena_len = 0

    def word(self, at):
        r = self.release
        return r[at] | r[at + 1] << 8 | r[at + 2] << 16 | r[at + 3] << 24

    def words(self, at, n):
        if at + 4 * n > self.program_end:
            refuse("ends inside a step")
        return [self.word(at + 4 * i) for i in range(n)]

    def arena(self, at, n):
        if n < 1 or at + n > self.arena_len:
            refuse("%d bytes at %d of an arena of %d" % (n, at, self.arena_len))

    def table(self, at, n):
        if at & 3 or at < self.tables_at or at + n > self.tables_end:
            refuse("table of %d bytes at %d" % (n, at))

    def multiplier(self, hi, lo, left, right):
        if hi >> 15 or lo >> 16 or left > _LEFT_MAX or right > _RIGHT_MAX:
            refuse("multiplier out of range")

    def clamp(self, zero, low, high):
        if zero > 255 or low > high or high > 255:
            refuse("clamp %d..%d about %d" % (low, high, zero))

    def image(self, sizes, paddings, out_h, out_w):
        """What places in an image are computed from: 32 bits must hold the products of two."""
        if not 1 <= min(sizes) <= max(sizes) < 1 << 16 or max(paddings) >> 16:
            refuse("image of %d by %d pixels, or its kernel" % (sizes[0], sizes[1]))
        if not 1 <= min(out_h, out_w) <= max(out_h, out_w) < 1 << 15:
            refuse("output of %d by %d pixels" % (out_h, out_w))

    def rows(self, k, rows_at, m):
        """A rows table, and every row's shifts."""
        if not 1 <= k <= _K_MAX or not m:
            refuse("%d rows of %d weights" % (m, k))
        size = ((k + 3) & ~3) + 4 * _ROW_WORDS
        self.table(rows_at, m * size)
        for row in range(rows_at + size, rows_at + (m + 1) * size, size):
            self.multiplier(self.word(row - 16), self.word(row - 12), self.word(row - 8), self.word(row - 4))

    def dots(self, k, rows_at, m, short):
        """A dot table: its place, and every row's shifts."""
        padded = (k + 15) & -16
        if not 1 <= k <= _K_MAX or not m or short > 1 or (short and padded not in WIDTHS):
            refuse("%d rows of %d weights, short %d" % (m, k, short))
        record = padded + 16 if short else 4 * _ROW_WORDS
        at = rows_at if short else rows_at + m * padded
        self.table(rows_at, at - rows_at + m * record)
        for end in range(at + record, at + (m + 1) * record, record):
            if not short:
                self.multiplier(self.word(end - 16), self.word(end - 12), self.word(end - 8), self.word(end - 4))
            elif not 1 <= self.word(end - 4) <= _RIGHT_MAX or self.word(end - 8) != 1 << self.word(end - 4) >> 1:
                refuse("shift out of range")
            elif self.word(end - 12) >> 31:
                refuse("multiplier out of range")

    def depthwise3x3(self, rows_at, c):
        """The table of 3x3 weights: its place, and every row's shifts."""
        self.table(rows_at, 28 * c)
        for end in range(rows_at + 28, rows_at + 28 * (c + 1), 28):
            right = self.word(end - 4)
            if not 1 <= right <= 22 or self.word(end - 8) != 1 << right >> 1 or self.word(end - 12) >> 31:
                refuse("multiplier out of range")

    def strip(self, strip, pixels):
        if not 1 <= strip <= pixels < 1 << 24:
            refuse("%d pixels, %d at a time" % (pixels, strip))

    def scratch(self, at, n):
        if at & 3:
            refuse("scratch at %d" % at)
        self.arena(at, n)

    def convolution(self, operands, k, out_h, out_w):
        """CONV's and RING_CONV's operands up to `pad`."""
        in_at, in_h, in_w, c, kernel_h, kernel_w = operands[:6]
        self.image(operands[1:10], operands[10:12], out_h, out_w)
        if k != kernel_h * kernel_w * c or operands[12] > 255:
            refuse("convolution of %d by %d pixels with %d weights" % (out_h, out_w, k))
        self.arena(in_at, in_h * in_w * c)

    def quantise(self, at):
        """The quantise table; its sentinel is what ends the kernel's search."""
        self.table(at, _QUANTISE_FIXED)
        count = self.word(at + 8)
        self.table(at, _QUANTISE_FIXED + count)
        thresholds = at + 12
        if self.word(at) > 255 or self.word(thresholds + 4 * (_THRESHOLDS - 1)) != 0x7FFFFFFF:
            refuse("quantise table")
        for next_at in range(thresholds + 4, thresholds + 4 * _THRESHOLDS, 4):
            if self.word(next_at - 4) > self.word(next_at):
                refuse("thresholds do not ascend")
