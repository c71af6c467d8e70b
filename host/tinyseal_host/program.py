"""The program section of a release: its header, and its steps as data, never run here."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from .errors import Refusal, RefusedError

PROGRAM_FIELDS = (
    ("arena_len", "I"),
    ("input_at", "I"),
    ("input_len", "I"),
    ("output_at", "I"),
    ("output_len", "I"),
    ("quantise_at", "I"),
    ("step_count", "I"),
)
"""Field names and struct codes of the program header, in order, little-endian."""
_HEADER = struct.Struct("<" + "".join(code for _, code in PROGRAM_FIELDS))
PROGRAM_HEADER_LEN = _HEADER.size

_IMAGE = ("in_at", "in_h", "in_w", "c", "kernel_h", "kernel_w", "stride_h", "stride_w", "dilation_h", "dilation_w")
_DOTS = ("k", "rows_at", "m", "short", "scratch_at", "out_at", "zero", "low", "high")
_POOL = (
    *("in_at", "in_h", "in_w", "c", "kernel_h", "kernel_w", "stride_h", "stride_w", "pad_top", "pad_left"),
    *("out_h", "out_w", "out_at", "low", "high"),
)
_ELEMENTWISE = ("a_at", "b_at", "b_constant", "length", "period", "out_at")
_SCALED = ("hi", "lo", "away", "right", "zero", "low", "high")
OPERATORS: dict[int, tuple[str, tuple[str, ...]]] = {
    1: ("ROWS", ("in_at", "step", "pixels", "strip", *_DOTS)),
    2: ("CONV", (*_IMAGE, "pad_top", "pad_left", "pad", "strip", "out_h", "out_w", *_DOTS)),
    3: (
        "MEAN",
        (
            *("in_at", "pixels", "c", "scratch_at", "out_at"),
            *("bias", "mult_hi", "mult_lo", "left", "right", "zero", "low", "high"),
        ),
    ),
    4: ("SOFTMAX", ("in_at", "rows", "depth", "out_at", "table_at")),
    5: (
        "DEPTHWISE",
        (
            *_IMAGE,
            *("pad_top", "pad_left", "pad", "multiplier", "out_h", "out_w", "k", "rows_at", "m"),
            *("scratch_at", "out_at", "zero", "low", "high"),
        ),
    ),
    6: ("MAX_POOL", _POOL),
    7: ("AVERAGE_POOL", _POOL),
    8: ("MAP", ("in_at", "length", "out_at", "table_at")),
    9: ("ADD", (*_ELEMENTWISE, "a_table_at", "b_table_at", "base", *_SCALED)),
    10: ("MUL", (*_ELEMENTWISE, "a_zero", "b_zero", "left", *_SCALED)),
    11: ("MINIMUM", _ELEMENTWISE),
    12: ("MAXIMUM", _ELEMENTWISE),
    13: ("FILL", ("out_at", "length", "value")),
    14: (
        "COPY",
        (
            *("in_at", "out_at", "size", "n0", "n1", "n2", "n3"),
            *("in_0", "in_1", "in_2", "in_3", "out_0", "out_1", "out_2", "out_3"),
        ),
    ),
    15: ("RING_CONV", (*_IMAGE, "pad_top", "pad_left", "pad", "out_h", "out_w", *_DOTS)),
    16: (
        "DEPTHWISE3X3",
        (
            *("in_at", "rows", "cols", "c", "in_row", "in_col", "stride_down", "stride_across"),
            *("before_down", "before_across", "pad", "scratch_at", "out_rows", "out_cols", "out_row", "out_col"),
            *("rows_at", "out_at", "zero", "low", "high"),
        ),
    ),
}
"""Operator numbers, with the name and the operands of each, every operand a u32."""

MAX_OUTPUT_LEN = 4096
_ROW_WORDS_LEN = 20
_SHORT_ROW_WORDS_LEN = 16
_DEPTHWISE3X3_RECORD_LEN = 28
_DOT_BLOCK = 16  # the narrowest
_EXP_TABLE_LEN = 256 * 4
_ADD_TABLE_LEN = 256 * 4
_MAP_TABLE_LEN = 256


@dataclass(frozen=True)
class Step:
    """One step: operator number, name, and operands by name."""

    number: int
    name: str
    operands: dict[str, int]

    @property
    def macs(self) -> int:
        """Multiply-accumulates of the step."""
        operands = self.operands
        if self.name == "ROWS":
            return operands["pixels"] * operands["k"] * operands["m"]
        if self.name in ("CONV", "RING_CONV", "DEPTHWISE"):
            return operands["out_h"] * operands["out_w"] * operands["k"] * operands["m"]
        if self.name == "DEPTHWISE3X3":
            return operands["out_rows"] * operands["out_cols"] * operands["c"] * 9
        return 0

    @property
    def tables(self) -> dict[str, int]:
        """Bytes of the step's tables in the tables section, by the operand that points to each."""
        operands = self.operands
        tables = {}
        if "short" in operands:
            row = operands["k"] + _DOT_BLOCK - 1 & -_DOT_BLOCK
            record = _SHORT_ROW_WORDS_LEN if operands["short"] else _ROW_WORDS_LEN
            tables["rows_at"] = operands["m"] * (row + record)
        elif self.name == "DEPTHWISE3X3":
            tables["rows_at"] = operands["c"] * _DEPTHWISE3X3_RECORD_LEN
        elif self.name == "DEPTHWISE":
            tables["rows_at"] = (operands["m"] * operands["k"] + 3 & ~3) + operands["m"] * _ROW_WORDS_LEN
        elif "table_at" in operands:
            tables["table_at"] = _MAP_TABLE_LEN if self.name == "MAP" else _EXP_TABLE_LEN
        elif self.name == "ADD":
            tables |= {"a_table_at": _ADD_TABLE_LEN, "b_table_at": _ADD_TABLE_LEN}
        if operands.get("b_constant") == 1:
            tables["b_at"] = operands["period"]
        return tables

    @property
    def table_bytes(self) -> int:
        """Bytes of all its tables; steps with equal tables share them."""
        return sum(self.tables.values())

    @property
    def output_shape(self) -> str:
        """Shape of what the step writes, as people write it: `10x6x32`."""
        operands = self.operands
        shapes = {
            "ROWS": ("pixels", "m"),
            "CONV": ("out_h", "out_w", "m"),
            "RING_CONV": ("out_h", "out_w", "m"),
            "DEPTHWISE": ("out_h", "out_w", "m"),
            "DEPTHWISE3X3": ("out_rows", "out_cols", "c"),
            "MAX_POOL": ("out_h", "out_w", "c"),
            "AVERAGE_POOL": ("out_h", "out_w", "c"),
            "MEAN": ("c",),
            "SOFTMAX": ("rows", "depth"),
            "COPY": ("n0", "n1", "n2", "n3", "size"),
        }
        return "x".join(str(operands[name]) for name in shapes.get(self.name, ("length",)))


