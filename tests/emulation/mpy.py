"""Reader of `.mpy` files, version 6.3: the machine code of a module's viper functions and the tables it uses.

Source of the format: `mp_raw_code_load` in MicroPython's py/persistentcode.c.
"""

from dataclasses import dataclass, field
from typing import Literal

Architecture = Literal["rv32imc", "xtensawin"]

_VERSION, _SUB_VERSION = 6, 3
_ARCHITECTURE_NUMBER: dict[Architecture, int] = {"xtensawin": 10, "rv32imc": 11}  # MP_NATIVE_ARCH_* in the same source
_NO_NATIVE_CODE = 0
_HAS_ARCHITECTURE_FLAGS = 0x40

_BYTECODE, _NATIVE, _VIPER, _ASSEMBLER = range(4)
_HAS_CHILDREN = 4
_NATIVE_MODULE_FLAGS = 0x70  # rodata, bss or relocations: written in C, not made from viper

_FUN_TABLE, _LAST_SINGLETON, _INT, _TUPLE = 0, 4, 7, 10
_ZERO_TERMINATED = (5, 6)  # str and bytes
_WORD = 4


@dataclass
class MpyFile:
    """What a module holds; `codes` has the module's own viper functions in the order of their `def`s.

    `natives` has the machine code of what is native without being viper, methods included.
    """

    qstrs: list[str] = field(default_factory=list)
    fun_table_index: int | None = None
    ints: dict[int, int] = field(default_factory=dict)
    object_count: int = 0
    codes: list[bytes] = field(default_factory=list)
    natives: list[bytes] = field(default_factory=list)


def read_mpy(data: bytes, architecture: Architecture) -> MpyFile:
    """Parse a whole `.mpy`; ValueError when it is not version 6.3, of another architecture or a native C module.

    One without machine code is of every architecture.
    """
    if len(data) < 4 or data[0] != ord("M") or data[1] != _VERSION:
        raise ValueError("not a .mpy file of version 6")
    if data[2] != _NO_NATIVE_CODE and data[2] & 3 != _SUB_VERSION:
        raise ValueError("the .mpy file's machine code is not of version 6.3")
    if data[2] != _NO_NATIVE_CODE and data[2] >> 2 & 15 != _ARCHITECTURE_NUMBER[architecture]:
        raise ValueError(f"the .mpy file is not for {architecture}")
    return _Reader(data).module()


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 4
        self.file = MpyFile()

    def module(self) -> MpyFile:
        if self.data[2] & _HAS_ARCHITECTURE_FLAGS:
            self.uint()
        qstr_count, self.file.object_count = self.uint(), self.uint()
        self.file.qstrs = [self.qstr() for _ in range(qstr_count)]
        for index in range(self.file.object_count):
            self.constant(index)
        self.raw_code(depth=0)
        if self.at != len(self.data):
            raise ValueError(f"{len(self.data) - self.at} bytes left over behind the module's code")
        return self.file

    def take(self, length: int) -> bytes:
        start, self.at = self.at, self.at + length
        if self.at > len(self.data):
            raise ValueError("the .mpy file is cut short")
        return self.data[start : self.at]

    def uint(self) -> int:
        """Variable length, seven bits a byte, most significant first."""
        value = 0
        while True:
            byte = self.take(1)[0]
            value = value << 7 | byte & 0x7F
            if byte < 0x80:
                return value

    def qstr(self) -> str:
        length = self.uint()
        if length & 1:
            return f"<built-in name {length >> 1}>"
        return self.take((length >> 1) + 1)[:-1].decode()

    def constant(self, index: int | None) -> None:
        kind = self.uint()
        if kind == _FUN_TABLE:
            self.file.fun_table_index = index
        elif kind > _LAST_SINGLETON:
            length = self.uint()
            if kind == _TUPLE:
                for _ in range(length):
                    self.constant(None)
                return
            text = self.take(length + (kind in _ZERO_TERMINATED))
            if kind == _INT and index is not None:
                self.file.ints[index] = int(text)

    def raw_code(self, depth: int) -> None:
        header = self.uint()
        kind, code = header & 3, self.take(header >> 3)
        if kind == _NATIVE:
            prelude_at = self.uint()
            self.file.natives.append(code[_WORD:prelude_at])  # the first word is the VM's
        elif kind == _VIPER:
            if self.uint() & _NATIVE_MODULE_FLAGS:
                raise ValueError("the .mpy file is a native module in C")
            if depth == 1:
                self.file.codes.append(code)
        elif kind == _ASSEMBLER:
            for _ in ("scope flags", "argument count", "type signature"):
                self.uint()
        if header & _HAS_CHILDREN:
            for _ in range(self.uint()):
                self.raw_code(depth + 1)
