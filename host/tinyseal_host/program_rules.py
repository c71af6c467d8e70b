"""What the steps of a program may do: FORMAT.md's rules for operands, arena and tables, as a board holds them."""

from __future__ import annotations

from collections.abc import Callable

from .program import Program, Step
from .program_checks import UNIT_LEN, Checks, refused

_PIXELS_MAX = 8421504
_DEPTH_MAX = 255
_DEPTHWISE3X3_RIGHT = 22
_COPY_BITS = 24
_POOL_DOWN = ("in_h", "kernel_h", "stride_h", "pad_top", "out_h")
_POOL_ACROSS = ("in_w", "kernel_w", "stride_w", "pad_left", "out_w")
_EXP_OF_0 = 0x7FFFFFFF


def _rows(rules: Checks, step: Step) -> None:
    o = step.operands
    rules.dots(step)
    rules.strip(o["strip"], o["pixels"])
    rules.arena(o["in_at"], (o["pixels"] - 1) * o["step"] + rules.padded(o["k"]))
    rules.scratch(o["scratch_at"], o["strip"] * rules.units_and_sums(step))
    rules.arena(o["out_at"], o["pixels"] * o["m"])


def _conv(rules: Checks, step: Step) -> None:
    o = step.operands
    rules.dots(step)
    rules.convolution(step)
    rules.strip(o["strip"], o["out_w"])
    patches = (o["strip"] - 1) * o["k"] + rules.padded(o["k"])
    rules.scratch(o["scratch_at"], o["strip"] * rules.units_and_sums(step) + patches)
    rules.arena(o["out_at"], o["out_h"] * o["out_w"] * o["m"])


