"""What the emulated machines refuse, and how they pass arguments and count."""

from array import array
from collections.abc import Callable
from pathlib import Path

import pytest
from emulation import (
    ARCHITECTURES,
    EmulationError,
    Machine,
    MemoryFault,
    Misaligned,
    Overrun,
    RuntimeCall,
    compile_module,
    compile_source,
)

_SOURCE = """
import micropython

LIMIT = 3

@micropython.viper
def load8(p: ptr8, i: int) -> int:
    return p[i]

@micropython.viper
def load16(p: ptr16, i: int) -> int:
    return p[i]

@micropython.viper
def load32(p: ptr32, i: int) -> int:
    return p[i]

@micropython.viper
def store8(p: ptr8, i: int, value: int):
    p[i] = value

@micropython.viper
def store16(p: ptr16, i: int, value: int):
    p[i] = value

@micropython.viper
def store32(p: ptr32, i: int, value: int):
    p[i] = value

@micropython.viper
def fill(p: ptr8, n: int):
    while n > 0:
        n -= 1
        p[n] = 0xAA

@micropython.viper
def copy_up(a: ptr8, b: ptr8, n: int):
    while n > 0:
        n -= 1
        b[n] = a[n]

@micropython.viper
def distance(a: ptr8, b: ptr8) -> int:
    return int(b) - int(a)

@micropython.viper
def divide(a: int, b: int) -> int:
    return a // b

@micropython.viper
def remainder(a: int, b: int) -> int:
    return a % b

@micropython.viper
def left(a: int, n: int) -> int:
    return a << n

@micropython.viper
def right(a: int, n: int) -> int:
    return a >> n

@micropython.viper
def logical(a: int, n: int) -> int:
    return int(uint(a) >> uint(n))

@micropython.viper
def global_variable() -> int:
    return int(LIMIT)

@micropython.viper
def attribute(p):
    p.value = 1

@micropython.viper
def forever(n: int):
    while True:
        n += 1

@micropython.viper
def nothing(a: int):
    pass

@micropython.viper
def five(a: int, b: int, c: int, d: int, e: int) -> int:
    return a + (b << 4) + (c << 8) + (d << 12) + (e << 16)

@micropython.viper
def truth(a: int) -> bool:
    return a > 5
"""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("machine") / "source.py"
    path.write_text(_SOURCE)
    return path


@pytest.fixture(scope="module", params=ARCHITECTURES)
def machine(request: pytest.FixtureRequest, source: Path) -> Machine:
    return compile_source(source, request.param)


@pytest.fixture(scope="module", params=ARCHITECTURES)
def lenient(request: pytest.FixtureRequest, source: Path) -> Machine:
    return compile_source(source, request.param, strict=False)


@pytest.mark.parametrize(("bits", "kind"), [(8, "B"), (16, "H"), (32, "I")])
def test_access_stays_within_the_buffer(machine: Machine, bits: int, kind: str) -> None:
    """First and last element, and one before, one behind, far away."""
    highest = (1 << bits) - 1
    elements = array(kind, [highest, 1, 2, highest])
    assert [machine.call(f"load{bits}", elements, i) for i in range(4)] == [
        -1 if bits == 32 else highest,
        1,
        2,
        -1 if bits == 32 else highest,
    ]
    machine.call(f"store{bits}", elements, 3, -2)
    assert elements.tolist() == [highest, 1, 2, highest - 1]
    for index in (-1, 4, 0x1000, -0x1000, 0x01000000, -0x08000000):
        with pytest.raises(MemoryFault):
            machine.call(f"load{bits}", elements, index)
        with pytest.raises(MemoryFault):
            machine.call(f"store{bits}", elements, index, 0)
    assert elements.tolist() == [highest, 1, 2, highest - 1]


