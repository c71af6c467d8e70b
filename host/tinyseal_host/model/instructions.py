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
    return {"call": 1, "input": o["pixels"] * o["k"], "pixel": o["pixels"]} | _products(o, o["pixels"])


def _products(o: Operands, pixels: int) -> Work:
    """Weights are taken eight at a time, and the rest one by one."""
    outputs = pixels * o["m"]
    return {"output": outputs, "eight_weights": outputs * (o["k"] // 8), "weight": outputs * (o["k"] % 8)}


def _conv(o: Operands) -> Work:
    pixels = o["out_h"] * o["out_w"]
    taps = pixels * o["kernel_h"] * o["kernel_w"]
    inside = _covered(o, "h", "top") * _covered(o, "w", "left")
    work = {"line": o["out_h"], "pixel": pixels, "tap": taps, "tap_inside": inside, "input": pixels * o["k"]}
    return work | _products(o, pixels)


def _depthwise(o: Operands) -> Work:
    outputs = o["out_h"] * o["out_w"] * o["m"]
    return {
        "line": o["out_h"],
        "pixel": o["out_h"] * o["out_w"],
        "output": outputs,
        "kernel_row": outputs * o["kernel_h"],
        "tap": outputs * o["k"],
        "tap_inside": _covered(o, "h", "top") * _covered(o, "w", "left") * o["m"],
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
    """An addend whose multiplier has no right shift takes less."""
    shifted = (o["a_right"] > 0) + (o["b_right"] > 0)
    return _two_operands(o) | {"shift": o["length"] * shifted}


def _copy(o: Operands) -> Work:
    outer = o["n0"] * o["n1"] * o["n2"]
    runs = outer * o["n3"]
    return {"call": 1, "loop": outer, "run": runs, "byte": runs * o["size"]}


def _frame(o: Operands) -> Work:
    return {"call": 1, "input": o["input_len"], "output": o["output_len"]}


_WORK: dict[str, Callable[[Operands], Work]] = {
    "ROWS": _rows,
    "CONV": _conv,
    "MEAN": _mean,
    "SOFTMAX": _softmax,
    "DEPTHWISE": _depthwise,
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
