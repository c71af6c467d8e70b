"""The Xtensa translator against Debian's qemu-system-xtensa: same code, same memory, same registers, same outcome.

The tests of the firmware's leaves check some of their calls in the same way, where qemu is there.
"""

import dataclasses
import random
from array import array
from pathlib import Path
from typing import Any

import pytest
from emulation import CheckedXtensaMachine, EmulationError, Machine, QemuError, compile_source, qemu, xtensa_python
from emulation.ram import RAM_SIZE
from emulation.runtime import helper_address
from emulation.xtensa_isa import listing
from firmware_sources import modules, path_of
from int8_twins import opened

from .test_lint import function, many_locals
from .test_machine import _SOURCE
from .test_random_functions import functions

pytestmark = pytest.mark.skipif(
    not qemu.available(), reason=f"no {qemu.PROGRAM}: the Xtensa translator is checked by RV32 and plain Python only"
)

_ENTRY, _NOP, _RETW_N = (0x004136).to_bytes(3, "little"), (0x204440).to_bytes(3, "little"), b"\x1d\xf0"


def checked(path: Path, text: str) -> CheckedXtensaMachine:
    path.write_text(text)
    machine = compile_source(path, "xtensawin", checked=True)
    assert isinstance(machine, CheckedXtensaMachine)
    return machine


@pytest.mark.parametrize("length", [0, 1, 10, 1000])
def test_instructions_of_a_known_length(length: int) -> None:
    """Assembled by hand: entry, or a4, a4, a4 so many times, retw.n; and a2 comes back as the result."""
    outcome = qemu.run(_ENTRY + length * _NOP + _RETW_N, (0x12345678, 0, 0, 0), bytes(RAM_SIZE))
    assert (outcome.result, outcome.instructions, any(outcome.ram)) == (0x12345678, length + 2, False)


_COMPARISONS = """
x = 0
if a < b: x = 1
if a <= b: x |= 2
if a >= b: x |= 4
if uint(a) < uint(b): x |= 8
if uint(a) >= uint(b): x |= 16
if a == c: x |= 32
return (x << 8) - (-c)
""".strip()
_RANDOM = 30
_ENDS = (0, 1, -1, 0x7FFFFFFF, -0x80000000)


def random_functions(tmp_path: Path) -> CheckedXtensaMachine:
    return checked(tmp_path / "functions.py", functions(random.Random(66)))


def test_random_functions(tmp_path: Path) -> None:
    source = random.Random(67)
    machine = random_functions(tmp_path)
    for name in [*machine.module.functions][:_RANDOM]:
        sizes = ((1, "B"), (2, "H"), (4, "I"))
        buffers = [array(kind, [source.getrandbits(8 * size) for _ in range(8)]) for size, kind in sizes]
        machine.call(name, source.getrandbits(32), source.getrandbits(32), *buffers, 3)
    assert machine.checked == _RANDOM


@pytest.mark.parametrize("a", _ENDS)
@pytest.mark.parametrize("b", _ENDS)
def test_comparisons(tmp_path: Path, a: int, b: int) -> None:
    machine = checked(tmp_path / "planted.py", function(_COMPARISONS))
    machine.call("f", a, b, a, bytearray(8))
    assert machine.checked == 1


def operations(machine: Machine, names: list[str]) -> set[str]:
    return {instruction.op for name in names for instruction in listing(machine.module.functions[name].code).values()}


def test_every_instruction_of_the_firmware_is_in_what_runs_here(tmp_path: Path) -> None:
    machine = random_functions(tmp_path)
    met = operations(machine, [*machine.module.functions][:_RANDOM])
    met |= operations(checked(tmp_path / "planted.py", function(_COMPARISONS)), ["f"])
    for name in modules("xtensawin"):
        shipped = compile_source(path_of(name, "xtensawin"), "xtensawin")
        assert operations(shipped, [*shipped.module.functions]) <= met, name


@pytest.mark.parametrize("divisor", [-3, -1, 1, 2, 1000])
def test_division(tmp_path: Path, divisor: int) -> None:
    for name in ("divide", "remainder"):
        machine = checked(tmp_path / "source.py", _SOURCE)
        for a in (-7, -6, 0, 2**31 - 1):
            machine.call(name, a, divisor)
        assert machine.checked == 2


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("p[300] = a\nreturn 0", id="store"),
        pytest.param("return (a + b) ^ (~a)", id="inversion"),
        pytest.param(many_locals(200), id="many locals"),
    ],
)
def test_code_that_the_emitter_got_wrong_is_wrong_in_the_same_way(tmp_path: Path, body: str) -> None:
    machine = checked(tmp_path / "planted.py", function(body))
    machine.call("f", 1, 2, 3, bytearray(b"*" * 2048))
    assert machine.checked == 1


def planted(tmp_path: Path) -> CheckedXtensaMachine:
    return checked(tmp_path / "planted.py", function("p[1] = a\nreturn (a + b) * 5 - (a ^ b)"))


@pytest.mark.parametrize("op", ["add", "sub", "mull", "xor", "l32i"])
def test_a_planted_error_of_the_translator_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, op: str) -> None:
    """One bit of what an operation gives."""
    right = xtensa_python._OPERATIONS[op]
    wrong = right.replace("= a", "= 4 ^ a").replace("= m32", "= 4 ^ m32")
    assert wrong != right
    monkeypatch.setitem(xtensa_python._OPERATIONS, op, wrong)
    with pytest.raises(EmulationError):
        planted(tmp_path).call("f", 100, 3, 3, bytearray(8))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param({"result": 1}, "f: result 0x0000000c, qemu 0x00000001", id="result"),
        pytest.param({"instructions": 1}, r"f: \d+ instructions with the helpers', qemu 1", id="instructions"),
        pytest.param({"ram": bytes(RAM_SIZE)}, "f: byte 0x[0-9a-f]+ of the RAM", id="memory"),
    ],
)
def test_each_difference_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], message: str
) -> None:
    real = qemu.run
    monkeypatch.setattr(qemu, "run", lambda *arguments: dataclasses.replace(real(*arguments), **change))
    with pytest.raises(QemuError, match=message):
        planted(tmp_path).call("f", 1, 2, 3, bytearray(8))


def test_a_helper_that_leaves_do_not_call_ends_qemu() -> None:
    """Which the translator refuses with a name; a2 holds its address here."""
    call = (0x0002E0).to_bytes(3, "little")  # callx8 a2
    for name in ("raise", "import_name"):
        with pytest.raises(EmulationError, match="exit status 3"):
            qemu.run(_ENTRY + call + _RETW_N, (helper_address(name), 0, 0, 0), bytes(RAM_SIZE))
    outcome = qemu.run(_ENTRY + call + _RETW_N, (helper_address("swap_globals"), 0, 0, 0), bytes(RAM_SIZE))
    assert outcome.instructions == 3 + qemu.HELPER_LEN


def test_the_leaves_machines_are_checked_ones() -> None:
    with opened("memory", "xtensawin") as machine:
        machine.call("_difference", b"abc", b"abd", 3)
        assert machine.checked == 1