@pytest.mark.parametrize("bits", [16, 32])
def test_misaligned_access_is_refused(machine: Machine, bits: int) -> None:
    """Which the ESP32 does as well; at every offset that is no multiple of the size."""
    buffer = bytearray(16)
    for at in range(1, bits // 8):
        with pytest.raises(Misaligned):
            machine.call(f"load{bits}", memoryview(buffer)[at:], 0)
        with pytest.raises(Misaligned):
            machine.call(f"store{bits}", memoryview(buffer)[at:], 0, 1)
    assert machine.call(f"load{bits}", memoryview(buffer)[bits // 8 :], 0) == 0


def test_an_access_across_the_end_is_refused(machine: Machine) -> None:
    """Its first byte is within a buffer of three bytes, its last is not."""
    with pytest.raises(MemoryFault):
        machine.call("load32", bytearray(3), 0)


def test_read_only_buffers_are_not_written(machine: Machine) -> None:
    with pytest.raises(MemoryFault):
        machine.call("store8", bytes(4), 0, 1)
    assert machine.call("load8", bytes([7, 8]), 1) == 8


def test_the_message_names_function_and_place(machine: Machine) -> None:
    with pytest.raises(MemoryFault, match=r"^load8: load of 8 bits at 0x[0-9a-f]+.*\(byte 5 of p, which has 4\)"):
        machine.call("load8", bytes(4), 5)


def test_an_overrun_is_noticed_without_checks_too(lenient: Machine) -> None:
    """By the patterns around each buffer; then nothing is handed back."""
    buffer = bytearray(8)
    for index in (-1, 8):
        with pytest.raises(Overrun, match=f"byte {index} of p, which has 8"):
            lenient.call("store8", buffer, index, 1)
    with pytest.raises(Overrun):
        lenient.call("fill", buffer, 9)
    assert buffer == bytes(8)
    with pytest.raises(Overrun, match="read-only p"):
        lenient.call("store8", bytes(4), 0, 1)
    lenient.call("fill", buffer, 8)
    assert buffer == b"\xaa" * 8


def test_what_is_no_leaf_is_refused(machine: Machine) -> None:
    with pytest.raises(RuntimeCall, match="LIMIT"):
        machine.call("global_variable")
    with pytest.raises(RuntimeCall, match="store_attr"):
        machine.call("attribute", 0)


def test_endless_code_is_stopped(source: Path) -> None:
    for architecture in ARCHITECTURES:
        machine = compile_source(source, architecture)
        machine.limit = 100_000
        with pytest.raises(EmulationError, match="100000 instructions"):
            machine.call("forever", 0)


@pytest.mark.parametrize("a", [-7, -6, 0, 5, 7, 2**31 - 1, -(2**31)])
@pytest.mark.parametrize("b", [-3, -1, 1, 2, 1000])
def test_division_is_python_s(machine: Machine, a: int, b: int) -> None:
    if (a, b) != (-(2**31), -1):  # beyond 32 bits
        assert machine.call("divide", a, b) == a // b
    assert machine.call("remainder", a, b) == a % b
    with pytest.raises(EmulationError, match="zero"):
        machine.call("divide", a, 0)


@pytest.mark.parametrize("a", [1, -1, 0x12345678, -0x12345678, -(2**31)])
def test_shift_counts(machine: Machine, a: int) -> None:
    """Five bits of them count, as the instruction sets say; a PC takes six."""
    for count in (0, 1, 15, 31, 32, 33, 63):
        word, n = a & 0xFFFFFFFF, count & 31
        shifted = word << n & 0xFFFFFFFF
        assert machine.call("left", a, count) & 0xFFFFFFFF == shifted
        assert machine.call("right", a, count) == a >> n
        assert machine.call("logical", a, count) & 0xFFFFFFFF == word >> n


def test_arguments(machine: Machine) -> None:
    """Order, signs, more of them than have registers, and what does not fit."""
    assert machine.call("five", 1, 2, 3, 4, 5) == 0x54321
    assert machine.call("five", -1, 0, 0, 0, 0) == -1
    assert machine.call("five", 0xFFFFFFFF, 0, 0, 0, 0) == -1
    assert machine.call("nothing", 0) == 0
    assert [machine.call("truth", a) for a in (5, 6)] == [0, 1]
    wrong: list[tuple[type[Exception], Callable[[], int]]] = [
        (OverflowError, lambda: machine.call("nothing", 1 << 32)),
        (OverflowError, lambda: machine.call("nothing", -(1 << 31) - 1)),
        (TypeError, lambda: machine.call("nothing", b"bytes")),
        (TypeError, lambda: machine.call("nothing")),
        (TypeError, lambda: machine.call("nothing", 1, 2)),
        (KeyError, lambda: machine.call("no_such_function")),
    ]
    for error, call in wrong:
        with pytest.raises(error):
            call()


def test_buffers_overlap_as_they_do_here(machine: Machine) -> None:
    whole = bytearray(range(32))
    view = memoryview(whole)
    assert machine.call("distance", view[3:10], view[8:]) == 5
    assert machine.call("distance", whole, whole) == 0
    machine.call("copy_up", view[:8], view[4:12], 8)
    assert whole == bytes([*range(4), *range(8), *range(12, 32)])
    apart = machine.call("distance", bytearray(8), bytearray(8))
    assert abs(apart) >= 8
    assert apart % 16 == 0


def test_counts_are_exact_and_repeatable(machine: Machine, lenient: Machine) -> None:
    """A loop costs the same at every turn, and checks cost nothing."""

    def count(of: Machine, n: int) -> int:
        of.call("fill", bytearray(n), n)
        return of.instructions

    counts = [count(machine, n) for n in (0, 1, 2, 3, 100)]
    turn = counts[2] - counts[1]
    assert turn > 0
    assert counts[3] - counts[2] == turn
    assert counts[4] - counts[3] == 97 * turn
    assert count(machine, 100) == counts[4]
    if type(machine) is type(lenient):
        assert count(lenient, 100) == counts[4]


def test_sources_that_cannot_be_paired_are_refused(tmp_path: Path) -> None:
    """A function within another has no name to be called by."""
    path = tmp_path / "nested.py"
    path.write_text(
        "import micropython\nif True:\n    @micropython.viper\n    def f(a: int) -> int:\n        return a\n"
    )
    for architecture in ARCHITECTURES:
        with pytest.raises(ValueError, match=r"0 viper functions at its top level, its \.mpy 1"):
            compile_module(path, architecture)
    path.write_text("def f(:\n")
    with pytest.raises(ValueError, match="mpy-cross refused"):
        compile_module(path, "rv32imc")
