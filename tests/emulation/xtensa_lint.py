"""Finds, in Xtensa machine code, the places where MicroPython 1.29's emitter makes wrong code from right source.

The sequences come from `asm_xtensa_load_reg_reg_offset`, `asm_xtensa_store_reg_reg_offset` and `asm_xtensa_entry_win`
in py/asmxtensa.c, and from `~` in py/emitnative.c. A PC runs x64 code and never shows them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from .xtensa_isa import BRANCHES, Instruction, listing

_THIRD_LOCAL = 6  # a6: the third local of code compiled on the board, the name table of a .mpy
_STACK_SLOTS = 256  # l32i and s32i reach 255 words from the stack pointer; word 0 is the return address
_SPILL_AREA = 32
_STRAIGHT_ENDS = BRANCHES | {"j", "ret", "callx8"}


@dataclass(frozen=True)
class Finding:
    """One fault: the code offset and what is wrong."""

    offset: int
    what: str


LOAD_BASE_LOST = "load with a constant index outside 0..255 loses its pointer"
STORE_CLOBBERS = "store with a constant index outside 0..255 overwrites a register in use"
INVERT_CLOBBERS = "~ overwrites an operand that waits"
STACK_TOO_LARGE = "more than 255 stack slots"


def lint(code: bytes) -> list[Finding]:
    """The known faults in one function, by code offset."""
    instructions = list(listing(code).items())
    found = [Finding(at, STACK_TOO_LARGE) for at, i in instructions if i.op == "entry" and _too_many_slots(i)]
    found += _lost_addresses(instructions)
    found += _clobbering_inversions(instructions)
    return sorted(found, key=lambda finding: finding.offset)


def _too_many_slots(entry: Instruction) -> bool:
    return entry.imm > _SPILL_AREA + 4 * _STACK_SLOTS


def _lost_addresses(instructions: list[tuple[int, Instruction]]) -> Iterator[Finding]:
    """An index too large for the instruction is put in a register first: for a load the result's, which may be the
    pointer's as well; for a store always a6."""
    for (at, constant), (_, add) in pairwise(instructions):
        if constant.op in ("movi", "l32r") and add.op == "add" and add.r == add.t == constant.t:
            if add.s == add.t:
                yield Finding(at, LOAD_BASE_LOST)
            elif add.t == _THIRD_LOCAL:
                yield Finding(at, STORE_CLOBBERS)


def _clobbering_inversions(instructions: list[tuple[int, Instruction]]) -> Iterator[Finding]:
    """`~x` is x ^ -1 with the -1 in a register that may hold the other operand: one that is used afterwards."""
    for number, ((at, ones), (_, xor)) in enumerate(pairwise(instructions)):
        if ones.op == "movi" and ones.imm == -1 and xor.op == "xor" and xor.r == xor.s and xor.t == ones.t:
            for _, later in instructions[number + 2 :]:
                if ones.t in later.read:
                    yield Finding(at, INVERT_CLOBBERS)
                if ones.t in later.read or later.written == ones.t or later.op in _STRAIGHT_ENDS:
                    break
