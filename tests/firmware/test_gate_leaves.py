"""The gate's loops as machine code of both board architectures and as plain Python, against comparisons of floats."""

import random
import struct
from array import array

import pytest
from emulation import ARCHITECTURES, Architecture, Machine, compile_source
from firmware_sources import path_of
from int8_twins import machine_of
from vm_kernels import VmMachine

gate = machine_of("gate")


_INFINITY, _TOP = 0x7F800000, 0x80000000
_EXTREMES = [0, 1, 0x007FFFFF, 0x00800000, 0x3F800000, 0x7F7FFFFF, _INFINITY, 0x7F800001, 0x7FC00000, 0x7FFFFFFF]
_EXTREMES += [bits | _TOP for bits in _EXTREMES]


def key(bits: int) -> int:
    """The order of float32 as that of unsigned numbers, NaN at both ends."""
    return bits ^ 0xFFFFFFFF if bits & _TOP else bits | _TOP


def as_float(bits: int) -> float:
    return struct.unpack("<f", bits.to_bytes(4, "little"))[0]


def scanned(frame: list[int], low: int, high: int) -> int:
    """What `_scan` gives, by comparing floats."""
    if all(as_float(low) <= as_float(bits) <= as_float(high) for bits in frame):
        return sum(as_float(bits) == 0 for bits in frame)
    return -1


@pytest.mark.parametrize(
    ("low", "high"),
    [
        pytest.param(0xFF7FFFFF, 0x7F7FFFFF, id="all finite"),
        pytest.param(0xC1A00000, 0x41A00000, id="-20..20"),
        pytest.param(_TOP, 0x3F800000, id="-0..1"),
        pytest.param(0xBF800000, 0, id="-1..0"),
        pytest.param(0x3F800000, 0x40000000, id="1..2"),
        pytest.param(0xC0000000, 0xBF800000, id="-2..-1"),
        pytest.param(_TOP | 1, 1, id="denormals"),
    ],
)
def test_scan(gate: Machine | VmMachine, low: int, high: int) -> None:
    """Each extreme value, the limits and their neighbours alone; and frames within the limits but for one value."""
    source = random.Random(5)
    job = array("I", (4, 0, key(low), key(high) - key(low)))
    alone = {*_EXTREMES, low, high, *((end + step) & 0xFFFFFFFF for end in (low, high) for step in (-1, 1))}
    for bits in alone:
        assert gate.call("_scan", array("I", [bits]), 0, 0, 1, job, 0) == scanned([bits], low, high), hex(bits)
    inside = [bits for bits in alone if scanned([bits], low, high) >= 0]
    for length in (1, 2, 3, 17):
        for _ in range(6):
            frame = [source.choice(inside) for _ in range(length)]
            assert gate.call("_scan", array("I", frame), 0, 0, length, job, 0) == scanned(frame, low, high) >= 0
            frame[source.randrange(length)] = source.choice([*alone])
            assert gate.call("_scan", array("I", frame), 0, 0, length, job, 0) == scanned(frame, low, high)


def test_scan_touches_no_misaligned_frame(gate: Machine | VmMachine) -> None:
    job = array("I", (4, 0, 0, 0xFFFFFFFF))
    for at in (1, 2, 3):
        assert gate.call("_scan", memoryview(bytearray(16))[at : at + 12], 0, 0, 3, job, 0) == -2
    assert gate.call("_scan", bytearray(12), 0, 0, 3, job, 0) == 3


def test_finite_values(gate: Machine | VmMachine) -> None:
    """What tells NaN and infinity from the rest is the range of all finite values."""
    job = array("I", (4, 0, key(0xFF7FFFFF), key(0x7F7FFFFF) - key(0xFF7FFFFF)))
    for bits in _EXTREMES:
        wanted = -1 if bits & _INFINITY == _INFINITY else int(bits & ~_TOP == 0)
        assert gate.call("_scan", array("I", [bits]), 0, 0, 1, job, 0) == wanted, hex(bits)
    assert gate.call("_scan", array("I"), 0, 0, 0, job, 0) == 0


def test_one_channel_of_several(gate: Machine) -> None:
    """Only every third value is looked at, from the second on; and no memory behind the last of them."""
    frame = array("f", [99, 1, 0, 99, 0, 0, 99, -2, 0])
    job = array("I", (*[0xDEADBEEF] * 8, 12, 4, key(0xC0000000), key(0x3F800000) - key(0xC0000000), *[0] * 4))
    assert gate.call("_scan", frame, 0, 0, 3, job, 1) == 1
    frame[4] = float("nan")
    assert gate.call("_scan", frame, 0, 0, 3, job, 1) == -1


_MOST = {"rv32imc": 35, "xtensawin": 43.75}  # the design's number, and 1.25 times as many


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_instructions_of_the_gate(architecture: Architecture) -> None:
    """A value of an accepted frame of 600, of which every tenth is zero."""
    gate = compile_source(path_of("gate", architecture), architecture)
    frame = array("f", [0 if i % 10 == 0 else (-1) ** i * 1.5 for i in range(600)])
    job = array("I", (4, 0, key(0xC1A00000), key(0x41A00000) - key(0xC1A00000)))
    assert gate.call("_scan", frame, 0, 0, 600, job, 0) == 60
    assert gate.instructions / 600 <= _MOST[architecture]
