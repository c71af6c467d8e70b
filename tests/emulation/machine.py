"""What the emulated machines have in common: calling a viper function with Python integers and buffers."""

from abc import ABC, abstractmethod

from .arguments import Argument, Arguments
from .errors import EmulationError, MemoryFault, Misaligned
from .ram import RAM_BASE, RAM_SIZE, Ram
from .runtime import call_helper, runtime_image, signed
from .source import Function, Module

STACK_TOP = RAM_BASE + RAM_SIZE - 0x1000
_STACK_SIZE = 0x4000  # the stack of MicroPython's main task on the ESP32 ports
_RUNTIME, _BUFFERS = RAM_BASE + 0x1000, RAM_BASE + 0x8000
GARBAGE = 0xBAD0BAD1
"""What registers without a defined value hold: no address of anything, and odd."""


class Machine(ABC):
    """Runs the viper functions of one module.

    `strict` checks every load and store: alignment, and that it stays within the buffers of the call. Without it
    (some ten times faster) only addresses outside the RAM and changed bytes around the buffers are noticed.

    `instructions` is the count of the last call, from the function's first to its last instruction: argument
    unpacking is in it, the runtime's own part is not (what calls it, the type conversions, division).
    `helper_calls` is how often the function called into the runtime: two a call and one an argument, and the divisions.
    """

    def __init__(self, module: Module, strict: bool = True, limit: int = 10**9) -> None:
        self.module = module
        self.strict = strict
        self.limit = limit  # instructions a call may take
        self.instructions = 0
        self.helper_calls = 0
        self.ram = Ram()
        self._arguments = Arguments({})
        self._touched = _BUFFERS
        self._stack_fill = GARBAGE.to_bytes(4, "little") * (_STACK_SIZE // 4)
        self.ram.allow(STACK_TOP - _STACK_SIZE, _STACK_SIZE, write=True)

    def call(self, name: str, *values: Argument) -> int:
        """Call a function; its result as a signed 32-bit integer, 0 for None. The buffers are updated.

        Errors: EmulationError and its kinds; TypeError and OverflowError for arguments that do not fit.
        """
        function = self.module.functions[name]
        if len(values) != len(function.arguments):
            raise TypeError(f"{name} takes {len(function.arguments)} arguments, got {len(values)}")
        named = {n: (kind, value) for (n, kind), value in zip(function.arguments, values, strict=True)}
        self._arguments = Arguments(named)
        self.instructions = self.helper_calls = 0
        self.ram.forbid(_RUNTIME, self._touched)
        words = self._arguments.place(self.ram, _BUFFERS, STACK_TOP - _STACK_SIZE)
        self._touched = self._arguments.end
        image, words_at = runtime_image(self.module.mpy, _RUNTIME, words)
        if _RUNTIME + len(image) > _BUFFERS:
            raise MemoryError(f"the module's tables take {len(image)} bytes")
        self.ram.write(_RUNTIME, image)
        self.ram.allow(_RUNTIME, len(image), write=False)
        self.ram.write(STACK_TOP - _STACK_SIZE, self._stack_fill)
        try:
            result = self._run(function, (_RUNTIME, len(words), 0, words_at))
            self._arguments.collect(self.ram)
        except EmulationError as error:
            raise type(error)(f"{name}: {error}") from None
        return signed(result)

    @abstractmethod
    def _run(self, function: Function, registers: tuple[int, int, int, int]) -> int:
        """Run from the function's start until it returns; its result word. Sets `instructions`."""

    def _helper(self, address: int, first: int, second: int) -> int:
        self.helper_calls += 1
        return call_helper(self.module.mpy, address, first, second)

    def _fault(self, address: int, size: int, write: bool, offset: int | None) -> MemoryFault:
        """The error for a refused access; `offset`: of the instruction in the function's code, when known."""
        kind = Misaligned if address & (size - 1) else MemoryFault
        what = f"{'store' if write else 'load'} of {8 * size} bits at {address:#010x}"
        where = f", code offset {offset:#x}" if offset is not None else ""
        near = self._arguments.describe(address)
        return kind(f"{what}{where}" + (f" ({near})" if near else ""))
