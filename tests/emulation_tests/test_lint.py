"""The lint finds each of the Xtensa emitter's four faults in planted source, and the emulated code shows them real."""

from pathlib import Path

import pytest
from emulation import Finding, Machine, compile_module, compile_source, lint
from emulation.xtensa_lint import INVERT_CLOBBERS, LOAD_BASE_LOST, STACK_TOO_LARGE, STORE_CLOBBERS

_HEADER = "import micropython\n"
_ARGUMENTS = "a: int, b: int, c: int, p: ptr32"


def function(body: str) -> str:
    """The source of a viper function f; p, the fourth argument, is in no register of its own."""
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    return f"{_HEADER}@micropython.viper\ndef f({_ARGUMENTS}) -> int:\n{lines}"


def many_locals(count: int) -> str:
    """A body with so many locals, all of which are in use at the end."""
    names = [f"v{i}" for i in range(count)]
    assignments = "\n".join(f"{name} = a + {i}" for i, name in enumerate(names))
    sums = "\n".join(f"b += {name}" for name in names)
    return f"{assignments}\n{sums}\nreturn b"


def findings(tmp_path: Path, body: str) -> list[Finding]:
    path = tmp_path / "planted.py"
    path.write_text(function(body))
    return lint(compile_module(path, "xtensawin").functions["f"].code)


@pytest.mark.parametrize(
    ("body", "what"),
    [
        pytest.param("return p[256]", LOAD_BASE_LOST, id="load beyond 255"),
        pytest.param("return p[300]", LOAD_BASE_LOST, id="load at 300"),
        pytest.param("return p[-1]", LOAD_BASE_LOST, id="load before the pointer"),
        pytest.param("q = ptr8(p)\nr = ptr8(q)\nreturn r[256]", LOAD_BASE_LOST, id="load of a byte"),
        pytest.param("p[256] = a\nreturn 0", STORE_CLOBBERS, id="store beyond 255"),
        pytest.param("p[-1] = a\nreturn 0", STORE_CLOBBERS, id="store before the pointer"),
        pytest.param("return (a + b) ^ (~a)", INVERT_CLOBBERS, id="inversion beside an operand"),
        pytest.param(many_locals(260), STACK_TOO_LARGE, id="too many locals"),
    ],
)
def test_planted_faults_are_found(tmp_path: Path, body: str, what: str) -> None:
    assert what in {finding.what for finding in findings(tmp_path, body)}


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("return p[0] + p[255]", id="loads up to 255"),
        pytest.param("p[0] = a\np[255] = b\nreturn 0", id="stores up to 255"),
        pytest.param("return p[a + 300]", id="load at a computed index"),
        pytest.param("p = ptr32(int(p) + 1200)\nreturn p[0]", id="pointer moved instead"),
        pytest.param("return (a + b) ^ (-1 - a)", id="inversion by subtraction"),
        pytest.param("return ~a", id="inversion alone"),
        pytest.param(many_locals(200), id="many locals"),
        pytest.param("return a + 1000", id="a large constant that is no index"),
    ],
)
def test_right_code_is_left_alone(tmp_path: Path, body: str) -> None:
    assert findings(tmp_path, body) == []


def both(tmp_path: Path, body: str) -> tuple[Machine, Machine]:
    """A machine of each architecture, without checks: as the boards run it."""
    path = tmp_path / "planted.py"
    path.write_text(function(body))
    return compile_source(path, "rv32imc", strict=False), compile_source(path, "xtensawin", strict=False)


def outcome(machine: Machine, *arguments: int | bytearray) -> int | str:
    """The result, or the name of the error."""
    try:
        return machine.call("f", *arguments)
    except Exception as error:  # noqa: BLE001  (any kind of going wrong is the point)
        return type(error).__name__


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        pytest.param("return p[300]", 0x2A2A2A2A, id="load"),
        pytest.param("return (a + b) ^ (~a)", 3 ^ ~1, id="inversion"),
        pytest.param(many_locals(260), 2 + 260 + sum(range(260)), id="locals"),
    ],
)
def test_the_faults_are_real(tmp_path: Path, body: str, wanted: int) -> None:
    """RV32 gives what the source says; the Xtensa code does not, or crashes.

    The store's victim in a `.mpy` is the table of names, which no leaf reads: it shows in code compiled on a board.
    """
    rv32, xtensa = both(tmp_path, body)
    assert outcome(rv32, 1, 2, 3, bytearray(b"*" * 2048)) == wanted
    assert outcome(xtensa, 1, 2, 3, bytearray(b"*" * 2048)) != wanted
