"""Xtensa with register windows (ESP32, S2, S3): its code translated to Python and run."""

from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from .errors import EmulationError
from .machine import GARBAGE, STACK_TOP, Machine
from .ram import RAM_BASE, Ram
from .source import Function, Module
from .xtensa_isa import STORES, decode
from .xtensa_python import RETURN_ADDRESS, Translation

_ACCESS_SIZE = {"8": 1, "1": 2, "3": 4}  # second character of l8ui, s16i, ...


@dataclass
class _Compiled:
    run: Callable[..., tuple[int, int, int]]
    lines: list[int]


class XtensaMachine(Machine):
    """A function is translated at its first call."""

    def __init__(self, module: Module, strict: bool = True, limit: int = 10**9) -> None:
        super().__init__(module, strict, limit)
        self._compiled: dict[str, _Compiled] = {}
        whole = memoryview(self.ram.memory)
        views = (whole, whole.cast("H"), whole.cast("I"))
        self._views: tuple[Any, ...] = (
            tuple(_CheckedView(view, self.ram, 1 << bits) for bits, view in enumerate(views)) if strict else views
        )

    def _run(self, function: Function, registers: tuple[int, int, int, int]) -> int:
        compiled = self._compiled.get(function.name) or self._compile(function)
        try:
            result, a0, self.instructions = compiled.run(
                STACK_TOP, *registers, *self._views, self._helper, GARBAGE, self.limit
            )
        except IndexError as error:
            raise self._explain(function, compiled, error.__traceback__) from None
        if a0 == -1:
            raise EmulationError(f"ran for more than {self.limit} instructions")
        if a0 != RETURN_ADDRESS:
            raise EmulationError("overwrote its return address")
        return result

    def _compile(self, function: Function) -> _Compiled:
        try:
            translation = Translation(function.code)
        except ValueError as error:
            raise EmulationError(str(error)) from None
        names: dict[str, Any] = {}
        exec(compile(translation.source, f"<xtensa {function.name}>", "exec"), names)  # text of our own making
        made = self._compiled[function.name] = _Compiled(names["run"], translation.lines)
        return made

    def _explain(self, function: Function, compiled: _Compiled, trace: TracebackType | None) -> EmulationError:
        """The memory error behind an IndexError of the translated code, whose frame knows the address."""
        while trace is not None and trace.tb_frame.f_code is not compiled.run.__code__:
            trace = trace.tb_next
        assert trace is not None
        offset = compiled.lines[trace.tb_lineno]
        op = decode(function.code, offset).op
        address = (trace.tb_frame.f_locals["y"] ^ RAM_BASE) & 0xFFFFFFFF
        return self._fault(address, _ACCESS_SIZE[op[1]], op in STORES, offset)


class _CheckedView:
    """A view of the RAM that refuses what the call's buffers do not allow. Its index is as in the translation."""

    def __init__(self, view: memoryview, ram: Ram, size: int) -> None:
        self._view, self._ram, self._size = view, ram, size

    def _check(self, index: int, write: bool) -> None:
        if index >= len(self._view) or not self._ram.allows(RAM_BASE + index * self._size, self._size, write):
            raise IndexError

    def __getitem__(self, index: int) -> int:
        self._check(index, False)
        return int(self._view[index])

    def __setitem__(self, index: int, value: int) -> None:
        self._check(index, True)
        self._view[index] = value
