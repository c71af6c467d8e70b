"""Runs the machine code that `mpy-cross` makes of viper functions, as 32-bit boards run it, and counts instructions.

    machine = compile_source("firmware/tinyseal/kernels.py", "rv32imc")
    result = machine.call("dense", weights, inputs, outputs, 128)      # integers, bytes, bytearray, array, memoryview
    print(result, machine.instructions)
    for finding in lint(compile_module("firmware/tinyseal/kernels.py", "xtensawin").functions["dense"].code):
        print(finding)

The functions must be leaves: no globals, no calls, no exceptions. The counts are instructions, not cycles.
"""

from pathlib import Path

from .errors import EmulationError, MemoryFault, Misaligned, Overrun, RuntimeCall
from .machine import Machine
from .mpy import Architecture
from .rv32 import Rv32Machine
from .source import Function, Module, compile_module
from .xtensa import XtensaMachine
from .xtensa_checked import CheckedXtensaMachine, QemuError
from .xtensa_lint import Finding, lint

ARCHITECTURES: tuple[Architecture, ...] = ("rv32imc", "xtensawin")


def compile_source(
    path: Path | str, architecture: Architecture, *, strict: bool = True, checked: bool = False
) -> Machine:
    """A machine with the viper functions of a Python file; ValueError when `mpy-cross` refuses the file.

    `checked`: Xtensa's has qemu repeat some of its calls, where there is a qemu.
    """
    module = compile_module(path, architecture)
    if architecture == "rv32imc":
        return Rv32Machine(module, strict)
    return CheckedXtensaMachine(module, strict) if checked else XtensaMachine(module, strict)


__all__ = [
    "ARCHITECTURES",
    "Architecture",
    "CheckedXtensaMachine",
    "EmulationError",
    "Finding",
    "Function",
    "Machine",
    "MemoryFault",
    "Misaligned",
    "Module",
    "Overrun",
    "QemuError",
    "RuntimeCall",
    "compile_module",
    "compile_source",
    "lint",
]
