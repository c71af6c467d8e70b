"""What the steps of a program may do: FORMAT.md's rules for operands, arena and tables, as a board holds them."""

from __future__ import annotations

from collections.abc import Callable

from .errors import Refusal, RefusedError
from .program import Program, Step

_K_MAX = 16384
_PIXELS_MAX = 8421504
_DEPTH_MAX = 255
_LEFT_MAX, _RIGHT_MAX = 28, 31
_ROW_WORDS = 5
_DOT_WIDTHS = (64, 32, 16)
_UNIT_LEN = 36
_DEPTHWISE3X3_RIGHT = 22
_PIXELS_BITS = 24
_COPY_BITS = 24
_SIZES = ("in_h", "in_w", "c", "kernel_h", "kernel_w", "stride_h", "stride_w", "dilation_h", "dilation_w")
_POOL_DOWN = ("in_h", "kernel_h", "stride_h", "pad_top", "out_h")
_POOL_ACROSS = ("in_w", "kernel_w", "stride_w", "pad_left", "out_w")
_EXP_OF_0 = 0x7FFFFFFF


class _Rules:
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
            raise _refused(f"{length} bytes at {at} of an arena of {self.arena_len}")

    def multiplier(self, high: int, low: int, left: int, right: int) -> None:
        """The four numbers of a requantisation."""
        if high >> 15 or low >> 16 or left > _LEFT_MAX or right > _RIGHT_MAX:
            raise _refused(f"multiplier {high}, {low} with shifts {left}, {right} is out of range")

    def clamp(self, step: Step) -> None:
        """The output's zero point and limits."""
        zero, low, high = (step.operands[name] for name in ("zero", "low", "high"))
        if zero > 255 or high > 255 or low > high:
            raise _refused(f"clamp to {low}..{high} about {zero}")

    def window(self, step: Step, *, cells: int) -> None:
        """The sizes and strides under a kernel of `cells` weights or cells, `out_h` and `out_w`."""
        o = step.operands
        sizes = [o[name] for name in _SIZES if name in o]
        pads = [o["pad_top"], o["pad_left"]]
        if min(sizes) < 1 or max(sizes + pads) >> 16 or max(o["out_h"], o["out_w"]) >> 15:
            raise _refused(f"window of {o['out_h']} by {o['out_w']} positions is out of range")
        if not 1 <= cells <= _K_MAX or cells != o["kernel_h"] * o["kernel_w"] or not o["out_h"] or not o["out_w"]:
            raise _refused(f"window of {o['out_h']} by {o['out_w']} positions with {cells} cells")
        self.arena(o["in_at"], o["in_h"] * o["in_w"] * o["c"])

    def padded(self, k: int) -> int:
        """Bytes of a row of a dot table."""
        return -(-k // _DOT_WIDTHS[-1]) * _DOT_WIDTHS[-1]

    def dots(self, step: Step) -> None:
        """The dot table of a step, whose place was checked before, and its clamp."""
        k, m, short = (step.operands[name] for name in ("k", "m", "short"))
        if not 1 <= k <= _K_MAX or not m or short > 1 or (short and self.padded(k) not in _DOT_WIDTHS):
            raise _refused(f"{m} rows of {k} weights, short {short}")
        at = step.operands["rows_at"]
        end = at + step.table_bytes
        record = step.table_bytes // m if short else 4 * _ROW_WORDS
        for row_end in range(end - (m - 1) * record, end + record, record):
            words = [self.word(row_end - 16 + 4 * i) for i in range(4)]
            if not short:
                self.multiplier(*words)
            elif words[1] >> 31 or not 1 <= words[3] <= _RIGHT_MAX or words[2] != 1 << words[3] >> 1:
                raise _refused(f"multiplier {words[1]} with half {words[2]} and shift {words[3]} is out of range")
        self.clamp(step)

    def units_and_sums(self, step: Step) -> int:
        """Bytes of scratch for one pixel."""
        o = step.operands
        widest = next(width for width in _DOT_WIDTHS if width <= self.padded(o["k"]))
        return widest // 8 * _UNIT_LEN + (0 if o["short"] else 4 * o["m"])

    def strip(self, strip: int, pixels: int) -> None:
        """How many pixels share a turn."""
        if not 1 <= strip <= pixels < 1 << _PIXELS_BITS:
            raise _refused(f"{pixels} pixels, {strip} at a time")

    def scratch(self, at: int, length: int) -> None:
        """Aligned bytes of the arena."""
        if at & 3:
            raise _refused(f"scratch at {at}")
        self.arena(at, length)

    def convolution(self, step: Step) -> None:
        """The image, the kernel and the padding of a convolution."""
        o = step.operands
        sizes = [o[name] for name in _SIZES]
        if min(sizes) < 1 or max(*sizes, o["pad_top"], o["pad_left"]) >> 16:
            raise _refused(f"image of {o['in_h']} by {o['in_w']} pixels, or its kernel")
        if not 1 <= min(o["out_h"], o["out_w"]) <= max(o["out_h"], o["out_w"]) < 1 << 15:
            raise _refused(f"output of {o['out_h']} by {o['out_w']} pixels")
        if o["k"] != o["kernel_h"] * o["kernel_w"] * o["c"] or o["pad"] > 255:
            raise _refused(f"convolution with {o['k']} weights")
        self.arena(o["in_at"], o["in_h"] * o["in_w"] * o["c"])

    def rows(self, step: Step) -> None:
        """The rows table of a step, whose place was checked before."""
        k, m, at = (step.operands[name] for name in ("k", "m", "rows_at"))
        if not 1 <= k <= _K_MAX or not m:
            raise _refused(f"{m} rows of {k} weights")
        end = at + step.table_bytes
        for record in range(end - m * 4 * _ROW_WORDS, end, 4 * _ROW_WORDS):
            self.multiplier(*(self.word(record + 4 * i) for i in range(1, _ROW_WORDS)))


def _rows(rules: _Rules, step: Step) -> None:
    o = step.operands
    rules.dots(step)
    rules.strip(o["strip"], o["pixels"])
    rules.arena(o["in_at"], (o["pixels"] - 1) * o["step"] + rules.padded(o["k"]))
    rules.scratch(o["scratch_at"], o["strip"] * rules.units_and_sums(step))
    rules.arena(o["out_at"], o["pixels"] * o["m"])


def _conv(rules: _Rules, step: Step) -> None:
    o = step.operands
    rules.dots(step)
    rules.convolution(step)
    rules.strip(o["strip"], o["out_w"])
    patches = (o["strip"] - 1) * o["k"] + rules.padded(o["k"])
    rules.scratch(o["scratch_at"], o["strip"] * rules.units_and_sums(step) + patches)
    rules.arena(o["out_at"], o["out_h"] * o["out_w"] * o["m"])


def _ring_conv(rules: _Rules, step: Step) -> None:
    o = step.operands
    rules.dots(step)
    rules.convolution(step)
    if o["c"] % 8:
        raise _refused(f"ring of {o['c']} channels")
    height = (o["kernel_h"] - 1) * o["dilation_h"] + 1
    width = (o["out_w"] - 1) * o["stride_w"] + (o["kernel_w"] - 1) * o["dilation_w"] + 1
    sums = 0 if o["short"] else 4 * o["m"] * o["out_w"]
    rules.scratch(o["scratch_at"], height * width * o["c"] // 8 * _UNIT_LEN + sums)
    rules.arena(o["out_at"], o["out_h"] * o["out_w"] * o["m"])


def _mean(rules: _Rules, step: Step) -> None:
    o = step.operands
    if not 1 <= o["pixels"] <= _PIXELS_MAX:
        raise _refused(f"mean over {o['pixels']} pixels")
    rules.multiplier(o["mult_hi"], o["mult_lo"], o["left"], o["right"])
    rules.clamp(step)
    rules.arena(o["in_at"], o["pixels"] * o["c"])
    rules.scratch(o["scratch_at"], 4 * o["c"])
    rules.arena(o["out_at"], o["c"])


def _softmax(rules: _Rules, step: Step) -> None:
    o = step.operands
    if not 1 <= o["depth"] <= _DEPTH_MAX:
        raise _refused(f"softmax over {o['depth']} values")
    if rules.word(o["table_at"]) != _EXP_OF_0:
        raise _refused("exponential table does not begin with exp(0)")
    for name in ("in_at", "out_at"):
        rules.arena(o[name], o["rows"] * o["depth"])


def _depthwise(rules: _Rules, step: Step) -> None:
    o = step.operands
    rules.rows(step)
    rules.clamp(step)
    rules.window(step, cells=o["k"])
    if o["pad"] > 255 or o["m"] != o["c"] * o["multiplier"]:
        raise _refused(f"depthwise convolution of {o['c']} channels to {o['m']}")
    rules.scratch(o["scratch_at"], 4 * o["m"])
    rules.arena(o["out_at"], o["out_h"] * o["out_w"] * o["m"])


def _depthwise3x3(rules: _Rules, step: Step) -> None:
    o = step.operands
    rules.clamp(step)
    sizes = [o[name] for name in ("rows", "cols", "c", "stride_down", "stride_across")]
    if min(sizes) < 1 or max(*sizes, o["before_down"], o["before_across"]) >> 16:
        raise _refused(f"image of {o['rows']} by {o['cols']} pixels")
    if not 1 <= min(o["out_rows"], o["out_cols"]) <= max(o["out_rows"], o["out_cols"]) < 1 << 15:
        raise _refused(f"output of {o['out_rows']} by {o['out_cols']} pixels")
    strides = [o[name] for name in ("in_row", "in_col", "out_row", "out_col")]
    if o["pad"] > 255 or max(strides) >> 24 or o["zero"] < o["low"]:
        raise _refused(f"depthwise convolution by strides of {strides}")
    for end in range(o["rows_at"] + 28, o["rows_at"] + step.table_bytes + 28, 28):
        multiplier, half, right = (rules.word(end - 12 + 4 * i) for i in range(3))
        if multiplier >> 31 or not 1 <= right <= _DEPTHWISE3X3_RIGHT or half != 1 << right >> 1:
            raise _refused(f"multiplier {multiplier} with half {half} and shift {right} is out of range")
    rules.arena(o["in_at"], (o["rows"] - 1) * o["in_row"] + (o["cols"] - 1) * o["in_col"] + o["c"])
    rules.arena(o["out_at"], (o["out_rows"] - 1) * o["out_row"] + (o["out_cols"] - 1) * o["out_col"] + o["c"])
    rules.arena(o["scratch_at"], 3 * ((o["out_cols"] - 1) * o["stride_across"] + 3))


def _pool(rules: _Rules, step: Step) -> None:
    o = step.operands
    rules.window(step, cells=o["kernel_h"] * o["kernel_w"])
    for size, kernel, stride, pad, out in (_POOL_DOWN, _POOL_ACROSS):
        if o[pad] >= o[kernel] or (o[out] - 1) * o[stride] >= o[pad] + o[size]:
            raise _refused(f"pool of {o[out]} positions of {o[kernel]} over {o[size]}")
    if o["high"] > 255 or o["low"] > o["high"]:
        raise _refused(f"clamp to {o['low']}..{o['high']}")
    rules.arena(o["out_at"], o["out_h"] * o["out_w"] * o["c"])


def _map(rules: _Rules, step: Step) -> None:
    for name in ("in_at", "out_at"):
        rules.arena(step.operands[name], step.operands["length"])


def _extremum(rules: _Rules, step: Step) -> None:
    o = step.operands
    if o["b_constant"] > 1 or not o["period"] or o["length"] % o["period"]:
        raise _refused(f"{o['length']} values with a period of {o['period']}")
    for name in ("a_at", "out_at"):
        rules.arena(o[name], o["length"])
    if not o["b_constant"]:
        rules.arena(o["b_at"], o["period"])


def _mul(rules: _Rules, step: Step) -> None:
    o = step.operands
    _extremum(rules, step)
    rules.multiplier(o["hi"], o["lo"], o["left"], o["right"])
    rules.clamp(step)
    if max(o["a_zero"], o["b_zero"]) > 255:
        raise _refused(f"zero points {o['a_zero']} and {o['b_zero']}")


def _add(rules: _Rules, step: Step) -> None:
    o = step.operands
    _extremum(rules, step)
    rules.multiplier(o["hi"], o["lo"], 0, o["right"])
    rules.clamp(step)


def _fill(rules: _Rules, step: Step) -> None:
    o = step.operands
    if o["value"] > 255:
        raise _refused(f"fill with {o['value']}")
    rules.arena(o["out_at"], o["length"])


def _copy(rules: _Rules, step: Step) -> None:
    o = step.operands
    counts = [o[f"n{loop}"] for loop in range(4)]
    if min(*counts, o["size"]) < 1 or max(*counts, o["size"]) >> _COPY_BITS:
        raise _refused(f"copy of {counts} times {o['size']} bytes")
    for name in ("in", "out"):
        first = last = o[f"{name}_at"]
        for loop, count in enumerate(counts):
            stride = o[f"{name}_{loop}"]
            stride -= stride >> 31 << 32
            if abs(stride) >> _COPY_BITS:
                raise _refused(f"copy by strides of {stride}")
            first += min(stride, 0) * (count - 1)
            last += max(stride, 0) * (count - 1)
        if first < 0:
            raise _refused(f"copy from {first}")
        rules.arena(first, last - first + o["size"])


_RULES: dict[str, Callable[[_Rules, Step], None]] = {
    "ROWS": _rows,
    "CONV": _conv,
    "MEAN": _mean,
    "SOFTMAX": _softmax,
    "DEPTHWISE": _depthwise,
    "MAX_POOL": _pool,
    "AVERAGE_POOL": _pool,
    "MAP": _map,
    "ADD": _add,
    "MUL": _mul,
    "MINIMUM": _extremum,
    "MAXIMUM": _extremum,
    "FILL": _fill,
    "COPY": _copy,
    "RING_CONV": _ring_conv,
    "DEPTHWISE3X3": _depthwise3x3,
}


def check_steps(program: Program, tables: bytes, tables_at: int) -> None:
    """RefusedError RELEASE when a parsed program's steps break a rule; `tables_at` in the release."""
    rules = _Rules(program, tables, tables_at)
    for step in program.steps:
        _RULES[step.name](rules, step)


def _refused(message: str) -> RefusedError:
    """RELEASE, in the words of this part."""
    return RefusedError(Refusal.RELEASE, f"release: program: {message}")
