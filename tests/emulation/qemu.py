"""Runs the Xtensa code of one function in Debian's `qemu-system-xtensa`: what the translator is checked against.

No board and no devices: machine `none`, core de212 (windowed calls, 32-bit multiplier), memory from address 0 on, so
that RAM and helpers lie where the translator has them. A short program calls the function with the registers that the
translator gives it, and hands its result, the cycle counter and all of the RAM to standard output by semihosting. With
`-icount` an instruction takes 2^10 ns of qemu's clock, which is what the cycle counter shows.

Sources: Xtensa ISA Reference Manual for encodings and windows; QEMU's target/xtensa/xtensa-semi.c for `simcall`.
"""

import shutil
import struct
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from .errors import EmulationError
from .machine import GARBAGE, STACK_TOP
from .ram import RAM_BASE, RAM_SIZE
from .runtime import STUBS, STUBS_END, helper_address
from .xtensa_python import RETURN_ADDRESS, SAR

PROGRAM = "qemu-system-xtensa"
HELPER_LEN = 11
"""Instructions that each call of a helper counts."""

_MEMORY_MIB = 1057  # from 0 to behind _RETURN
_START, _END, _RESULTS, _CODE = (STUBS + at for at in (0x1000, 0x1400, 0x1800, 0x2000))
_RETURN = STUBS | RETURN_ADDRESS & 0x3FFFFFFF  # a0's top two bits are how far the window moves back, not an address's
_SHIFT = 10
_TICKS = (1 << _SHIFT) * 40 / 1000  # of the core's 40 MHz, an instruction
_AROUND = 4  # instructions that the counter shows for a function of none, as functions of known lengths tell
_REFUSED = 3  # exit status: called a helper that no leaf needs

_WINDOWSTART, _SAR, _PS, _CCOUNT = 73, 3, 230, 234  # special registers
_ENABLED, _CALL8 = 0x4000F, 0x6000F  # of PS: window overflows and no interrupts; and CALLINC as callx8 sets it
_EXIT, _WRITE = 1, 4  # what simcall does
_RSYNC, _SIMCALL, _RETW = 0x002010, 0x005100, 0x000090


@dataclass(frozen=True)
class Outcome:
    """Of one call: the result word, the instructions with HELPER_LEN for each helper called, and the RAM afterwards."""

    result: int
    instructions: int
    ram: bytes


def available() -> bool:
    """Whether there is a qemu to ask."""
    return shutil.which(PROGRAM) is not None


def run(code: bytes, registers: tuple[int, int, int, int], ram: bytes) -> Outcome:
    """Call a function with `registers` in its a2..a5 and with `ram`. EmulationError: qemu did not get to the end."""
    above = _helpers().ljust(_START - STUBS, b"\0") + _start(registers)
    above = above.ljust(_END - STUBS, b"\0") + _end()
    with tempfile.TemporaryDirectory(prefix="tinyseal-qemu-") as folder:
        image, back = Path(folder) / "image", Path(folder) / "back"
        image.write_bytes(ram + above.ljust(_CODE - STUBS, b"\0") + code)
        back.write_bytes((0xA0 | 6 << 8).to_bytes(3, "little"))  # jx a6
        command = [PROGRAM, "-M", "none", "-cpu", "de212", "-m", f"{_MEMORY_MIB}M", "-display", "none"]
        command += ["-monitor", "none", "-serial", "none", "-semihosting", "-icount", f"shift={_SHIFT}"]
        for path, address in ((image, RAM_BASE), (back, _RETURN)):
            command += ["-device", f"loader,file={path},addr={address:#x},force-raw=on"]
        command += ["-device", f"loader,addr={_START:#x},cpu-num=0"]
        try:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)
        except subprocess.TimeoutExpired as error:
            raise EmulationError(f"{PROGRAM} ran for more than {error.timeout} s") from None
    if done.returncode or len(done.stdout) != 8 + RAM_SIZE:
        what = done.stderr.decode(errors="replace").strip()
        raise EmulationError(f"{PROGRAM}: exit status {done.returncode}, {len(done.stdout)} bytes; {what}")
    result, ticks = struct.unpack_from("<2I", done.stdout)
    return Outcome(result, round(ticks / _TICKS) - _AROUND, done.stdout[8:])


