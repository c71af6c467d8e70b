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
_EXP_OF_0 = 0x7FFFFFFF
_THRESHOLDS = 257
_NO_MORE = 0x7FFFFFFF  # the last threshold, which ends the search


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

    def rows(self, step: Step) -> None:
        """The rows table of a step, whose place was checked before."""
        k, m, at = (step.operands[name] for name in ("k", "m", "rows_at"))
        if not 1 <= k <= _K_MAX or not m:
            raise _refused(f"{m} rows of {k} weights")
        size = step.table_bytes // m
        for end in range(at + size, at + (m + 1) * size, size):
            self.multiplier(*(self.word(end - 16 + 4 * i) for i in range(_ROW_WORDS - 1)))


def _rows(rules: _Rules, step: Step) -> None:
    o = step.operands
    rules.rows(step)
    rules.clamp(step)
    rules.arena(o["in_at"], (o["pixels"] - 1) * o["step"] + o["k"] if o["pixels"] else 0)
    rules.arena(o["out_at"], o["pixels"] * o["m"])


def _conv(rules: _Rules, step: Step) -> None:
    o = step.operands
    rules.rows(step)
    rules.clamp(step)
    if o["k"] != o["kernel_h"] * o["kernel_w"] * o["c"] or o["pad"] > 255 or not o["out_h"] or not o["out_w"]:
        raise _refused(f"convolution of {o['out_h']} by {o['out_w']} pixels with {o['k']} weights")
    names = list(o)
    sizes = [o[name] for name in names[names.index("in_h") : names.index("pad")]]
    if max(sizes) >> 16 or max(o["out_h"], o["out_w"]) >> 15:
        raise _refused("convolution is too large")
    rules.arena(o["in_at"], o["in_h"] * o["in_w"] * o["c"])
    rules.arena(o["scratch_at"], o["out_w"] * o["k"])
    rules.arena(o["out_at"], o["out_h"] * o["out_w"] * o["m"])


def _mean(rules: _Rules, step: Step) -> None:
    o = step.operands
    if not 1 <= o["pixels"] <= _PIXELS_MAX:
        raise _refused(f"mean over {o['pixels']} pixels")
    rules.multiplier(o["mult_hi"], o["mult_lo"], o["left"], o["right"])
    rules.clamp(step)
    rules.arena(o["in_at"], o["pixels"] * o["c"])
    rules.arena(o["out_at"], o["c"])


def _softmax(rules: _Rules, step: Step) -> None:
    o = step.operands
    if not 1 <= o["depth"] <= _DEPTH_MAX or o["scratch_at"] & 3:
        raise _refused(f"softmax over {o['depth']} values")
    if rules.word(o["table_at"]) != _EXP_OF_0:
        raise _refused("exponential table does not begin with exp(0)")
    for name in ("in_at", "out_at"):
        rules.arena(o[name], o["rows"] * o["depth"])
    rules.arena(o["scratch_at"], 8)


_RULES: dict[str, Callable[[_Rules, Step], None]] = {"ROWS": _rows, "CONV": _conv, "MEAN": _mean, "SOFTMAX": _softmax}


def check_steps(program: Program, tables: bytes, tables_at: int) -> None:
    """RefusedError RELEASE when a parsed program's steps or quantise table break a rule; `tables_at` in the release."""
    rules = _Rules(program, tables, tables_at)
    at = program.quantise_at
    if rules.word(at) > 255 or rules.word(at + 12 + 4 * (_THRESHOLDS - 1)) != _NO_MORE:
        raise _refused("quantise table")
    thresholds = [rules.word(at + 12 + 4 * number) for number in range(_THRESHOLDS)]
    if thresholds != sorted(thresholds):
        raise _refused("thresholds do not ascend")
    for step in program.steps:
        _RULES[step.name](rules, step)


def _refused(message: str) -> RefusedError:
    """RELEASE, in the words of this part."""
    return RefusedError(Refusal.RELEASE, f"release: program: {message}")
