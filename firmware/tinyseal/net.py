"""Plans a release's program once, then runs it without allocating (level 2). The operators are FORMAT.md's.

Planning checks that every step stays inside the arena and the tables, so that no kernel can be led outside them.
"""

from array import array

from . import kernels
from .errors import MEMORY, RELEASE, SealError

_HEADER_WORDS = 7
_QUANTISE_FIXED = 1040  # bytes of the quantise table before its steps
_RIGHT_MAX = 31
_LEFT_MAX = 28


class Net:
    """The network in `release`, whose program lies at `program_at` and whose tables fill `tables_at .. tables_end`.

    Attributes: `output` (array "b", int8 as the model gives them), `input_len`, `output_len`, `arena_len` in bytes.
    SealError(RELEASE) when the program breaks a rule of FORMAT.md, SealError(MEMORY) when the arena cannot be had.
    """

    def __init__(self, release, program_at, program_len, tables_at, tables_end):
        self._release = release
        self._tables = (tables_at, tables_end)
        self._end = program_at + program_len
        if program_len < 4 * _HEADER_WORDS:
            _refuse("program too short")
        self.arena_len = self._word(program_at)
        self._input_at = self._word(program_at + 4)
        self.input_len = self._word(program_at + 8)
        self._output_at = self._word(program_at + 12)
        self.output_len = self._word(program_at + 16)
        self._quantise_at = self._word(program_at + 20)
        self._arena(self._input_at, self.input_len)
        self._arena(self._output_at, self.output_len)
        if not 1 <= self.output_len <= 255:
            _refuse("output of %d values" % self.output_len)
        self._check_quantise(self._quantise_at)
        self._steps = self._plan(program_at + 4 * _HEADER_WORDS, self._word(program_at + 24))
        try:
            self._memory = bytearray(self.arena_len)
        except MemoryError:
            raise SealError(MEMORY, "arena of %d bytes" % self.arena_len)
        self.output = array("b", bytes(self.output_len))
        # Addresses for run(): slices made once, because a slice allocates.
        view = memoryview(self._memory)
        self._input = view[self._input_at :]
        self._result = view[self._output_at :]
        self._quantise = memoryview(release)[self._quantise_at :]

    def _word(self, at):
        r = self._release
        return r[at] | r[at + 1] << 8 | r[at + 2] << 16 | r[at + 3] << 24

    def _arena(self, at, n):
        if n < 1 or at + n > self.arena_len:
            _refuse("%d bytes at %d of an arena of %d" % (n, at, self.arena_len))

    def _table(self, at, n):
        low, end = self._tables
        if at & 3 or at < low or at + n > end:
            _refuse("table of %d bytes at %d" % (n, at))

    def _check_quantise(self, at):
        self._table(at, _QUANTISE_FIXED)
        count = self._word(at + 8)
        self._table(at, _QUANTISE_FIXED + count)
        if self._word(at) > 255 or self._word(at + 12 + 4 * 256) != 0x7FFFFFFF:
            _refuse("quantise table")

    def _plan(self, at, count):
        """-> list of (run function, its operands as a view of the release, and the numbers that it needs from them)."""
        steps = []
        for number in range(count):
            if at + 4 > self._end:
                _refuse("program ends in step %d" % number)
            operator = _OPERATORS.get(self._word(at))
            if operator is None:
                _refuse("step %d: operator %d" % (number, self._word(at)))
            run, words, check = operator
            at += 4
            if at + 4 * words > self._end:
                _refuse("program ends in step %d" % number)
            operands = [self._word(at + 4 * i) for i in range(words)]
            check(self, operands)
            steps.append((run, memoryview(self._release)[at:], operands))
            at += 4 * words
        if not count or at != self._end:
            _refuse("program of %d steps leaves %d bytes" % (count, self._end - at))
        return steps

    def run(self, frame):
        """Quantise the accepted `frame`, run every step, fill `output`; returns the index of the greatest. Allocates nothing."""
        kernels.quantise(frame, 0, 0, self._input, self.input_len, self._quantise)
        release = self._release
        memory = self._memory
        for run, operands, numbers in self._steps:
            run(release, memory, operands, numbers)
        return kernels.finish(self._result, self.output_len, self.output)


def _refuse(what):
    raise SealError(RELEASE, what)


def _check_rows(net, k, rows_at, m, zero, low, high):
    """The shared tail of ROWS and CONV, and every row's shifts."""
    if not 1 <= k <= 16384 or not m or zero > 255 or low > high or high > 255:
        _refuse("rows of %d inputs" % k)
    size = ((k + 3) & ~3) + 20
    net._table(rows_at, m * size)
    for row in range(rows_at, rows_at + m * size, size):
        _check_multiplier([net._word(row + size - 16 + 4 * i) for i in range(4)])


def _check_multiplier(words):
    hi, lo, left, right = words
    if hi >> 15 or lo >> 16 or left > _LEFT_MAX or right > _RIGHT_MAX:
        _refuse("multiplier out of range")


def _check_dense(net, o):
    in_at, step, pixels, k, rows_at, m, out_at, zero, low, high = o
    _check_rows(net, k, rows_at, m, zero, low, high)
    if not pixels:
        _refuse("no pixels")
    net._arena(in_at, (pixels - 1) * step + k)
    net._arena(out_at, pixels * m)


def _dense(release, arena, operands, o):
    # operands[12:] would allocate: the kernel takes the address of operand 3 through an offset view made when planning
    kernels.rows(0, 0, 0, operands, release, 0, 0, arena)


def _run_conv(release, arena, operands, o):
    pass


_OPERATORS = {}