@dataclass(frozen=True)
class Program:
    """The program header's fields, lengths and arena offsets in bytes, and the steps."""

    arena_len: int
    input_at: int
    input_len: int
    output_at: int
    output_len: int
    quantise_at: int
    steps: tuple[Step, ...]

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one frame."""
        return sum(step.macs for step in self.steps)


def parse_program(section: bytes, tables: bytes, tables_at: int) -> Program:
    """A Program from its section and the tables it points into, which lie at release offset `tables_at`.

    Checked: the header's rules, that the steps are known and fill the section, and that the steps' tables lie aligned
    and whole in `tables`. What a step may do there is for `program_rules`, quantising for `quantise_rules`. Otherwise
    RefusedError RELEASE.
    """
    if len(section) < PROGRAM_HEADER_LEN:
        raise _refused(f"has {len(section)} bytes, wanted at least {PROGRAM_HEADER_LEN}")
    arena_len, input_at, input_len, output_at, output_len, quantise_at, step_count = _HEADER.unpack_from(section)
    if not 1 <= output_len <= MAX_OUTPUT_LEN:
        raise _refused(f"output_len is {output_len}, wanted 1 to {MAX_OUTPUT_LEN}")
    if input_len == 0 or input_at + input_len > arena_len:
        raise _refused(f"input of {input_len} bytes at {input_at} is not in an arena of {arena_len}")
    if output_at + output_len > arena_len:
        raise _refused(f"output of {output_len} bytes at {output_at} is not in an arena of {arena_len}")
    steps = _parse_steps(section, step_count)
    for step in steps:
        for operand, length in step.tables.items():
            _check_table(operand, step.operands[operand], length, tables, tables_at)
    return Program(arena_len, input_at, input_len, output_at, output_len, quantise_at, steps)


def _parse_steps(section: bytes, step_count: int) -> tuple[Step, ...]:
    words = [word for (word,) in struct.iter_unpack("<I", section[PROGRAM_HEADER_LEN:])]
    if not 1 <= step_count <= len(words):
        raise _refused(f"step_count is {step_count}, with room for {len(words)} words")
    steps, at = [], 0
    for index in range(step_count):
        number = words[at] if at < len(words) else 0
        if number not in OPERATORS:
            raise _refused(f"step {index} has operator {number}, wanted 1 to {max(OPERATORS)}")
        name, operands = OPERATORS[number]
        values = words[at + 1 : at + 1 + len(operands)]
        if len(values) != len(operands):
            raise _refused(f"step {index} runs past the end of the program")
        steps.append(Step(number, name, dict(zip(operands, values, strict=True))))
        at += 1 + len(operands)
    if at != len(words):
        raise _refused(f"{step_count} steps fill {at} of {len(words)} words")
    return tuple(steps)


def _check_table(name: str, at: int, length: int, tables: bytes, tables_at: int) -> None:
    if at % 4 or at < tables_at or at + length > tables_at + len(tables):
        raise _refused(f"{name} {at} with {length} bytes is not aligned in the tables")


def _refused(message: str) -> RefusedError:
    return RefusedError(Refusal.RELEASE, f"release: program: {message}")
