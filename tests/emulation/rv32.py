"""RV32IMC (ESP32-C3, C6, H2) in unicorn. Source for registers and encoding: RISC-V unprivileged specification."""

import ctypes
from functools import cached_property

import unicorn.unicorn_const as const
from unicorn import riscv_const as reg
from unicorn.unicorn_py3.unicorn import Uc, UcError  # the package's own names for them carry no types

from .errors import EmulationError, MemoryFault
from .machine import GARBAGE, STACK_TOP, Machine
from .ram import RAM_BASE, RAM_SIZE
from .runtime import STUBS, STUBS_END
from .source import Function, Module

_CODE = 0x42000000  # where the ESP32-C3 maps its flash
_PAGE = 0x1000
_RETURN = STUBS + _PAGE - 4  # the caller: nothing runs there
_C_RET = b"\x82\x80\x00\x00"  # c.ret, and an illegal instruction to fill the slot

_SAVED = (
    reg.UC_RISCV_REG_SP,
    reg.UC_RISCV_REG_S0,
    reg.UC_RISCV_REG_S1,
    *range(reg.UC_RISCV_REG_S2, reg.UC_RISCV_REG_S11 + 1),
)
_ARGUMENTS = tuple(range(reg.UC_RISCV_REG_A0, reg.UC_RISCV_REG_A7 + 1))
_TEMPORARIES = tuple(range(reg.UC_RISCV_REG_T0, reg.UC_RISCV_REG_T2 + 1)) + tuple(
    range(reg.UC_RISCV_REG_T3, reg.UC_RISCV_REG_T6 + 1)
)
_WRITES = (const.UC_MEM_WRITE, const.UC_MEM_WRITE_PROT, const.UC_MEM_WRITE_UNMAPPED)


class Rv32Machine(Machine):
    """Counts by basic block: unicorn tells each block it enters, whose instructions are counted once."""

    def __init__(self, module: Module, strict: bool = True, limit: int = 10**9) -> None:
        super().__init__(module, strict, limit)
        self._starts: dict[str, int] = {}
        self._block_counts: dict[tuple[int, int], int] = {}
        image = b""
        for name, function in module.functions.items():
            self._starts[name] = _CODE + len(image)
            image += function.code + bytes(-len(function.code) % 16)
        self._code_end = _CODE + len(image)
        self._image = image

    @cached_property
    def _uc(self) -> Uc:
        uc = Uc(const.UC_ARCH_RISCV, const.UC_MODE_RISCV32)
        uc.mem_map(STUBS, _PAGE, const.UC_PROT_READ | const.UC_PROT_EXEC)
        uc.mem_write(STUBS, _C_RET * ((STUBS_END - STUBS) // 4))
        uc.mem_map(_CODE, (len(self._image) // _PAGE + 1) * _PAGE, const.UC_PROT_READ | const.UC_PROT_EXEC)
        uc.mem_write(_CODE, self._image)
        ram = ctypes.addressof(ctypes.c_char.from_buffer(self.ram.memory))
        uc.mem_map_ptr(RAM_BASE, RAM_SIZE, const.UC_PROT_READ | const.UC_PROT_WRITE, ram)
        uc.hook_add(const.UC_HOOK_BLOCK, self._on_block)
        uc.hook_add(const.UC_HOOK_MEM_INVALID, self._on_access)
        if self.strict:
            uc.hook_add(const.UC_HOOK_MEM_READ | const.UC_HOOK_MEM_WRITE, self._on_access)
        return uc

    def _run(self, function: Function, registers: tuple[int, int, int, int]) -> int:
        uc = self._uc
        self._start = self._starts[function.name]
        self._refused: MemoryFault | None = None
        before = {register: GARBAGE ^ register << 8 for register in _SAVED + _ARGUMENTS + _TEMPORARIES}
        before.update(zip(_ARGUMENTS, registers, strict=False))
        before[reg.UC_RISCV_REG_SP] = STACK_TOP
        for register, value in before.items():
            uc.reg_write(register, value)
        uc.reg_write(reg.UC_RISCV_REG_RA, _RETURN)
        try:
            uc.emu_start(self._start, _RETURN)
        except UcError as error:
            raise self._refused or EmulationError(f"{error}, code offset {self._offset():#x}") from None
        if any(uc.reg_read(register) != before[register] for register in _SAVED):
            raise EmulationError("returned without restoring the caller's registers")
        return int(uc.reg_read(reg.UC_RISCV_REG_A0))

    def _on_block(self, uc: Uc, address: int, size: int, _: object) -> None:
        if STUBS <= address < STUBS_END:
            self._on_helper(address)
            return
        count = self._block_counts.get((address, size))
        if count is None:
            count = self._block_counts[address, size] = _count(bytes(uc.mem_read(address, size)))
        self.instructions += count
        if self.instructions > self.limit:
            raise EmulationError(f"ran for more than {self.limit} instructions")

    def _on_helper(self, address: int) -> None:
        """Put the result where `ret` of the stub finds it, and garbage where a C function may leave some."""
        uc = self._uc
        result = self._helper(address, uc.reg_read(reg.UC_RISCV_REG_A0), uc.reg_read(reg.UC_RISCV_REG_A1))
        for register in _ARGUMENTS[1:] + _TEMPORARIES:
            uc.reg_write(register, GARBAGE)
        uc.reg_write(reg.UC_RISCV_REG_A0, result)

    def _on_access(self, uc: Uc, access: int, address: int, size: int, value: int, _: object) -> bool:
        write = access in _WRITES
        if self.ram.allows(address, size, write):
            return True
        self._refused = self._fault(address, size, write, self._offset())
        raise self._refused

    def _offset(self) -> int:
        return int(self._uc.reg_read(reg.UC_RISCV_REG_PC)) - self._start


def _count(code: bytes) -> int:
    """Instructions in a block: those whose lowest two bits are both set take four bytes, the others two."""
    count = at = 0
    while at < len(code):
        at += 4 if code[at] & 3 == 3 else 2
        count += 1
    return count
