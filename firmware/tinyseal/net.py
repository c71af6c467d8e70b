"""Plans a release's program once, then runs it without allocating (level 2). The operators are FORMAT.md's.

Planning checks that every step stays inside the arena and the tables, so that no kernel can be led outside them.
"""

from micropython import const
from uarray import array

from . import kernels
from .errors import MEMORY, RELEASE, SealError
from .memory import wipe

_HEADER_WORDS = const(7)
_QUANTISE_FIXED = const(1040)  # bytes of the quantise table before its steps
_THRESHOLDS = const(257)
_ROW_WORDS = const(5)
_K_MAX = const(16384)  # 255 * 255 * k stays below 2^31
_PIXELS_MAX = const(8421504)  # 255 * pixels stays below 2^31
_RIGHT_MAX = const(31)
_LEFT_MAX = const(28)


def _refuse(what):
    raise SealError(RELEASE, "program: " + what)


class _Layout:
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
            _refuse("ends inside a step")
        return [self.word(at + 4 * i) for i in range(n)]

    def arena(self, at, n):
        if n < 1 or at + n > self.arena_len:
            _refuse("%d bytes at %d of an arena of %d" % (n, at, self.arena_len))

    def table(self, at, n):
        if at & 3 or at < self.tables_at or at + n > self.tables_end:
            _refuse("table of %d bytes at %d" % (n, at))

    def multiplier(self, hi, lo, left, right):
        if hi >> 15 or lo >> 16 or left > _LEFT_MAX or right > _RIGHT_MAX:
            _refuse("multiplier out of range")

    def clamp(self, zero, low, high):
        if zero > 255 or low > high or high > 255:
            _refuse("clamp %d..%d about %d" % (low, high, zero))

    def rows(self, k, rows_at, m):
        """A rows table, and every row's shifts."""
        if not 1 <= k <= _K_MAX or not m:
            _refuse("%d rows of %d weights" % (m, k))
        size = ((k + 3) & ~3) + 4 * _ROW_WORDS
        self.table(rows_at, m * size)
        for row in range(rows_at + size, rows_at + (m + 1) * size, size):
            self.multiplier(self.word(row - 16), self.word(row - 12), self.word(row - 8), self.word(row - 4))

    def quantise(self, at):
        """The quantise table; its sentinel is what ends the kernel's search."""
        self.table(at, _QUANTISE_FIXED)
        count = self.word(at + 8)
        self.table(at, _QUANTISE_FIXED + count)
        thresholds = at + 12
        if self.word(at) > 255 or self.word(thresholds + 4 * (_THRESHOLDS - 1)) != 0x7FFFFFFF:
            _refuse("quantise table")
        for next_at in range(thresholds + 4, thresholds + 4 * _THRESHOLDS, 4):
            if self.word(next_at - 4) > self.word(next_at):
                _refuse("thresholds do not ascend")


class _Rows:
    WORDS = 10

    def __init__(self, layout, at, operands):
        self._in_at, self._step, self._pixels, k, rows_at, m, self._out_at, zero, low, high = operands
        layout.rows(k, rows_at, m)
        layout.clamp(zero, low, high)
        layout.arena(self._in_at, (self._pixels - 1) * self._step + k if self._pixels else 0)
        layout.arena(self._out_at, self._pixels * m)
        self._layer = memoryview(layout.release)[at + 12 :]

    def run(self, model, arena):
        kernels.rows(model, arena, 0, self._layer, self._in_at, self._step, self._pixels, self._out_at)


class _Conv:
    WORDS = 23

    def __init__(self, layout, at, operands):
        in_at, in_h, in_w, c, kernel_h, kernel_w = operands[:6]
        pad, self._scratch_at, self._out_h, self._out_w, k, rows_at, m, self._out_at, zero, low, high = operands[12:]
        layout.rows(k, rows_at, m)
        layout.clamp(zero, low, high)
        if k != kernel_h * kernel_w * c or pad > 255 or not self._out_h or not self._out_w:
            _refuse("convolution of %d by %d pixels with %d weights" % (self._out_h, self._out_w, k))
        if max(operands[1:12]) >> 16 or max(self._out_h, self._out_w) >> 15:
            _refuse("convolution too large")  # what the patches' coordinates are made of: products below 2^31
        layout.arena(in_at, in_h * in_w * c)
        layout.arena(self._scratch_at, self._out_w * k)
        layout.arena(self._out_at, self._out_h * self._out_w * m)
        view = memoryview(layout.release)
        self._operands = view[at:]
        self._layer = view[at + 64 :]
        self._k = k
        self._row = self._out_w * m

    def run(self, model, arena):
        out_at = self._out_at
        for y in range(self._out_h):
            kernels.patches(self._operands, arena, y)
            kernels.rows(model, arena, 0, self._layer, self._scratch_at, self._k, self._out_w, out_at)
            out_at += self._row


