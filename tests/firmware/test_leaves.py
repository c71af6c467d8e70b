"""The viper leaves under opening and gate as the machine code of both board architectures, against plain Python.

The emulated machines check every access: alignment, and that it stays within the buffers of the call.
"""

import random
import struct
from array import array
from pathlib import Path

import pytest
from emulation import ARCHITECTURES, Architecture, Machine, compile_source

_FIRMWARE = Path(__file__).parents[2] / "firmware" / "tinyseal"
_R = 0xE1 << 120  # SP 800-38D, 6.3


@pytest.fixture(scope="module", params=ARCHITECTURES)
def architecture(request: pytest.FixtureRequest) -> Architecture:
    return request.param


def machine(name: str, architecture: Architecture) -> Machine:
    """With the viper functions of one firmware module."""
    return compile_source(_FIRMWARE / f"{name}.py", architecture)


@pytest.fixture(scope="module")
def memory(architecture: Architecture) -> Machine:
    return machine("memory", architecture)


@pytest.fixture(scope="module")
def ctr(architecture: Architecture) -> Machine:
    return machine("ctr", architecture)


@pytest.fixture(scope="module")
def ghash(architecture: Architecture) -> Machine:
    return machine("ghash", architecture)


@pytest.fixture(scope="module")
def gate(architecture: Architecture) -> Machine:
    return machine("gate", architecture)


@pytest.mark.parametrize("length", [0, 1, 15, 64, 1000])
def test_fill(memory: Machine, length: int) -> None:
    buffer = bytearray(b"\xff" * (length + 2))
    memory.call("_fill", memoryview(buffer)[1:-1], length)
    assert buffer == b"\xff" + bytes(length) + b"\xff"


