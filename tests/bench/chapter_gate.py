"""Chapter "gate": what it costs to hold a frame against its contract, and to quantise it, in instructions a value.

Frames of 600 values in 6 channels, every tenth value a zero, that pass. Counted are the leaves; every line says how
many calls of leaves there were, whose bytecode is in no count.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from emulation import ARCHITECTURES, Architecture
from gate_cases import DEVIATION, FLAT, MEAN, NUMPY, SATURATED, STEP, Case, Limits, fixed_point
from tinyseal_host.contract import Channel, Contract
from tinyseal_host.model.raw_tables import raw_quantise_tables
from tinyseal_host.model.tables import quantise_table

from .emulated_board import EmulatedBoard, modules_behind
from .line import Line

LENGTH, CHANNELS = 600, 6
_PREFIXES = {"rv32imc": "", "xtensawin": "xt_"}
_XTENSA_MOST = 1.25
_CHECK_MOST, _ALL_MOST = 35, 115  # of RV32: the design's
_SCALE, _ZERO_POINT = 0.25, 3
_LOW, _HIGH = -100, 100
_OPTIONAL = {
    "saturated": SATURATED,
    "flat": FLAT,
    "step": STEP,
    "mean": MEAN | DEVIATION,
    "all": SATURATED | FLAT | STEP | MEAN | DEVIATION,
}
_WITH_OPTIONAL = ("float32", "int16")  # to the other two it is as to int16

_NOTES = {
    "saturated": "saturation",
    "flat": "flat line",
    "step": "largest step",
    "mean": "mean and deviation",
    "all": "all optional checks",
}


@dataclass
class Cost:
    """Instructions and calls of the gate's leaves and of those that quantise; `fault` when an answer was wrong."""

    gate: int
    calls: int
    quantise: int
    fault: str
    by_leaf: Counter[str] = field(default_factory=Counter)


def case_of(kind: str, checks: int = 0) -> Case:
    """A contract that its frame keeps, with exactly as many zeros as it allows."""
    low = 0 if kind == "uint8" else _LOW
    source = np.random.default_rng(7)
    values = source.integers(1, _HIGH, LENGTH).astype(NUMPY[kind])
    if low:
        values[1::2] *= -1
    values[::10] = 0
    channels = []
    for _ in range(CHANNELS):
        limits = Limits(low, _HIGH)
        u_of, _ = fixed_point(kind, limits)
        limits.rails, limits.max_step = (0, u_of(limits.high)), u_of(limits.high)
        limits.max_saturated = LENGTH // CHANNELS
        limits.mean, limits.deviation = (0, (1 << 31) - 1), (0, 1 << 62)
        channels.append(limits)
    return Case(kind, channels, LENGTH, values.tobytes(), LENGTH // 10, checks)


def cost_of(board: EmulatedBoard, case: Case) -> Cost:
    """Check the frame and quantise it."""
    frame, section = bytearray(case.frame), bytearray(case.section())
    contract = board.modules["contract"].Contract(section, 0, len(section))
    gate = board.modules["gate"].Gate(contract)
    board.forget()
    status = gate.check(frame)
    instructions, calls = board.instructions.copy(), board.calls.total()
    fault = "" if status == 0 else f"status {status} for a frame that keeps the contract"
    board.forget()
    found = _quantised(board, case, frame)
    values = np.frombuffer(case.frame, NUMPY[case.type]).astype(np.float64)
    wanted = np.clip(np.copysign(np.floor(np.abs(values / _SCALE) + 0.5), values) + _ZERO_POINT, -128, 127) + 128
    if found != wanted.astype(np.uint8).tobytes():
        fault = "other bytes than rounding gives"
    return Cost(instructions.total(), calls, board.instructions.total(), fault, instructions)


def _quantised(board: EmulatedBoard, case: Case, frame: bytearray) -> bytearray:
    """The frame as biased bytes, by the leaf that `net` calls for it."""
    out = bytearray(LENGTH)
    if case.type == "float32":
        table = quantise_table(_SCALE, _ZERO_POINT)
        board.modules["kernels"].quantise(frame, 0, 0, out, LENGTH, bytearray(table))
        return out
    table = raw_quantise_tables(Contract(case.type, 1, (Channel(0, 1),), 0), _SCALE, _ZERO_POINT)
    leaf = "_quantise16" if case.type == "int16" else "_quantise8"
    getattr(board.modules["raw"], leaf)(frame, out, LENGTH, 0, 1, bytearray(table))
    return out


def lines() -> Iterator[Line]:
    """The chapter's."""
    for architecture in ARCHITECTURES:
        yield from _lines(architecture, EmulatedBoard(architecture, modules_behind("gate", "kernels")))


def _lines(architecture: Architecture, board: EmulatedBoard) -> Iterator[Line]:
    prefix, most = _PREFIXES[architecture], 1.0 if architecture == "rv32imc" else _XTENSA_MOST
    for kind in NUMPY:
        first = cost_of(board, case_of(kind))
        goals = (_goal(first.gate, _CHECK_MOST * most), _goal(first.gate + first.quantise, _ALL_MOST * most))
        yield _line(f"{prefix}{kind}", first.gate, f"{goals[0]}; size, NaN, range, zeros", first)
        yield _line(f"{prefix}{kind}_bytes", first.gate + first.quantise, f"{goals[1]}; and exactly quantised", first)
        for name, checks in _OPTIONAL.items() if kind in _WITH_OPTIONAL else ():
            more = cost_of(board, case_of(kind, checks))
            note = f"{_NOTES[name]}, more than the first four; {more.calls - first.calls} calls"
            yield _line(f"{prefix}{kind}_{name}", more.gate - first.gate, note, more, calls=False)


def _line(name: str, instructions: int, note: str, cost: Cost, *, calls: bool = True) -> Line:
    counted = f"; {cost.calls} {'call' if cost.calls == 1 else 'calls'}" if calls else ""
    return Line(name, instructions / LENGTH, "instructions/value", note + counted, cost.fault)


def _goal(instructions: int, most: float) -> str:
    return f"goal <= {most:g}: {'yes' if instructions / LENGTH <= most else 'no'}"
