"""The kernels under opening as the machine code of both board architectures and as plain Python, against the standards.

The emulated machines check every access: alignment, and that it stays within the buffers of the call.
"""

import random
import struct

import pytest
from emulation import ARCHITECTURES, Architecture, Machine, compile_source
from firmware_sources import path_of
from int8_twins import machine_of
from vm_kernels import PlainMachine, VmMachine

_R = 0xE1 << 120  # SP 800-38D, 6.3
Kernels = Machine | VmMachine

memory = machine_of("memory")
ctr = machine_of("ctr")
ghash = machine_of("ghash")


@pytest.mark.parametrize("at", range(4))
@pytest.mark.parametrize("length", [*range(9), 15, 31, 32, 33, 64, 1000])
def test_fill(memory: Kernels, length: int, at: int) -> None:
    buffer = bytearray(b"\xff" * (at + length + 1))
    memory.call("_fill", memoryview(buffer)[at:-1], length)
    assert buffer == b"\xff" * at + bytes(length) + b"\xff"


def test_difference(memory: Kernels) -> None:
    """Zero for equal bytes only, in the same number of instructions whatever they are."""
    source = random.Random(1)
    same = source.randbytes(32)
    assert memory.call("_difference", same, bytearray(same), 32) == 0
    instructions = getattr(memory, "instructions", None)  # nobody counts those of bytecode
    for bit in range(256):
        other = bytearray(same)
        other[bit // 8] ^= 1 << bit % 8
        assert memory.call("_difference", same, other, 32) == 1 << bit % 8
        assert getattr(memory, "instructions", None) == instructions
    assert memory.call("_difference", bytes(32), b"\xff" * 32, 32) == 255
    assert memory.call("_difference", b"", b"", 0) == 0


@pytest.mark.parametrize("length", [16, 32])
def test_erase(memory: Kernels, length: int) -> None:
    """The first whole copy within reach, at every offset, and nothing else; a partial one before it is no copy."""
    secret = bytes(range(1, length + 1))
    for at in (0, 1, 2, 6, 24, 39):
        start = (secret[:5] + b"\xee" * 40)[:at]
        thing = bytearray(start + secret + secret + b"\xee" * 40)
        assert memory.call("_erase", thing, secret, length, 40) == 1
        assert thing == start + bytes(length) + secret + b"\xee" * 40
    thing = bytearray(b"\xee" * 40 + secret)
    assert memory.call("_erase", thing, secret, length, 40) == 0
    assert thing == b"\xee" * 40 + secret


_SCHEDULES = {  # FIPS-197, A.1 and A.3: the key, and the words behind it that no S-box makes
    16: ("2b7e151628aed2a6abf7158809cf4f3c", "a0fafe17", "88542cb123a339392a6c7605"),
    32: (
        "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
        "9ba35411",
        "8e6925afa51a8b5f2067fcde",
    ),
}


@pytest.mark.parametrize("length", [16, 32])
def test_erase_with_what_the_key_was_expanded_to(memory: Kernels, length: int) -> None:
    """44 or 60 words; but of a schedule with one wrong bit in what is looked at, the key alone."""
    secret, first, others = (bytes.fromhex(text) for text in _SCHEDULES[length])
    size = {16: 176, 32: 240}[length]
    schedule = (secret + first + others).ljust(size, b"\x77")
    for at in (0, 7, 39):
        thing = bytearray(b"\xee" * at + schedule + b"\xee" * 240)
        assert memory.call("_erase", thing, secret, length, 40) == 1
        assert thing == b"\xee" * at + bytes(size) + b"\xee" * 240
    for bit in range(8 * (length + 4), 8 * (length + 16)):
        thing = bytearray(schedule + b"\xee" * 240)
        thing[bit // 8] ^= 1 << bit % 8
        wanted = bytes(length) + thing[length:]
        assert memory.call("_erase", thing, secret, length, 40) == 1
        assert thing == wanted


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_erase_at_an_address_that_was_sign_extended(architecture: Architecture) -> None:
    """As id() gives one of 2^30 and above: with the top bit set, which on a board is no address of anything."""
    machine = compile_source(path_of("memory", architecture), architecture)
    secret = bytes(range(1, 33))
    whole = bytearray(secret + b"\xee" * 68 + secret + b"\xee" * 300)
    machine.call("_erase", 0, whole, 32, 0)  # to see where the buffer comes to lie
    place = machine._arguments._buffers["secret"].target + 100 - 7
    assert machine.call("_erase", place | 1 << 31, whole, 32, 40) == 1
    assert whole == secret + b"\xee" * 68 + bytes(32) + b"\xee" * 300


def test_low_bits(memory: Kernels) -> None:
    buffer = bytearray(8)
    assert [memory.call("_low_bits", memoryview(buffer)[at:]) for at in range(6)] == [0, 1, 2, 3, 0, 1]


@pytest.mark.parametrize("nonce", [bytes(12), b"\xff" * 12, bytes(range(1, 13))])
def test_counter_blocks(ctr: Kernels, nonce: bytes) -> None:
    """The 32-bit counter of every block, for the first chunk and later ones up to the last number there is."""
    for count in (1, 2, 255, 256):
        blocks = bytearray(16 * count)
        ctr.call("start", blocks, memoryview(b"x" + nonce)[1:], count)
        assert blocks == (nonce + bytes(4)) * count
        for chunk in (0, 1, 255, 256, 65535, 65536, 2**24 - 1):
            ctr.call("advance", blocks, 0, chunk, count)
            assert blocks == b"".join(nonce + (256 * chunk + i).to_bytes(4, "big") for i in range(count))


@pytest.mark.parametrize("length", [*range(36), 4064, 4095, 4096])
def test_xor_into(ctr: Kernels, length: int) -> None:
    source = random.Random(length)
    data, stream = bytearray(source.randbytes(length)), source.randbytes(length)
    wanted = bytes(a ^ b for a, b in zip(data, stream, strict=True))
    ctr.call("xor_into", data, stream, length)
    assert data == wanted


def test_blank(ctr: Kernels) -> None:
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


_DIGITS = ((0, 7), (7, 7), (14, 6), (20, 6), (26, 6))  # lowest bit and length, in the order of their tables


def table_of(ghash: Kernels, h: int) -> bytearray:
    """A table made where other bytes were before."""
    table = bytearray(b"\x5a" * 8192)
    ghash.call("_powers", h.to_bytes(16, "big"), table)
    ghash.call("_combine", table, table)
    return table


@pytest.mark.parametrize("h", _SUBKEYS, ids=["one", "least", "all", "reduction", "random"])
def test_ghash_table(ghash: Kernels, h: int) -> None:
    """Every entry: what H times the first word of a block is, with this digit and zeros elsewhere; of the plain table,
    the first byte, and what stands for x^128 and above."""
    table = table_of(ghash, h)
    at = 0
    if isinstance(ghash, PlainMachine):
        for byte in range(256):
            assert number(table[16 * byte :][:16]) == product(byte << 120, h)
            assert number(table[4096 + 2 * byte :][:2]) << 112 == product(byte << 120, _R)  # x^128 is _R
        assert table[4608:] == b"\x5a" * (8192 - 4608)
        return
    for lowest, length in _DIGITS:
        for digit in range(1 << length):
            words = struct.unpack_from("<4I", table, at)
            assert sum(word << 32 * (3 - i) for i, word in enumerate(words)) == product(digit << 96 + lowest, h)
            at += 16
    assert table[at:] == b"\x5a" * (8192 - at)


@pytest.mark.parametrize("h", _SUBKEYS, ids=["one", "least", "all", "reduction", "random"])
def test_ghash_update(ghash: Kernels, h: int) -> None:
    """Blocks of one bit, of all bits and random ones, alone and in a row, from several states, wherever they lie."""
    table = table_of(ghash, h)
    source = random.Random(4)
    single = [1 << bit for bit in range(128)]
    for data in ([0], [(1 << 128) - 1], single, [source.getrandbits(128) for _ in range(5)], []):
        for at, state in enumerate((0, (1 << 128) - 1, source.getrandbits(128), 1)):
            y = bytearray(state.to_bytes(16, "big"))
            text = b"".join(block.to_bytes(16, "big") for block in data)
            ghash.call("update", memoryview(bytes(at) + text)[at:], 0, table, y, len(text))
            wanted = state
            for block in data:
                wanted = product(wanted ^ block, h)
            assert number(y) == wanted


def instructions(machine: Machine, function: str, *arguments: object) -> int:
    machine.call(function, *arguments)  # type: ignore[arg-type]
    return machine.instructions


_MOST = {"rv32imc": 60, "xtensawin": 75}  # the goal, and 1.25 times as many


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_instructions_of_opening(architecture: Architecture) -> None:
    """A byte of a payload of 16 KiB: table, GHASH, counter blocks and their check, XOR."""
    ctr, ghash = (compile_source(path_of(name, architecture), architecture) for name in ("ctr", "ghash"))
    chunk, chunks = 4096, 4
    table, data = bytearray(8192), bytearray(chunk)
    blocks = chunk // 16
    total = instructions(ghash, "_powers", b"h" * 16, table) + instructions(ghash, "_combine", table, table)
    total += instructions(ctr, "start", data, b"n" * 12, blocks)
    total += chunks * instructions(ghash, "update", data, 0, table, bytearray(16), chunk)
    total += chunks * instructions(ctr, "advance", data, 0, 1, blocks)
    total += chunks * instructions(ctr, "blank", b"k" * chunk, blocks)
    total += chunks * instructions(ctr, "xor_into", data, b"k" * chunk, chunk)
    assert total / (chunk * chunks) <= _MOST[architecture]
