"""What the rules for steps are made of: places in arena and tables, multipliers, windows, tables (FORMAT.md)."""

from __future__ import annotations

from .errors import Refusal, RefusedError
from .program import Program, Step

_K_MAX = 16384
_LEFT_MAX, _RIGHT_MAX = 28, 31
_ROW_WORDS = 5
DOT_WIDTHS = (64, 32, 16)
"""Of the blocks of a dot table, from the widest on."""
UNIT_LEN = 36
"""Bytes of scratch for eight inputs."""
_PIXELS_BITS = 24
_SIZES = ("in_h", "in_w", "c", "kernel_h", "kernel_w", "stride_h", "stride_w", "dilation_h", "dilation_w")


class Checks:
    """One program and its tables."""

    def __init__(self, program: Program, tables: bytes, tables_at: int) -> None:
        self.arena_len = program.arena_len
        self._tables = tables
        self._tables_at = tables_at

    def word(self, at: int) -> int:
        """A u32 of the tables by its release offset."""
        at -= self._tables_at
        return int.from_bytes(self._tables[at : at + 4], "little")

    def arena(self, at: int, length: int) -> None:
        """`length` bytes, at least one, inside the arena."""
        if length < 1 or at + length > self.arena_len:
            raise refused(f"{length} bytes at {at} of an arena of {self.arena_len}")

    def multiplier(self, high: int, low: int, left: int, right: int) -> None:
        """The four numbers of a requantisation."""
        if high >> 15 or low >> 16 or left > _LEFT_MAX or right > _RIGHT_MAX:
            raise refused(f"multiplier {high}, {low} with shifts {left}, {right} is out of range")

    def clamp(self, step: Step) -> None:
        """The output's zero point and limits."""
        zero, low, high = (step.operands[name] for name in ("zero", "low", "high"))
        if zero > 255 or high > 255 or low > high:
            raise refused(f"clamp to {low}..{high} about {zero}")

    def window(self, step: Step, *, cells: int) -> None:
        """The sizes and strides under a kernel of `cells` weights or cells, `out_h` and `out_w`."""
        o = step.operands
        sizes = [o[name] for name in _SIZES if name in o]
        pads = [o["pad_top"], o["pad_left"]]
        if min(sizes) < 1 or max(sizes + pads) >> 16 or max(o["out_h"], o["out_w"]) >> 15:
            raise refused(f"window of {o['out_h']} by {o['out_w']} positions is out of range")
        if not 1 <= cells <= _K_MAX or cells != o["kernel_h"] * o["kernel_w"] or not o["out_h"] or not o["out_w"]:
            raise refused(f"window of {o['out_h']} by {o['out_w']} positions with {cells} cells")
        self.arena(o["in_at"], o["in_h"] * o["in_w"] * o["c"])

    def padded(self, k: int) -> int:
        """Bytes of a row of a dot table."""
        return -(-k // DOT_WIDTHS[-1]) * DOT_WIDTHS[-1]

    def dots(self, step: Step) -> None:
        """The dot table of a step, whose place was checked before, and its clamp."""
        k, m, short = (step.operands[name] for name in ("k", "m", "short"))
        if not 1 <= k <= _K_MAX or not m or short > 1 or (short and self.padded(k) not in DOT_WIDTHS):
            raise refused(f"{m} rows of {k} weights, short {short}")
        at = step.operands["rows_at"]
        end = at + step.table_bytes
        record = step.table_bytes // m if short else 4 * _ROW_WORDS
        for row_end in range(end - (m - 1) * record, end + record, record):
            words = [self.word(row_end - 16 + 4 * i) for i in range(4)]
            if not short:
                self.multiplier(*words)
            elif words[1] >> 31 or not 1 <= words[3] <= _RIGHT_MAX or words[2] != 1 << words[3] >> 1:
                raise refused(f"multiplier {words[1]} with half {words[2]} and shift {words[3]} is out of range")
        self.clamp(step)

    def units_and_sums(self, step: Step) -> int:
        """Bytes of scratch for one pixel."""
        o = step.operands
        widest = next(width for width in DOT_WIDTHS if width <= self.padded(o["k"]))
        return widest // 8 * UNIT_LEN + (0 if o["short"] else 4 * o["m"])

    def strip(self, strip: int, pixels: int) -> None:
        """How many pixels share a turn."""
        if not 1 <= strip <= pixels < 1 << _PIXELS_BITS:
            raise refused(f"{pixels} pixels, {strip} at a time")

    def scratch(self, at: int, length: int) -> None:
        """Aligned bytes of the arena."""
        if at & 3:
            raise refused(f"scratch at {at}")
        self.arena(at, length)

    def convolution(self, step: Step) -> None:
        """The image, the kernel and the padding of a convolution."""
        o = step.operands
        sizes = [o[name] for name in _SIZES]
        if min(sizes) < 1 or max(*sizes, o["pad_top"], o["pad_left"]) >> 16:
            raise refused(f"image of {o['in_h']} by {o['in_w']} pixels, or its kernel")
        if not 1 <= min(o["out_h"], o["out_w"]) <= max(o["out_h"], o["out_w"]) < 1 << 15:
            raise refused(f"output of {o['out_h']} by {o['out_w']} pixels")
        if o["k"] != o["kernel_h"] * o["kernel_w"] * o["c"] or o["pad"] > 255:
            raise refused(f"convolution with {o['k']} weights")
        self.arena(o["in_at"], o["in_h"] * o["in_w"] * o["c"])

    def rows(self, step: Step) -> None:
        """The rows table of a step, whose place was checked before."""
        k, m, at = (step.operands[name] for name in ("k", "m", "rows_at"))
        if not 1 <= k <= _K_MAX or not m:
            raise refused(f"{m} rows of {k} weights")
        end = at + step.table_bytes
        for record in range(end - m * 4 * _ROW_WORDS, end, 4 * _ROW_WORDS):
            self.multiplier(*(self.word(record + 4 * i) for i in range(1, _ROW_WORDS)))


def refused(message: str) -> RefusedError:
    """RELEASE, in the words of this part."""
    return RefusedError(Refusal.RELEASE, f"release: program: {message}")
