"""Holds a program's operands against arena, tables and each other's rules (level 1): FORMAT.md's "Program header".

What passes here cannot lead a kernel outside of arena and tables.
"""

from micropython import const
from uarray import array

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
    """Reads words of the release, and holds offsets against arena, tables and program. The host says more of what is wrong."""

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
            refuse("end")
        return [self.word(at + 4 * i) for i in range(n)]

    def arena(self, at, n):
        if n < 1 or at + n > self.arena_len:
            refuse("arena")

    def scratch(self, at, n):
        if at & 3:
            refuse("scratch")
        self.arena(at, n)

    def table(self, at, n):
        if at & 3 or at < self.tables_at or at + n > self.tables_end:
            refuse("table")

    def multiplier(self, hi, lo, left, right):
        if hi >> 15 or lo >> 16 or left > _LEFT_MAX or right > _RIGHT_MAX:
            refuse("multiplier")

    def clamp(self, operands):
        zero, low, high = operands[-3:]
        if zero > 255 or low > high or high > 255:
            refuse("clamp")

    def image(self, sizes, paddings, out_h, out_w):
        """What places in an image are computed from: 32 bits must hold the products of two."""
        if not 1 <= min(sizes) <= max(sizes) < 1 << 16 or max(paddings) >> 16:
            refuse("image")
        if not 1 <= min(out_h, out_w) <= max(out_h, out_w) < 1 << 15:
            refuse("output")

    def convolution(self, operands, k, out_h, out_w):
        """CONV's and RING_CONV's operands up to `pad`."""
        in_at, in_h, in_w, c, kernel_h, kernel_w = operands[:6]
        self.image(operands[1:10], operands[10:12], out_h, out_w)
        if k != kernel_h * kernel_w * c or operands[12] > 255:
            refuse("convolution")
        self.arena(in_at, in_h * in_w * c)

    def strip(self, strip, pixels):
        if not 1 <= strip <= pixels < 1 << 24:
            refuse("strip")

    def records(self, at, m):
        """Records of five words, one for each of m rows."""
        end = at + 4 * _ROW_WORDS * m
        self.table(at, end - at)
        for record in range(at, end, 4 * _ROW_WORDS):
            self.multiplier(*[self.word(record + 4 * i) for i in range(1, _ROW_WORDS)])

    def short_records(self, at, m, size, right_max):
        """Records of `size` bytes, the last three words of each a multiplier, 2^(right - 1) and right."""
        self.table(at, size * m)
        for words in range(at + size - 12, at + size * m, size):
            right = self.word(words + 8)
            if self.word(words) >> 31 or not 1 <= right <= right_max or self.word(words + 4) != 1 << right >> 1:
                refuse("multiplier")

    def rows(self, k, rows_at, m):
        """A rows table; where its records are."""
        if not 1 <= k <= _K_MAX or not m:
            refuse("rows")
        self.table(rows_at, k * m)
        records_at = (rows_at + k * m + 3) & ~3
        self.records(records_at, m)
        return records_at

    def dots(self, k, rows_at, m, short):
        """A dot table."""
        padded = (k + 15) & -16
        if not 1 <= k <= _K_MAX or not m or short > 1:
            refuse("rows")
        if not short:
            self.table(rows_at, padded)
            self.records(rows_at + m * padded, m)
        elif padded in WIDTHS:
            self.short_records(rows_at, m, padded + 16, _RIGHT_MAX)
        else:
            refuse("rows")

    def job(self, records_at, m, operands, twice=0):
        """What `kernels.requantise` takes, with the step's last three operands."""
        return array("I", [records_at, m, twice, 0] + operands[-3:])

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
                refuse("thresholds")
