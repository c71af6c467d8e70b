"""Predicts how many instructions a board takes for a step: its work, counted from the operands, times measured costs.

The costs in `instruction_costs.json` are fitted by `tests/bench/fit.py` to counts of the shipped machine code in
emulation. They belong to the kernels as they are: whoever changes one fits them again. What runs is counted inside of
the leaves; the bytecode that calls them is not.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping
from pathlib import Path

from ..program import Program

ARCHITECTURES = ("rv32imc", "xtensawin")
COSTS = Path(__file__).with_name("instruction_costs.json")
FRAME = "FRAME"
"""Stands for what is no step: quantising the frame, whose cost depends on the values too, and giving out the output."""

Operands = Mapping[str, int]
Work = dict[str, int]


def predicted(program: Program, architecture: str) -> int:
    """Instructions of one inference, the frame's quantising and the output's finishing included."""
    steps = sum(predicted_step(step.name, step.operands, architecture) for step in program.steps)
    return steps + predicted_step(FRAME, frame_operands(program), architecture)


def predicted_step(name: str, operands: Operands, architecture: str) -> int:
    """Instructions of a step of that name; its operands as in a program, places and tables not needed."""
    costs = _costs()[architecture][name]
    return round(sum(costs[unit] * count for unit, count in work_of(name, operands).items()))


def frame_operands(program: Program) -> Operands:
    """The operands of `FRAME`."""
    return {"input_len": program.input_len, "output_len": program.output_len}


def work_of(name: str, operands: Operands) -> Work:
    """How often a step does each thing that has a cost."""
    return _WORK[name](operands)


@functools.cache
def _costs() -> dict[str, dict[str, dict[str, float]]]:
    costs: dict[str, dict[str, dict[str, float]]] = json.loads(COSTS.read_text(encoding="utf-8"))
    return costs


def _rows(o: Operands) -> Work:
    return _units_and_dots(o, o["pixels"], turns=-(-o["pixels"] // o["strip"]))


def _conv(o: Operands) -> Work:
    """The input under the kernel is copied together; what lies side by side in a row of it is one run."""
    pixels = o["out_h"] * o["out_w"]
    last = (o["kernel_w"] - 1) * o["dilation_w"]
    starts = (x * o["stride_w"] - o["pad_left"] for x in range(o["out_w"]))
    whole = sum(o["dilation_w"] == 1 and start >= 0 and start + last < o["in_w"] for start in starts)
    runs = whole + (o["out_w"] - whole) * o["kernel_w"]
    copied = _covered(o, "h", "top") * _covered(o, "w", "left") * o["c"]
    return {
        "patch": pixels,
        "patch_row": pixels * o["kernel_h"],
        "run": o["out_h"] * o["kernel_h"] * runs,
        "copied": copied,
        "filled": pixels * o["k"] - copied,
    } | _units_and_dots(o, pixels, turns=o["out_h"] * -(-o["out_w"] // o["strip"]))


def _ring_conv(o: Operands) -> Work:
    """The ring becomes padding, then rows of the input become units in it; those between two kernels are left out."""
    reach, width = ((o[f"kernel_{axis}"] - 1) * o[f"dilation_{axis}"] + 1 for axis in "hw")
    width += (o["out_w"] - 1) * o["stride_w"]
    made = {row for y in range(o["out_h"]) for row in range(y * o["stride_h"], y * o["stride_h"] + reach)}
    inside = min(o["in_w"], width - min(o["pad_left"], width))
    pixels = o["out_h"] * o["out_w"]
    return {
        "line": o["out_h"],
        "ring_piece": 1 + len(made),
        "unit": (reach * width + len(made) * inside) * o["c"] // 8,
        "place": o["out_h"] * o["k"] // 8,
        "dot_unit": pixels * _padded(o) // 8,
    } | _dots(o, pixels, turns=o["out_h"])


def _units_and_dots(o: Operands, pixels: int, turns: int) -> Work:
    return {"turn": turns, "unit": pixels * _padded(o) // 8} | _dots(o, pixels, turns)


def _dots(o: Operands, pixels: int, turns: int) -> Work:
    """Every row of weights against every pixel, in blocks from the widest on."""
    k = _padded(o)
    blocks = {"row_64": k // 64, "row_32": k % 64 // 32, "row_16": k % 32 // 16}
    rows = pixels * o["m"]
    return {
        "block": turns * sum(blocks.values()),
        "block_pixel": pixels * sum(blocks.values()),
        **{name: rows * count for name, count in blocks.items()},
        "short_output": rows * o["short"],
        "long_output": rows * (1 - o["short"]),
    }


def _padded(o: Operands) -> int:
    """Weights of a row with those that fill its last block."""
    return (o["k"] + 15) // 16 * 16


def _depthwise3x3(o: Operands) -> Work:
    """Channel by channel, three rows at a time."""
    rows = (o["out_rows"] - 1) * o["stride_down"] + 3
    width = (o["out_cols"] - 1) * o["stride_across"] + 3
    inside = sum(0 <= row - o["before_down"] < o["rows"] for row in range(rows))
    copied = min(width - o["before_across"], o["cols"])
    return {
        "call": 1,
        "channel": o["c"],
        "row": o["c"] * rows,
        "copied": o["c"] * inside * copied,
        "filled": o["c"] * (rows - inside) * width,
        "line": o["c"] * o["out_rows"],
        "down": o["c"] * o["out_rows"] * o["stride_down"],
        "output": o["c"] * o["out_rows"] * o["out_cols"],
    }


def _depthwise(o: Operands) -> Work:
    """Pixel by pixel and tap by tap, along the channels, as often as there are outputs for each; then the sums."""
    pixels, inside = o["out_h"] * o["out_w"], _covered(o, "h", "top") * _covered(o, "w", "left")
    return {
        "pixel": pixels,
        "output": pixels * o["m"],
        "kernel_row": pixels * o["kernel_h"],
        "tap": pixels * o["k"],
        "tap_inside": inside,
        "tap_turn": inside * o["multiplier"],
        "weight": inside * o["m"],
    }


def _pool(o: Operands) -> Work:
    outputs = o["out_h"] * o["out_w"] * o["c"]
    rows, columns = _covered(o, "h", "top"), _covered(o, "w", "left")
    return {
        "line": o["out_h"],
        "pixel": o["out_h"] * o["out_w"],
        "output": outputs,
        "kernel_row": rows * o["out_w"] * o["c"],
        "cell": rows * columns * o["c"],
    }


def _covered(o: Operands, axis: str, before: str) -> int:
    """Over all output positions along an axis, how many taps of the kernel lie inside the input."""
    kernel, size, out = o[f"kernel_{axis}"], o[f"in_{axis}"], o[f"out_{axis}"]
    stride, dilation, padding = o[f"stride_{axis}"], o.get(f"dilation_{axis}", 1), o[f"pad_{before}"]
    return sum(0 <= at * stride - padding + tap * dilation < size for at in range(out) for tap in range(kernel))


def _mean(o: Operands) -> Work:
    return {"call": 1, "output": o["c"], "input": o["c"] * o["pixels"]}


def _softmax(o: Operands) -> Work:
    return {"row": o["rows"], "value": o["rows"] * o["depth"]}


def _values(o: Operands) -> Work:
    return {"call": 1, "value": o["length"]}


def _two_operands(o: Operands) -> Work:
    return {"call": 1, "value": o["length"], "turn": o["length"] // o["period"]}


def _add(o: Operands) -> Work:
    """Most sums need no multiplier."""
    return _two_operands(o) | {"multiplied": o["length"] * (o["hi"] > 0)}


def _copy(o: Operands) -> Work:
    outer = o["n0"] * o["n1"] * o["n2"]
    runs = outer * o["n3"]
    return {"call": 1, "loop": outer, "run": runs, "byte": runs * o["size"]}


def _frame(o: Operands) -> Work:
    return {"call": 1, "input": o["input_len"], "output": o["output_len"]}


_WORK: dict[str, Callable[[Operands], Work]] = {
    "ROWS": _rows,
    "CONV": _conv,
    "RING_CONV": _ring_conv,
    "MEAN": _mean,
    "SOFTMAX": _softmax,
    "DEPTHWISE": _depthwise,
    "DEPTHWISE3X3": _depthwise3x3,
    "MAX_POOL": _pool,
    "AVERAGE_POOL": _pool,
    "MAP": _values,
    "ADD": _add,
    "MUL": _two_operands,
    "MINIMUM": _two_operands,
    "MAXIMUM": _two_operands,
    "FILL": _values,
    "COPY": _copy,
    FRAME: _frame,
}
