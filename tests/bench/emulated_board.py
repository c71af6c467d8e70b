"""The firmware's own modules on CPython, with every viper leaf run as a board's machine code and counted.

What is not a leaf is plain Python and runs as it stands. So the order of the leaf calls, and what they are given, are
the board's. MicroPython's C modules are stood in for: AES by pyca, SHA-256 by hashlib; what they do is counted in units
of their own.
"""

import ast
import builtins
import hashlib
import struct
import sys
from array import array
from collections import Counter
from collections.abc import Callable, Sequence
from graphlib import TopologicalSorter
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest.mock import patch

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from emulation import Architecture, Machine, compile_source
from firmware_sources import modules, path_of

_PACKAGE = "emulated_tinyseal"
_MAXSIZE = 0x7FFFFFFF  # of a board's `usys`
_ECB = 1
_KEY_AT = 6  # where ESP-IDF's AES context has the key: behind the object's type pointer and two bytes
_CONTEXT = 320  # bytes of the object and what lies behind it


class _Aes:
    """`ucryptolib.aes`; `memory` is the object as it lies in a board's RAM, with its key."""

    def __init__(self, key: bytes, counts: Counter[str]) -> None:
        self.memory = bytearray(bytes(_KEY_AT) + key).ljust(_CONTEXT, b"\0")
        self._encryptor = Cipher(algorithms.AES(bytes(key)), modes.ECB()).encryptor()
        self._counts = counts

    def encrypt(self, source: Any, target: Any = None) -> Any:
        """All blocks of a buffer, into `target` or new bytes."""
        self._counts["aes"] += len(source) // 16
        text = self._encryptor.update(bytes(source))
        if target is None:
            return text
        target[:] = text
        return target


class _Sha256:
    def __init__(self, counts: Counter[str], data: Any) -> None:
        self._hash = hashlib.sha256()
        self._counts = counts
        self.update(data)

    def update(self, data: Any) -> None:
        self._counts["sha256"] += len(data)
        self._hash.update(data)

    def digest(self) -> bytes:
        return self._hash.digest()


def modules_behind(*names: str) -> list[str]:
    """These modules of the firmware and all that they import or name in a string, each behind those it needs itself."""
    sources = modules("rv32imc")  # the imports are the same on all
    needs: dict[str, set[str]] = {}
    left = list(names)
    while left:
        name = left.pop()
        if name not in needs:
            needs[name] = _names_in(sources[name]) & sources.keys()
            left += needs[name]
    return list(TopologicalSorter(needs).static_order())


def _names_in(source: str) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.level == 1:
            found |= {node.module} if node.module else {alias.name for alias in node.names}
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.add(node.value.partition(".")[0])  # what is loaded by its name when it is needed
    return found


class EmulatedBoard:
    """`modules` by name, in the order in which they import each other.

    `instructions` and `calls` are counted by `MODULE.LEAF`; `builtin` is what the C modules did: blocks of "aes", bytes
    of "sha256", squarings of "pow". `buffers` are the bytearrays that leaves were given, by identity; `engines` the AES
    objects. What leaves cost outside of their own machine code is in no count: the bytecode that calls them, and the
    conversion of arguments. `strict` as a Machine has it.
    """

    def __init__(self, architecture: Architecture, names: Sequence[str], *, strict: bool = True) -> None:
        self._strict = strict
        self.instructions: Counter[str] = Counter()
        self.calls: Counter[str] = Counter()
        self.builtin: Counter[str] = Counter()
        self.buffers: dict[int, bytearray] = {}
        self.engines: list[_Aes] = []
        self.modules: dict[str, Any] = {}
        package = ModuleType(_PACKAGE)
        package.__path__ = []  # what is not loaded already cannot be imported
        self._there: dict[str, Any] = {_PACKAGE: package, **self._builtins()}
        for name in names:
            module = self._load(name, architecture)
            self._there[module.__name__] = module
            setattr(package, name, module)
            self.modules[name] = module

    def forget(self) -> None:
        """Begin all counts anew."""
        for kept in (self.instructions, self.calls, self.builtin, self.buffers, self.engines):
            kept.clear()

    def _builtins(self) -> dict[str, Any]:
        def aes(key: bytes, mode: int) -> _Aes:
            if mode != _ECB:
                raise ValueError("mode")
            self.engines.append(_Aes(key, self.builtin))
            return self.engines[-1]

        return {
            "micropython": SimpleNamespace(const=lambda value: value, native=lambda function: function),
            "ucryptolib": SimpleNamespace(aes=aes),
            "uhashlib": SimpleNamespace(sha256=lambda data=b"": _Sha256(self.builtin, data)),
            "ustruct": struct,
            "uarray": SimpleNamespace(array=array),
            "usys": SimpleNamespace(maxsize=_MAXSIZE),
        }

    def _load(self, name: str, architecture: Architecture) -> ModuleType:
        path = path_of(name, architecture)
        machine = compile_source(path, architecture, strict=self._strict)
        tree = ast.parse(path.read_text(), str(path))
        leaves = machine.module.functions
        tree.body = [node for node in tree.body if not (isinstance(node, ast.FunctionDef) and node.name in leaves)]
        module = ModuleType(f"{_PACKAGE}.{name}")
        module.__package__ = _PACKAGE
        module.__dict__.update({"id": lambda aes: aes.memory, "pow": self._pow})
        module.__dict__["__builtins__"] = {**vars(builtins), "__import__": self._import}
        for leaf in leaves:
            setattr(module, leaf, self._leaf(machine, name, leaf))
        exec(compile(tree, str(path), "exec"), module.__dict__)  # the firmware's own source
        return module

    def _leaf(self, machine: Machine, module: str, leaf: str) -> Callable[..., int]:
        name = f"{module}.{leaf}"

        def call(*arguments: Any) -> int:
            for argument in arguments:
                owner = argument.obj if isinstance(argument, memoryview) else argument
                if isinstance(owner, bytearray):
                    self.buffers[id(owner)] = owner
            result = machine.call(leaf, *arguments)
            self.instructions[name] += machine.instructions
            self.calls[name] += 1
            return result

        return call

    def _import(self, *arguments: Any) -> ModuleType:
        """What the firmware's own import statements do, also those in functions that run later."""
        with patch.dict(sys.modules, self._there):
            return __import__(*arguments)

    def _pow(self, base: int, exponent: int, modulus: int) -> int:
        self.builtin["pow"] += exponent.bit_length() - 1
        return pow(base, exponent, modulus)