class _Assembler:
    """Instructions from an address on, and before them, jumped over, the words that `load` may ask for."""

    def __init__(self, origin: int, *words: int) -> None:
        self.code = b""
        self._origin = origin
        self._words = words
        if words:
            self.jump(origin + 4 + 4 * len(words))
            self.code += b"\0" + struct.pack(f"<{len(words)}I", *words)

    @property
    def here(self) -> int:
        return self._origin + len(self.code)

    def emit(self, *instructions: int) -> None:
        self.code += b"".join(word.to_bytes(3, "little") for word in instructions)

    def jump(self, target: int) -> None:
        """j."""
        self.emit(6 | (target - self.here - 4 & 0x3FFFF) << 6)

    def load(self, t: int, word: int) -> None:
        """l32r."""
        at = self._origin + 4 + 4 * self._words.index(word)
        self.emit(1 | t << 4 | ((at - (self.here + 3 & ~3)) // 4 & 0xFFFF) << 8)

    def movi(self, t: int, value: int) -> None:
        self.emit(2 | t << 4 | (value >> 8 & 15) << 8 | 10 << 12 | (value & 255) << 16)

    def rrr(self, name: str, r: int, s: int, t: int) -> None:
        """Of three registers, by the two digits that the manual gives as op2 and op1."""
        digits = {"or": 0x20, "xor": 0x30, "add": 0x80, "sub": 0xC0, "quos": 0xD2, "rems": 0xF2}
        digits |= {"moveqz": 0x83, "movltz": 0xA3}
        self.emit(digits[name] << 16 | r << 12 | s << 8 | t << 4)

    def store(self, t: int, s: int, offset: int) -> None:
        """s32i."""
        self.emit(2 | t << 4 | s << 8 | 6 << 12 | offset // 4 << 16)

    def read_special(self, t: int, register: int) -> None:
        self.emit(0x030000 | register << 8 | t << 4)

    def write_special(self, t: int, register: int) -> None:
        self.emit(0x130000 | register << 8 | t << 4)

    def rotate(self, steps: int) -> None:
        """rotw: the window moves by four registers a step."""
        self.emit(0x408000 | (steps & 15) << 4)

    def exit(self, status: int) -> None:
        self.movi(2, _EXIT)
        self.movi(3, status)
        self.emit(_SIMCALL)


def _start(registers: tuple[int, int, int, int]) -> bytes:
    """Set what the function finds, and jump to it as if by a callx8 before RETURN_ADDRESS. Its a0 is a8 here."""
    a = _Assembler(_START, _ENABLED, _CALL8, GARBAGE, STACK_TOP, RETURN_ADDRESS, _CODE, _END, *registers)
    a.movi(2, 1)
    a.write_special(2, _WINDOWSTART)  # 0 after qemu's reset: no window at all
    a.load(2, _ENABLED)
    a.write_special(2, _PS)
    a.emit(_RSYNC)
    a.movi(2, SAR)
    a.write_special(2, _SAR)
    a.rotate(2)
    for register in range(8, 16):  # which the function sees with the same names
        a.load(register, GARBAGE)
    a.rotate(-2)
    for register, word in zip(range(10, 14), registers, strict=True):
        a.load(register, word)
    a.load(14, GARBAGE)
    a.load(15, GARBAGE)
    a.load(1, STACK_TOP)
    a.load(6, _END)
    a.load(8, RETURN_ADDRESS)
    a.load(9, _CODE)
    a.load(2, _CALL8)
    a.write_special(2, _PS)
    a.emit(_RSYNC)
    a.read_special(4, _CCOUNT)
    a.emit(0xA0 | 9 << 8)  # jx a9
    return a.code


def _end() -> bytes:
    """Hand over what came of it: the result in a10, and the counter, whose first reading is in a4."""
    a = _Assembler(_END, _RESULTS, RAM_BASE, RAM_SIZE)
    a.read_special(5, _CCOUNT)
    a.rrr("sub", 5, 5, 4)
    a.load(7, _RESULTS)
    a.store(10, 7, 0)
    a.store(5, 7, 4)
    for address in (_RESULTS, RAM_BASE):
        a.movi(2, _WRITE)
        a.movi(3, 1)  # standard output
        a.load(4, address)
        if address == RAM_BASE:
            a.load(5, RAM_SIZE)
        else:
            a.movi(5, 8)
        a.emit(_SIMCALL)
    a.exit(0)
    return a.code


def _helpers() -> bytes:
    """The slots, each a jump, and what they jump to: what `call_helper` does, always in HELPER_LEN instructions."""
    a = _Assembler(STUBS_END)
    bodies: dict[int, int] = {}
    for name in ("convert_obj_to_native", "convert_native_to_obj", "swap_globals", "floor_divide", "modulo"):
        bodies[helper_address(name)] = a.here
        a.emit(0x36 | 1 << 8 | 32 // 8 << 12)  # entry a1, 32
        start = len(a.code)
        if name == "swap_globals":
            a.movi(2, 0)
        elif name in ("floor_divide", "modulo"):
            # Division is towards zero here, and the remainder a4 has the dividend's sign. When it is there, and has not
            # the divisor's, then a6 is added to what is to be: -1 to the quotient, the divisor to the remainder.
            a.rrr("rems", 4, 2, 3)
            a.rrr("xor", 5, 4, 3)
            if name == "floor_divide":
                a.rrr("quos", 2, 2, 3)
                a.movi(3, -1)
            else:
                a.rrr("or", 2, 4, 4)
            a.movi(6, 0)
            a.rrr("movltz", 6, 3, 5)
            a.rrr("moveqz", 6, 4, 4)
            a.rrr("add", 2, 2, 6)
        while len(a.code) < start + 3 * (HELPER_LEN - 3):  # less the jump, entry and retw
            a.rrr("or", 4, 4, 4)
        a.emit(_RETW)
    refused = a.here
    a.exit(_REFUSED)
    slots = _Assembler(STUBS)
    for address in range(STUBS, STUBS_END, 4):
        slots.jump(bodies.get(address, refused))
        slots.code += b"\0"
    return slots.code + a.code
