"""Translates the Xtensa code of one function to Python source, block by block, with its instructions counted.

Registers are local variables with values 0..2**32-1. A load or store of 16 or 32 bits indexes a view of the RAM with
the address's offset rotated right by one or two bits: a misaligned address becomes an index beyond the view's end, as
does one outside the RAM. `y` keeps that offset, and `lines` the code offset of every line, for the message.
"""

import re

from .ram import RAM_BASE
from .xtensa_isa import BRANCHES, Instruction, listing

RETURN_ADDRESS = 0x8200BAD5
"""What a0 holds on entry, and must hold at the return. Bits 31..30 say call8; the rest is no address of anything."""

SAR = 13
"""What the shift amount register holds on entry: anything, as nothing may depend on it."""

_OPERATIONS = {
    "mov": "a{t} = a{s}",
    "movi": "a{t} = {imm} & M",
    "l32r": "a{t} = {imm}",
    "addi": "a{t} = a{s} + {imm} & M",
    "entry": "a{s} = a{s} - {imm} & M",
    "and": "a{r} = a{s} & a{t}",
    "or": "a{r} = a{s} | a{t}",
    "xor": "a{r} = a{s} ^ a{t}",
    "add": "a{r} = a{s} + a{t} & M",
    "addx2": "a{r} = (a{s} << 1) + a{t} & M",
    "addx4": "a{r} = (a{s} << 2) + a{t} & M",
    "sub": "a{r} = a{s} - a{t} & M",
    "neg": "a{r} = -a{t} & M",
    "mull": "a{r} = a{s} * a{t} & M",
    "ssl": "sar = 32 - (a{s} & 31)",
    "ssr": "sar = a{s} & 31",
    "sll": "a{r} = a{s} << 32 - sar & M",
    "srl": "a{r} = a{t} >> sar",
    "sra": "a{r} = (a{t} ^ SIGN) - SIGN >> sar & M",
    "l8ui": "a{t} = m8[y := a{s} + {imm} ^ BASE]",
    "l16ui": "y = a{s} + {imm} ^ BASE; a{t} = m16[y >> 1 | (y & 1) << 31]",
    "l32i": "y = a{s} + {imm} ^ BASE; a{t} = m32[y >> 2 | (y & 3) << 30]",
    "s8i": "m8[y := a{s} + {imm} ^ BASE] = a{t} & 0xFF",
    "s16i": "y = a{s} + {imm} ^ BASE; m16[y >> 1 | (y & 1) << 31] = a{t} & 0xFFFF",
    "s32i": "y = a{s} + {imm} ^ BASE; m32[y >> 2 | (y & 3) << 30] = a{t}",
    "callx8": "a10 = call(a{s}, a10, a11); a8 = a9 = a11 = a12 = a13 = a14 = a15 = garbage",
}
_CONDITIONS = {
    "beqz": "not a{s}",
    "bnez": "a{s}",
    "bltz": "a{s} >= SIGN",
    "bgez": "a{s} < SIGN",
    "beq": "a{s} == a{t}",
    "bne": "a{s} != a{t}",
    "bltu": "a{s} < a{t}",
    "bgeu": "a{s} >= a{t}",
    "blt": "a{s} ^ SIGN < a{t} ^ SIGN",
    "bge": "a{s} ^ SIGN >= a{t} ^ SIGN",
}
_NAMES = {"M": "0xFFFFFFFF", "SIGN": "0x80000000", "BASE": str(RAM_BASE)}
_NAME = re.compile(r"\b(?:M|SIGN|BASE)\b")


def _text(template: str, instruction: Instruction) -> str:
    text = template.format(r=instruction.r, s=instruction.s, t=instruction.t, imm=instruction.imm)
    return _NAME.sub(lambda found: _NAMES[found[0]], text)


class Translation:
    """`source` defines run(a1..a5, m8, m16, m32, call, garbage, limit) -> (a2, a0, instructions).

    It stops when `limit` is passed, with a0 = -1. `lines`: by line number of the source, the code offset.
    """

    def __init__(self, code: bytes) -> None:
        self._instructions = listing(code)
        starts = {0}
        for at, instruction in self._instructions.items():
            if instruction.op in BRANCHES:
                starts.add(instruction.imm)
                if self._instructions[at + instruction.size].op != "j":
                    starts.add(at + instruction.size)
            elif instruction.op == "j":
                starts.add(instruction.imm)
        self._blocks = {start: number for number, start in enumerate(sorted(starts))}
        self._text: list[str] = []
        self.lines: list[int] = [0]
        self._line(0, "def run(a1, a2, a3, a4, a5, m8, m16, m32, call, garbage, limit):", 0)
        self._line(0, f" a0 = {RETURN_ADDRESS}", 0)
        self._line(0, " a6 = a7 = a8 = a9 = a10 = a11 = a12 = a13 = a14 = a15 = garbage", 0)
        self._line(0, f" sar = {SAR}; n = b = 0", 0)
        self._line(0, " while n <= limit:", 0)
        self._tree(sorted(starts), 2)
        self._line(0, " return 0, -1, n", 0)
        self.source = "\n".join(self._text)

    def _line(self, indent: int, text: str, at: int) -> None:
        self._text.append(" " * indent + text)
        self.lines.append(at)

    def _tree(self, starts: list[int], indent: int) -> None:
        """Find the block numbered b by halving: the tree's depth is what entering a block costs."""
        if len(starts) == 1:
            self._block(starts[0], indent)
            return
        half = len(starts) // 2
        self._line(indent, f"if b < {self._blocks[starts[half]]}:", starts[0])
        self._tree(starts[:half], indent + 1)
        self._line(indent, "else:", starts[0])
        self._tree(starts[half:], indent + 1)

    def _block(self, start: int, indent: int) -> None:
        at, count = start, 0
        while True:
            instruction = self._instructions[at]
            count += 1
            following = at + instruction.size
            if instruction.op == "ret":
                self._line(indent, f"return a2, a0, n + {count}", at)
                return
            if instruction.op == "j":
                self._line(indent, f"n += {count}; b = {self._blocks[instruction.imm]}", at)
                return
            if instruction.op in BRANCHES:
                self._line(indent, f"if {_text(_CONDITIONS[instruction.op], instruction)}:", at)
                self._line(indent, f" n += {count}; b = {self._blocks[instruction.imm]}", at)
                jump = self._instructions[following]  # the emitter's usual pair, a short branch over a long jump
                to, count = (jump.imm, count + 1) if jump.op == "j" else (following, count)
                self._line(indent, f"else: n += {count}; b = {self._blocks[to]}", at)
                return
            self._line(indent, _text(_OPERATIONS[instruction.op], instruction), at)
            at = following
            if at in self._blocks:
                self._line(indent, f"n += {count}; b = {self._blocks[at]}", at)
                return
