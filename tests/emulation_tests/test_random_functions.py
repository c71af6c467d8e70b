"""Random viper functions: both machines give what plain Python gives, with 32-bit words."""

import random
from array import array
from pathlib import Path

import pytest
from emulation import ARCHITECTURES, Architecture, compile_source

from .viper_twin import Pointer, Word, load

_FUNCTIONS = 120
_CALLS = 4
_ELEMENTS = 8
_INTERESTING = (0, 1, -1, 2, 31, 255, 256, 65535, 0x7FFFFFFF, -0x80000000)
_TEMPLATE = """
@micropython.viper
def f{number}(a: int, b: int, p: ptr8, q: ptr16, r: ptr32, n: int) -> int:
    x = a
    y = b
    while n > 0:
        n -= 1
        if {left} {comparison} {right}:
            x = {first}
        else:
            y = {second}
        p[{index} & 7] = x
        q[n & 7] = {third}
        r[{other} & 7] = y
        y = x + y
    return {result}
"""


def expression(source: random.Random, depth: int = 3, constant: bool = False) -> str:
    """Of int values a, b, x, y, n, loads and constants. No `~`, which the Xtensa emitter is known to get wrong.

    Constants stand on the right side only: two of them would be folded, with as many bits as that takes.
    """
    if constant and source.random() < 0.2:
        return str(source.randint(-300, 300))
    if depth == 0 or source.random() < 0.15:
        pointer, index = source.choice("pqr"), source.randrange(_ELEMENTS)
        return source.choice(["a", "b", "x", "y", "n", f"{pointer}[{index}]"])
    left, right = expression(source, depth - 1), expression(source, depth - 1, constant=True)
    kind = source.randrange(10)
    if kind < 6:
        return f"({left} {'+-*&|^'[kind]} {right})"
    if kind < 8:
        return f"({left} {('<<', '>>')[kind - 6]} {source.randrange(32)})"
    if kind == 8:
        return f"int(uint({left}) >> uint({source.randrange(32)}))"
    return f"{source.choice('pqr')}[{left} & 7]"


def functions(source: random.Random) -> str:
    """A source file of `_FUNCTIONS` viper functions."""
    texts = []
    for number in range(_FUNCTIONS):
        names = ("left", "right", "first", "second", "third", "index", "other", "result")
        parts = {name: expression(source) for name in names}
        texts.append(_TEMPLATE.format(number=number, comparison=source.choice(["<", ">", "=="]), **parts))
    return "import micropython\n" + "".join(texts)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_results_and_stores(tmp_path: Path, architecture: Architecture) -> None:
    source = random.Random(6)
    text = functions(source)
    path = tmp_path / "functions.py"
    path.write_text(text)
    machine, twin = compile_source(path, architecture), load(text)
    for number in range(_FUNCTIONS):
        for _ in range(_CALLS):
            a, b = (source.choice([source.choice(_INTERESTING), source.randint(-(2**31), 2**31 - 1)]) for _ in "ab")
            kinds = (("B", 8), ("H", 16), ("I", 32))
            buffers = [array(kind, [source.getrandbits(bits) for _ in range(_ELEMENTS)]) for kind, bits in kinds]
            copies = [array(buffer.typecode, buffer) for buffer in buffers]
            wanted = twin[f"f{number}"](Word(a), Word(b), *(Pointer(copy) for copy in copies), Word(3))
            assert machine.call(f"f{number}", a, b, *buffers, 3) == int(wanted), f"f{number}({a}, {b})"
            assert buffers == copies, f"f{number}({a}, {b})"
