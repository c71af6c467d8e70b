"""Decoder for the Xtensa instructions that MicroPython's native emitter uses (windowed calls).

Sources: Xtensa Instruction Set Architecture Reference Manual, chapters 6 and 7, for the encoding; py/asmxtensa.h of
MicroPython for which of them occur. The narrow forms get the names of the wide ones, which do the same.
"""

from dataclasses import dataclass

_RRR = {  # (op2, op1) of the RRR format with op0 = 0
    (1, 0): "and",
    (2, 0): "or",
    (3, 0): "xor",
    (6, 0): "neg",
    (8, 0): "add",
    (9, 0): "addx2",
    (10, 0): "addx4",
    (12, 0): "sub",
    (9, 1): "srl",
    (10, 1): "sll",
    (11, 1): "sra",
    (8, 2): "mull",
}
_UNUSED_FIELD = {"neg": "s", "srl": "s", "sra": "s", "sll": "t"}  # zero, or it is another instruction
_LOAD_STORE = {0: "l8ui", 1: "l16ui", 2: "l32i", 4: "s8i", 5: "s16i", 6: "s32i"}
_BRANCH_ZERO = ("beqz", "bnez", "bltz", "bgez")
_BRANCH = {1: "beq", 2: "blt", 3: "bltu", 9: "bne", 10: "bge", 11: "bgeu"}
_RETW_N = 0xF01D

BRANCHES = frozenset(_BRANCH_ZERO) | frozenset(_BRANCH.values())
STORES = frozenset(("s8i", "s16i", "s32i"))


@dataclass(frozen=True)
class Instruction:
    """One instruction; r, s, t as in the manual. `imm`: constant, byte offset, or the code offset branched to."""

    op: str
    size: int
    r: int = 0
    s: int = 0
    t: int = 0
    imm: int = 0

    @property
    def written(self) -> int | None:
        """The register it sets, a callee's aside."""
        if self.op in BRANCHES | STORES | {"j", "ret", "callx8", "ssl", "ssr"}:
            return None
        if self.op == "entry":
            return self.s
        return self.t if self.op in _T_IS_WRITTEN else self.r

    @property
    def read(self) -> frozenset[int]:
        """The registers whose values it uses."""
        if self.op in ("movi", "l32r", "j", "ret"):
            return frozenset()
        if self.op in ("neg", "srl", "sra"):
            return frozenset((self.t,))
        if self.op in _ONLY_S_IS_READ:
            return frozenset((self.s,))
        return frozenset((self.s, self.t))


_LOADS = frozenset(("l8ui", "l16ui", "l32i"))
_T_IS_WRITTEN = _LOADS | {"l32r", "movi", "addi", "mov"}
_ONLY_S_IS_READ = _LOADS | frozenset(_BRANCH_ZERO) | {"addi", "mov", "sll", "ssl", "ssr", "entry", "callx8"}


def decode(code: bytes, at: int) -> Instruction:
    """The instruction at an offset; ValueError for any that the emitter does not use."""
    word = int.from_bytes(code[at : at + 3], "little")
    op0, t, s, r, imm8 = word & 15, word >> 4 & 15, word >> 8 & 15, word >> 12 & 15, word >> 16 & 255
    if op0 >= 8:
        found = _narrow(op0, r, s, t, word & 0xFFFF)
    elif op0 == 0:
        found = _register(word >> 20 & 15, word >> 16 & 15, r, s, t)
    elif op0 == 1:  # l32r: 16 bits of a negative word offset from the next word boundary
        literal = ((at + 3) & ~3) + ((word >> 8) - 0x10000) * 4
        found = Instruction("l32r", 3, t=t, imm=int.from_bytes(code[literal : literal + 4], "little"))
    elif op0 == 2:
        found = _immediate(r, s, t, imm8)
    elif op0 == 6:
        found = _jump(word, at)
    elif op0 == 7 and r in _BRANCH:
        found = Instruction(_BRANCH[r], 3, s=s, t=t, imm=at + 4 + _signed(imm8, 8))
    else:
        found = None
    if found is None or at + found.size > len(code):
        raise ValueError(f"code offset {at:#x}: {word:06x} is no instruction that MicroPython emits")
    return found


def _narrow(op0: int, r: int, s: int, t: int, word: int) -> Instruction | None:
    if op0 in (8, 9):
        return Instruction("l32i" if op0 == 8 else "s32i", 2, s=s, t=t, imm=4 * r)
    if op0 == 10:
        return Instruction("add", 2, r=r, s=s, t=t)
    if op0 == 12 and t < 8:  # movi.n: -32..95
        value = t << 4 | r
        return Instruction("movi", 2, t=s, imm=value - 128 if value >= 96 else value)
    if op0 == 13 and r == 0:
        return Instruction("mov", 2, s=s, t=t)
    return Instruction("ret", 2) if word == _RETW_N else None


def _register(op2: int, op1: int, r: int, s: int, t: int) -> Instruction | None:
    if (op2, op1, r, t) == (0, 0, 0, 14):
        return Instruction("callx8", 3, s=s)
    if (op2, op1, t) == (4, 0, 0) and r < 2:
        return Instruction("ssl" if r else "ssr", 3, s=s)
    name = _RRR.get((op2, op1))
    found = Instruction(name, 3, r=r, s=s, t=t) if name else None
    return None if found and name in _UNUSED_FIELD and getattr(found, _UNUSED_FIELD[name]) else found


def _immediate(r: int, s: int, t: int, imm8: int) -> Instruction | None:
    if r in _LOAD_STORE:
        return Instruction(_LOAD_STORE[r], 3, s=s, t=t, imm=imm8 << (r & 3))
    if r == 10:
        return Instruction("movi", 3, t=t, imm=_signed(s << 8 | imm8, 12))
    return Instruction("addi", 3, s=s, t=t, imm=_signed(imm8, 8)) if r == 12 else None


def _jump(word: int, at: int) -> Instruction | None:
    n, m, s = word >> 4 & 3, word >> 6 & 3, word >> 8 & 15
    if n == 0:
        return Instruction("j", 3, imm=at + 4 + _signed(word >> 6, 18))
    if n == 1:
        return Instruction(_BRANCH_ZERO[m], 3, s=s, imm=at + 4 + _signed(word >> 12, 12))
    return Instruction("entry", 3, s=s, imm=8 * (word >> 12)) if (n, m) == (3, 0) else None


def _signed(value: int, bits: int) -> int:
    return value - ((value << 1) & 1 << bits)


def listing(code: bytes) -> dict[int, Instruction]:
    """Every instruction reached from the function's start, by code offset and in its order."""
    found: dict[int, Instruction] = {}
    open_ends = [0]
    while open_ends:
        at = open_ends.pop()
        while at not in found:
            instruction = found[at] = decode(code, at)
            if instruction.op == "ret":
                break
            if instruction.op in BRANCHES:
                open_ends.append(instruction.imm)
            at = instruction.imm if instruction.op == "j" else at + instruction.size
    return dict(sorted(found.items()))
