"""The Xtensa machine that has qemu repeat some of its calls, where there is a qemu."""

from collections import Counter

from . import qemu
from .errors import EmulationError
from .source import Function, Module
from .xtensa import XtensaMachine


class QemuError(EmulationError):
    """The translated code and qemu do not agree."""


class CheckedXtensaMachine(XtensaMachine):
    """Of each function calls 1, 4, 16, ... are repeated in qemu: result, instructions and all of the RAM are the same.

    `checked` counts them. A call that fails is not repeated: no core refuses what the strict machine does.
    """

    def __init__(self, module: Module, strict: bool = True, limit: int = 10**9) -> None:
        super().__init__(module, strict, limit)
        self.checked = 0
        self._calls: Counter[str] = Counter()

    def _run(self, function: Function, registers: tuple[int, int, int, int]) -> int:
        self._calls[function.name] += 1
        number = self._calls[function.name]
        if number.bit_count() > 1 or number.bit_length() % 2 == 0 or not qemu.available():
            return super()._run(function, registers)
        before = self.ram.memory[:]
        result = super()._run(function, registers)
        self.checked += 1
        wanted = qemu.run(function.code, registers, before)
        found = qemu.Outcome(result, self.instructions + qemu.HELPER_LEN * self.helper_calls, self.ram.memory[:])
        if found != wanted:
            raise QemuError(_describe(found, wanted))
        return result


def _describe(found: qemu.Outcome, wanted: qemu.Outcome) -> str:
    if found.result != wanted.result:
        return f"result {found.result:#010x}, qemu {wanted.result:#010x}"
    if found.instructions != wanted.instructions:
        return f"{found.instructions} instructions with the helpers', qemu {wanted.instructions}"
    at = next(i for i in range(len(found.ram)) if found.ram[i] != wanted.ram[i])
    return f"byte {at:#x} of the RAM: {found.ram[at]:#04x}, qemu {wanted.ram[at]:#04x}"