def _ring_conv(rules: Checks, step: Step) -> None:
    o = step.operands
    rules.dots(step)
    rules.convolution(step)
    if o["c"] % 8:
        raise refused(f"ring of {o['c']} channels")
    height = (o["kernel_h"] - 1) * o["dilation_h"] + 1
    width = (o["out_w"] - 1) * o["stride_w"] + (o["kernel_w"] - 1) * o["dilation_w"] + 1
    sums = 0 if o["short"] else 4 * o["m"] * o["out_w"]
    rules.scratch(o["scratch_at"], height * width * o["c"] // 8 * UNIT_LEN + sums)
    rules.arena(o["out_at"], o["out_h"] * o["out_w"] * o["m"])


def _mean(rules: Checks, step: Step) -> None:
    o = step.operands
    if not 1 <= o["pixels"] <= _PIXELS_MAX:
        raise refused(f"mean over {o['pixels']} pixels")
    rules.multiplier(o["mult_hi"], o["mult_lo"], o["left"], o["right"])
    rules.clamp(step)
    rules.arena(o["in_at"], o["pixels"] * o["c"])
    rules.scratch(o["scratch_at"], 4 * o["c"])
    rules.arena(o["out_at"], o["c"])


def _softmax(rules: Checks, step: Step) -> None:
    o = step.operands
    if not 1 <= o["depth"] <= _DEPTH_MAX:
        raise refused(f"softmax over {o['depth']} values")
    if rules.word(o["table_at"]) != _EXP_OF_0:
        raise refused("exponential table does not begin with exp(0)")
    for name in ("in_at", "out_at"):
        rules.arena(o[name], o["rows"] * o["depth"])


def _depthwise(rules: Checks, step: Step) -> None:
    o = step.operands
    rules.rows(step)
    rules.clamp(step)
    rules.window(step, cells=o["k"])
    if o["pad"] > 255 or o["m"] != o["c"] * o["multiplier"]:
        raise refused(f"depthwise convolution of {o['c']} channels to {o['m']}")
    rules.scratch(o["scratch_at"], 4 * o["m"])
    rules.arena(o["out_at"], o["out_h"] * o["out_w"] * o["m"])


def _depthwise3x3(rules: Checks, step: Step) -> None:
    o = step.operands
    rules.clamp(step)
    sizes = [o[name] for name in ("rows", "cols", "c", "stride_down", "stride_across")]
    if min(sizes) < 1 or max(*sizes, o["before_down"], o["before_across"]) >> 16:
        raise refused(f"image of {o['rows']} by {o['cols']} pixels")
    if not 1 <= min(o["out_rows"], o["out_cols"]) <= max(o["out_rows"], o["out_cols"]) < 1 << 15:
        raise refused(f"output of {o['out_rows']} by {o['out_cols']} pixels")
    strides = [o[name] for name in ("in_row", "in_col", "out_row", "out_col")]
    if o["pad"] > 255 or max(strides) >> 24 or o["zero"] < o["low"]:
        raise refused(f"depthwise convolution by strides of {strides}")
    for end in range(o["rows_at"] + 28, o["rows_at"] + step.table_bytes + 28, 28):
        multiplier, half, right = (rules.word(end - 12 + 4 * i) for i in range(3))
        if multiplier >> 31 or not 1 <= right <= _DEPTHWISE3X3_RIGHT or half != 1 << right >> 1:
            raise refused(f"multiplier {multiplier} with half {half} and shift {right} is out of range")
    rules.arena(o["in_at"], (o["rows"] - 1) * o["in_row"] + (o["cols"] - 1) * o["in_col"] + o["c"])
    rules.arena(o["out_at"], (o["out_rows"] - 1) * o["out_row"] + (o["out_cols"] - 1) * o["out_col"] + o["c"])
    rules.arena(o["scratch_at"], 3 * ((o["out_cols"] - 1) * o["stride_across"] + 3))


def _pool(rules: Checks, step: Step) -> None:
    o = step.operands
    rules.window(step, cells=o["kernel_h"] * o["kernel_w"])
    for size, kernel, stride, pad, out in (_POOL_DOWN, _POOL_ACROSS):
        if o[pad] >= o[kernel] or (o[out] - 1) * o[stride] >= o[pad] + o[size]:
            raise refused(f"pool of {o[out]} positions of {o[kernel]} over {o[size]}")
    if o["high"] > 255 or o["low"] > o["high"]:
        raise refused(f"clamp to {o['low']}..{o['high']}")
    rules.arena(o["out_at"], o["out_h"] * o["out_w"] * o["c"])


def _map(rules: Checks, step: Step) -> None:
    for name in ("in_at", "out_at"):
        rules.arena(step.operands[name], step.operands["length"])


def _extremum(rules: Checks, step: Step) -> None:
    o = step.operands
    if o["b_constant"] > 1 or not o["period"] or o["length"] % o["period"]:
        raise refused(f"{o['length']} values with a period of {o['period']}")
    for name in ("a_at", "out_at"):
        rules.arena(o[name], o["length"])
    if not o["b_constant"]:
        rules.arena(o["b_at"], o["period"])


def _mul(rules: Checks, step: Step) -> None:
    o = step.operands
    _extremum(rules, step)
    rules.multiplier(o["hi"], o["lo"], o["left"], o["right"])
    rules.clamp(step)
    if max(o["a_zero"], o["b_zero"]) > 255:
        raise refused(f"zero points {o['a_zero']} and {o['b_zero']}")


def _add(rules: Checks, step: Step) -> None:
    o = step.operands
    _extremum(rules, step)
    rules.multiplier(o["hi"], o["lo"], 0, o["right"])
    rules.clamp(step)


def _fill(rules: Checks, step: Step) -> None:
    o = step.operands
    if o["value"] > 255:
        raise refused(f"fill with {o['value']}")
    rules.arena(o["out_at"], o["length"])


def _copy(rules: Checks, step: Step) -> None:
    o = step.operands
    counts = [o[f"n{loop}"] for loop in range(4)]
    if min(*counts, o["size"]) < 1 or max(*counts, o["size"]) >> _COPY_BITS:
        raise refused(f"copy of {counts} times {o['size']} bytes")
    for name in ("in", "out"):
        first = last = o[f"{name}_at"]
        for loop, count in enumerate(counts):
            stride = o[f"{name}_{loop}"]
            stride -= stride >> 31 << 32
            if abs(stride) >> _COPY_BITS:
                raise refused(f"copy by strides of {stride}")
            first += min(stride, 0) * (count - 1)
            last += max(stride, 0) * (count - 1)
        if first < 0:
            raise refused(f"copy from {first}")
        rules.arena(first, last - first + o["size"])


_RULES: dict[str, Callable[[Checks, Step], None]] = {
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
    rules = Checks(program, tables, tables_at)
    for step in program.steps:
        _RULES[step.name](rules, step)