def test_difference(memory: Machine) -> None:
    """Zero for equal bytes only, in the same number of instructions whatever they are."""
    source = random.Random(1)
    same = source.randbytes(32)
    assert memory.call("_difference", same, bytearray(same), 32) == 0
    instructions = memory.instructions
    for bit in range(256):
        other = bytearray(same)
        other[bit // 8] ^= 1 << bit % 8
        assert memory.call("_difference", same, other, 32) == 1 << bit % 8
        assert memory.instructions == instructions
    assert memory.call("_difference", bytes(32), b"\xff" * 32, 32) == 255
    assert memory.call("_difference", b"", b"", 0) == 0


def test_low_bits(memory: Machine) -> None:
    buffer = bytearray(8)
    assert [memory.call("_low_bits", memoryview(buffer)[at:]) for at in range(6)] == [0, 1, 2, 3, 0, 1]


@pytest.mark.parametrize("nonce", [bytes(12), b"\xff" * 12, bytes(range(1, 13))])
def test_counter_blocks(ctr: Machine, nonce: bytes) -> None:
    """The 32-bit counter of every block, for the first chunk and later ones up to the last number there is."""
    for count in (1, 2, 255, 256):
        blocks = bytearray(16 * count)
        ctr.call("start", blocks, nonce, count)
        assert blocks == b"".join(nonce + i.to_bytes(4, "big") for i in range(count))
        for chunk in (0, 1, 255, 256, 65535, 65536, 2**22 - 1):
            ctr.call("advance", blocks, 0, chunk, count)
            assert blocks == b"".join(nonce + (256 * chunk + i).to_bytes(4, "big") for i in range(count))


@pytest.mark.parametrize("length", [*range(36), 4064, 4095, 4096])
def test_xor_into(ctr: Machine, length: int) -> None:
    source = random.Random(length)
    data, stream = bytearray(source.randbytes(length)), source.randbytes(length)
    wanted = bytes(a ^ b for a, b in zip(data, stream, strict=True))
    ctr.call("xor_into", data, stream, length)
    assert data == wanted


def test_blank(ctr: Machine) -> None:
    """Any block of zeros is seen, and no other one: not one with a single bit set."""
    source = random.Random(2)
    for blocks in (1, 2, 7):
        good = source.randbytes(16 * blocks)
        assert ctr.call("blank", good, blocks) == 0
        for at in range(blocks):
            assert ctr.call("blank", good[: 16 * at] + bytes(16) + good[16 * at + 16 :], blocks) == 1
    for bit in range(128):
        assert ctr.call("blank", (1 << bit).to_bytes(16, "big"), 1) == 0
    assert ctr.call("blank", b"", 0) == 0


def product(x: int, y: int) -> int:
    """x * y in GF(2^128), algorithm 1 of SP 800-38D, 6.3; bit 0 is the top bit."""
    z = 0
    for i in range(127, -1, -1):
        if x >> i & 1:
            z ^= y
        y = y >> 1 ^ (_R if y & 1 else 0)
    return z


def number(block: bytes) -> int:
    return int.from_bytes(block, "big")


_SUBKEYS = [(1 << 127), 1, (1 << 128) - 1, 0xE1 << 120, random.Random(3).getrandbits(128)]


@pytest.mark.parametrize("h", _SUBKEYS, ids=["one", "least", "all", "reduction", "random"])
def test_ghash_table(ghash: Machine, h: int) -> None:
    """Every entry: v * x^(4p) * H for nibble v at position p."""
    table = bytearray(8192)
    ghash.call("_powers", h.to_bytes(16, "big"), table)
    ghash.call("_combine", table)
    for p in range(32):
        for v in range(16):
            at = 256 * p + 16 * v
            assert number(table[at : at + 16]) == product(v << (124 - 4 * p), h), (p, v)


@pytest.mark.parametrize("h", _SUBKEYS, ids=["one", "least", "all", "reduction", "random"])
def test_ghash_update(ghash: Machine, h: int) -> None:
    """Blocks of one bit, of all bits and random ones, alone and in a row, from several states."""
    table = bytearray(8192)
    ghash.call("_powers", h.to_bytes(16, "big"), table)
    ghash.call("_combine", table)
    source = random.Random(4)
    single = [1 << bit for bit in range(0, 128, 5)]
    for data in ([0], [(1 << 128) - 1], single, [source.getrandbits(128) for _ in range(5)], []):
        for state in (0, (1 << 128) - 1, source.getrandbits(128)):
            y = bytearray(state.to_bytes(16, "big"))
            text = b"".join(block.to_bytes(16, "big") for block in data)
            ghash.call("update", text, 0, table, y, len(text))
            wanted = state
            for block in data:
                wanted = product(wanted ^ block, h)
            assert number(y) == wanted


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
def test_scan(gate: Machine, low: int, high: int) -> None:
    """Each extreme value, the limits and their neighbours alone; and frames within the limits but for one value."""
    source = random.Random(5)
    bounds = array("I", (key(low), key(high) - key(low)))
    alone = {*_EXTREMES, low, high, *((end + step) & 0xFFFFFFFF for end in (low, high) for step in (-1, 1))}
    for bits in alone:
        assert gate.call("_scan", array("I", [bits]), 0, 0, 1, bounds) == scanned([bits], low, high), hex(bits)
    inside = [bits for bits in alone if scanned([bits], low, high) >= 0]
    for length in (1, 2, 3, 17):
        for _ in range(6):
            frame = [source.choice(inside) for _ in range(length)]
            assert gate.call("_scan", array("I", frame), 0, 0, length, bounds) == scanned(frame, low, high) >= 0
            frame[source.randrange(length)] = source.choice([*alone])
            assert gate.call("_scan", array("I", frame), 0, 0, length, bounds) == scanned(frame, low, high)


def test_scan_touches_no_misaligned_frame(gate: Machine) -> None:
    bounds = array("I", (0, 0xFFFFFFFF))
    for at in (1, 2, 3):
        assert gate.call("_scan", memoryview(bytearray(16))[at : at + 12], 0, 0, 3, bounds) == -2
    assert gate.call("_scan", bytearray(12), 0, 0, 3, bounds) == 3


def test_nonfinite(gate: Machine) -> None:
    for bits in _EXTREMES:
        wanted = int(bits & _INFINITY == _INFINITY)
        assert gate.call("_nonfinite", array("I", [bits]), 1) == wanted, hex(bits)
    assert gate.call("_nonfinite", array("I", _EXTREMES), len(_EXTREMES)) == 8
    assert gate.call("_nonfinite", array("I"), 0) == 0
