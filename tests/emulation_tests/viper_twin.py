"""Viper source run as plain Python, with 32-bit words: what the emulated machines are compared with."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

_BITS = 0xFFFFFFFF


class Word:
    """A viper `int` or `uint`: arithmetic wraps at 32 bits, `>>` is arithmetic for `int` and logical for `uint`."""

    def __init__(self, value: int | Word, signed: bool = True) -> None:
        bits = int(value) & _BITS
        self.signed = signed
        self.value = bits - ((bits << 1) & 1 << 32) if signed else bits

    def __int__(self) -> int:
        return self.value

    def __index__(self) -> int:
        return self.value

    def __bool__(self) -> bool:
        return self.value != 0

    def __neg__(self) -> Word:
        return Word(-self.value, self.signed)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, int | Word) and self.value == int(other)

    def __hash__(self) -> int:
        return hash(self.value)

    def __lt__(self, other: int | Word) -> bool:
        return self.value < int(other)

    def __gt__(self, other: int | Word) -> bool:
        return self.value > int(other)


def _binary(operation: Callable[[int, int], int], reverse: bool) -> Callable[[Word, int | Word], Word]:
    def method(self: Word, other: int | Word) -> Word:
        left, right = (int(other), self.value) if reverse else (self.value, int(other))
        return Word(operation(left, right), self.signed)

    return method


for _name, _operation in {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "and": lambda a, b: a & b,
    "or": lambda a, b: a | b,
    "xor": lambda a, b: a ^ b,
    "lshift": lambda a, b: a << b,
    "rshift": lambda a, b: a >> b,
    "floordiv": lambda a, b: a // b,
    "mod": lambda a, b: a % b,
}.items():
    setattr(Word, f"__{_name}__", _binary(_operation, reverse=False))
    setattr(Word, f"__r{_name}__", _binary(_operation, reverse=True))


class Pointer:
    """`ptr8`, `ptr16` or `ptr32` into an array: loads are zero-extended, stores cut off."""

    def __init__(self, elements: array[int]) -> None:
        self._elements = elements

    def __getitem__(self, index: int | Word) -> Word:
        return Word(self._elements[index])

    def __setitem__(self, index: int | Word, value: int | Word) -> None:
        self._elements[index] = int(value) & (1 << 8 * self._elements.itemsize) - 1


def load(source: str) -> dict[str, Any]:
    """The functions of a viper source file, by name; they take Words and Pointers."""
    names: dict[str, Any] = {
        "micropython": SimpleNamespace(viper=lambda function: function),
        "int": Word,
        "uint": lambda value: Word(value, signed=False),
        **dict.fromkeys(("ptr8", "ptr16", "ptr32")),
    }
    body = source.replace("import micropython", "")
    exec(compile(body, "<viper>", "exec"), names)
    return names