class _Mean:
    WORDS = 12

    def __init__(self, layout, at, operands):
        in_at, pixels, c, out_at, _, hi, lo, left, right, zero, low, high = operands
        if not 1 <= pixels <= _PIXELS_MAX:
            _refuse("mean over %d pixels" % pixels)
        layout.multiplier(hi, lo, left, right)
        layout.clamp(zero, low, high)
        layout.arena(in_at, pixels * c)
        layout.arena(out_at, c)
        self._operands = memoryview(layout.release)[at:]

    def run(self, model, arena):
        kernels.mean(self._operands, arena)


class _Softmax:
    WORDS = 6

    def __init__(self, layout, at, operands):
        self._in_at, self._rows, self._depth, scratch_at, self._out_at, table_at = operands
        if not 1 <= self._depth <= 255 or scratch_at & 3:
            _refuse("softmax over %d values" % self._depth)
        layout.arena(self._in_at, self._rows * self._depth)
        layout.arena(self._out_at, self._rows * self._depth)
        layout.arena(scratch_at, 8)
        layout.table(table_at, 1024)
        if layout.word(table_at) != 0x7FFFFFFF:  # exp(0): keeps the sum of a row from being zero
            _refuse("exponential table")
        self._scratch_at = scratch_at
        self._exp = memoryview(layout.release)[table_at:]

    def run(self, model, arena):
        at = 0
        for _ in range(self._rows):
            top = kernels.softmax_sum(arena, self._in_at + at, self._depth, self._exp, self._scratch_at)
            kernels.softmax_reciprocal(arena, self._scratch_at)
            kernels.softmax_scale(
                arena, self._in_at + at, self._depth, self._exp, self._scratch_at, top, self._out_at + at
            )
            at += self._depth


_OPERATORS = {1: _Rows, 2: _Conv, 3: _Mean, 4: _Softmax}  # type: dict


class Net:
    """The network of the bytearray `release`, whose program and tables lie at these offsets.

    Attributes: `output` (array "b", int8 as the model gives them), `input_len`, `output_len`, `arena_len` in bytes.
    SealError(RELEASE) when the program breaks a rule of FORMAT.md, SealError(MEMORY) when the arena cannot be had.
    """

    def __init__(self, release, program_at, program_len, tables_at, tables_len):
        if program_len < 4 * _HEADER_WORDS:
            _refuse("of %d bytes" % program_len)
        layout = _Layout(release, program_at + program_len, tables_at, tables_at + tables_len)
        header = layout.words(program_at, _HEADER_WORDS)
        self.arena_len, input_at, self.input_len, output_at, self.output_len, quantise_at, count = header
        layout.arena_len = self.arena_len
        layout.arena(input_at, self.input_len)
        layout.arena(output_at, self.output_len)
        if self.output_len > 255:
            _refuse("output of %d values" % self.output_len)
        layout.quantise(quantise_at)
        try:
            self._arena = bytearray(self.arena_len)  # before the plan's small objects can lie in its way
        except MemoryError:
            raise SealError(MEMORY, "arena of %d bytes" % self.arena_len)
        self._steps = _plan(layout, program_at + 4 * _HEADER_WORDS, count)
        self.output = array("b", bytes(self.output_len))
        self._model = release
        # Slices allocate: made here, once.
        self._input = memoryview(self._arena)[input_at:]
        self._output = memoryview(self._arena)[output_at:]
        self._quantise = memoryview(release)[quantise_at:]

    def run(self, frame):
        """Quantise the accepted `frame`, run every step, fill `output`; the index of its greatest. Allocates none."""
        kernels.quantise(frame, 0, 0, self._input, self.input_len, self._quantise)
        model = self._model
        arena = self._arena
        for step in self._steps:
            step.run(model, arena)
        return kernels.finish(self._output, self.output_len, self.output)

    def wipe(self):
        """Overwrite activations and output."""
        wipe(self._arena)
        wipe(self.output)


def _plan(layout, at, count):
    """One object a step, whose `run(model, arena)` allocates nothing."""
    steps = []  # type: list
    for _ in range(count):
        (number,) = layout.words(at, 1)
        if number not in _OPERATORS:
            _refuse("step %d has operator %d" % (len(steps), number))
        operator = _OPERATORS[number]
        at += 4
        steps.append(operator(layout, at, layout.words(at, operator.WORDS)))
        at += 4 * operator.WORDS
    if not count or at != layout.program_end:
        _refuse("%d steps leave %d bytes" % (count, layout.program_end - at))
    return steps
