"""The model of the HMAC peripheral, by itself: it gives what the manual's accesses give, and nothing for any others."""

import hashlib
import hmac
import random
from itertools import pairwise

import efuse_chip as chips
import pytest
from efuse_chip import CHIPS, Block, calculation, closing, model, opening, padded, play, steps
from vm import ask

KEY = bytes(range(1, 33))
BASE = CHIPS["esp32c3"][0]


def digest(key, message):
    return hmac.digest(key, message, "sha256")


def test_sha256_blocks_are_those_of_hashlib():
    from sha256_blocks import START, compressed, joined, padding

    for length in range(200):
        text = random.Random(length).randbytes(length)
        whole, state = text + padding(length), START
        for at in range(0, len(whole), 64):
            state = compressed(state, whole[at : at + 64])
        assert joined(state) == hashlib.sha256(text).digest()


@pytest.mark.parametrize("chip", CHIPS)
def test_the_manual_s_accesses_give_the_hmac(chip):
    registers = model(chip, [Block(3, KEY)])
    for length in [*range(130), 183, 184, 191, 192, 200]:
        message = random.Random(length).randbytes(length)
        assert play(chip, registers, steps(chip, 3, message)) == digest(KEY, message), length
    assert registers.faults == []
    assert registers.reads > 0 < registers.writes


def test_the_published_vector():
    """ESP-IDF's hmac_key.bin and the message of 48 zeros."""
    assert play("esp32c3", model("esp32c3", [Block(0, KEY)]), steps("esp32c3", 0, bytes(48))) == digest(KEY, bytes(48))


def test_it_is_the_same_on_the_vm():
    script = """
from chip_registers import ChipRegisters
registers, found = ChipRegisters("esp32c3", unhex(question[0]), {3: unhex(question[1])}), []
for base, accesses in question[2]:
    for kind, *rest in accesses:
        if kind == "write":
            registers[rest[0]] = rest[1]
        elif kind == "set":
            registers[rest[0]] |= rest[1]
        elif kind == "clear":
            registers[rest[0]] &= ~rest[1]
        elif kind == "wait":
            while registers[base + 0x6C]:
                pass
        elif kind == "result":
            found.append(hexlify(b"".join([registers[base + at].to_bytes(4, "little") for at in range(0xC0, 0xE0, 4)])))
assert registers.faults == []
print(ujson.dumps([one.decode() for one in found]))
"""
    messages = [random.Random(length).randbytes(length) for length in (0, 55, 56, 64, 120, 200)]
    question = [chips.image([Block(3, KEY)]).hex(), KEY.hex(), [[BASE, steps("esp32c3", 3, m)] for m in messages]]
    assert ask(script, question, files=chips.MODEL) == [digest(KEY, message).hex() for message in messages]


def test_the_hardware_s_own_padding():
    """END after whole blocks of message: section 19.2.5, step 4(d)."""
    message = random.Random(0).randbytes(128)
    accesses = calculation("esp32c3", 0, message)
    last = max(i for i, access in enumerate(accesses) if access == ("write", BASE + chips.ONE, 1))
    for i, access in enumerate(accesses):
        if access == ("write", BASE + chips.PAD, 1):  # there is another block of message, not of padding
            accesses[i] = ("write", BASE + chips.ING, 1)
    accesses[last + 1 : last + 2] = [("wait",), ("write", BASE + chips.END, 1), ("wait",)]
    registers = model("esp32c3", [Block(0, KEY)])
    assert play("esp32c3", registers, opening("esp32c3") + accesses) == digest(KEY, message)
    assert registers.faults == []


@pytest.mark.parametrize("length", [0, 55, 56, 64, 120, 200])
def test_a_wrong_length_field_gives_another_result(length):
    message, chip = bytes(range(length)), "esp32c3"
    for counted in (0, 32, 128):
        registers = model(chip, [Block(0, KEY)])
        result = play(chip, registers, opening(chip) + calculation(chip, 0, padded(message, counted)))
        assert result not in (None, bytes(32), digest(KEY, message))


@pytest.mark.parametrize("length", [20, 60, 130])
@pytest.mark.parametrize("chip", CHIPS)
def test_no_access_can_be_left_out(chip, length):
    """Nor a wait, nor a clock, nor a reset: without it the result is another, or there is none, or a fault is named."""
    message = random.Random(length).randbytes(length)
    accesses = opening(chip) + calculation(chip, 1, padded(message))
    harmless = {("check",), ("result",), ("write", CHIPS[chip][0] + chips.FINISH, 1)}
    tried = 0
    for i, access in enumerate(accesses):
        if access not in harmless:
            registers = model(chip, [Block(1, KEY)])
            result = play(chip, registers, accesses[:i] + accesses[i + 1 :])
            assert result != digest(KEY, message) or registers.faults, access
            tried += 1
    assert tried > 25


@pytest.mark.parametrize("length", [20, 60, 130])
def test_no_two_commands_can_change_places(length):
    """But purpose and key, which are one after the other, and the words of a block."""
    chip, message = "esp32c3", random.Random(length).randbytes(length)
    accesses = opening(chip) + calculation(chip, 1, padded(message))
    places = [i for i, access in enumerate(accesses) if access[0] == "write" and access[1] < BASE + chips.MESSAGE]
    places += [i for i, access in enumerate(accesses) if access[0] == "write" and access[1] >= BASE + chips.PAD]
    places.sort()
    tried = 0
    for first, second in pairwise(places):
        offsets = {accesses[first][1] - BASE, accesses[second][1] - BASE}
        if len(offsets) == 1 or offsets == {chips.PURPOSE, chips.KEY}:
            continue
        swapped = list(accesses)
        swapped[first], swapped[second] = swapped[second], swapped[first]
        registers = model(chip, [Block(1, KEY)])
        assert play(chip, registers, swapped) != digest(KEY, message) or registers.faults, offsets
        tried += 1
    assert tried >= 5


CONFIGURED = [(chips.START, 1), (chips.PURPOSE, 8), (chips.KEY, 1), (chips.PARA_FINISH, 1)]
BLOCK = [*((chips.MESSAGE + at, at) for at in range(0, 64, 4)), (chips.ONE, 1)]
MISUSES = {  # the last write of each
    "purpose before start": [CONFIGURED[1]],
    "no purpose": [CONFIGURED[0], *CONFIGURED[2:]],
    "no key": [*CONFIGURED[:2], CONFIGURED[3]],
    "start twice": [CONFIGURED[0], CONFIGURED[0]],
    "another key after the configuration": [*CONFIGURED, (chips.KEY, 2)],
    "message before the configuration": [CONFIGURED[0], BLOCK[0]],
    "block of 15 words": [*CONFIGURED, *BLOCK[1:]],
    "next block at once": [*CONFIGURED, (chips.ING, 1)],
    "last block at once": [*CONFIGURED, (chips.PAD, 1)],
    "end at once": [*CONFIGURED, (chips.END, 1)],
    "one-block at once": [*CONFIGURED, (chips.ONE_BLOCK, 1)],
    "two blocks with nothing between": [*CONFIGURED, *BLOCK, BLOCK[0]],
    "one-block after two": [*CONFIGURED, *BLOCK, (chips.ING, 1), *BLOCK, (chips.ONE_BLOCK, 1)],
    "something after the last block": [*CONFIGURED, *BLOCK, (chips.PAD, 1), *BLOCK, (chips.ING, 1)],
    "message after one-block": [*CONFIGURED, *BLOCK, (chips.ONE_BLOCK, 1), BLOCK[0]],
}


@pytest.mark.parametrize("writes", MISUSES.values(), ids=MISUSES)
def test_what_the_manual_has_no_place_for_is_an_error_and_has_no_result(writes):
    chip = "esp32c3"
    accesses = [access for offset, value in writes for access in (("write", BASE + offset, value), ("wait",))]
    before = model(chip, [Block(1, KEY)])
    play(chip, before, opening(chip) + accesses[:-2])
    assert (before[BASE + chips.ERROR], before.faults) == (0, [])
    registers = model(chip, [Block(1, KEY)])
    play(chip, registers, opening(chip) + accesses)
    assert registers[BASE + chips.ERROR] == 1
    assert len(registers.faults) == 1
    assert play(chip, registers, [("result",)]) == bytes(32)


def error(registers, purpose, number):
    play("esp32c3", registers, opening("esp32c3") + calculation("esp32c3", number, padded(b""), purpose)[:5])
    return registers[BASE + chips.ERROR]


def test_purpose_and_key_have_to_be_those_that_were_burned():
    for purpose in range(16):
        for number in range(8):
            registers = model("esp32c3", [Block(2, KEY), Block(4, KEY, purpose=7), Block(5, KEY, purpose=0)])
            assert error(registers, purpose, number) == (0 if (purpose, number) == (8, 2) else 1), (purpose, number)
            assert registers.faults == []


def test_after_an_error_nothing_is_calculated_until_the_result_is_finished():
    registers = model("esp32c3", [Block(2, KEY)])
    assert error(registers, 8, 3) == 1
    assert play("esp32c3", registers, calculation("esp32c3", 2, padded(b""))) is None
    registers[BASE + chips.FINISH] = 1
    assert play("esp32c3", registers, calculation("esp32c3", 2, padded(b""))) == digest(KEY, b"")


def test_a_key_that_was_never_written_is_zeros():
    for block in (Block(1, None), Block(1, None, protected=False)):
        registers = model("esp32c3", [block])
        assert play("esp32c3", registers, steps("esp32c3", 1, b"x")) == digest(bytes(32), b"x")


@pytest.mark.parametrize("chip", CHIPS)
def test_only_a_block_that_may_be_read_is_shown(chip):
    registers = model(chip, [Block(0, KEY), Block(1, KEY, protected=False)])
    shown = [registers[chips.EFUSE[chip] + at].to_bytes(4, "little") for at in range(0x9C, 0xDC, 4)]
    assert b"".join(shown) == bytes(32) + KEY
    assert registers[chips.EFUSE[chip] + 0x30] == 1
    assert registers[chips.EFUSE[chip] + 0x34] >> 24 == 0x88
    efuse = bytearray(chips.image([Block(1, KEY, protected=False)]))
    efuse[0x30] = 2
    protected_later = chips.ChipRegisters(chip, efuse)
    assert not any(protected_later[chips.EFUSE[chip] + at] for at in range(0xBC, 0xDC, 4))


@pytest.mark.parametrize("chip", CHIPS)
def test_a_module_without_clock_or_in_reset_is_dead(chip):
    _, clocks, resets = CHIPS[chip]
    registers = model(chip, [Block(0, KEY)])
    assert all(registers[address] & bit == 0 for address, bit in clocks)
    assert all(registers[address] & bit for address, bit in resets)
    for missing in (("clear", *clocks[2]), ("set", *resets[2])):
        registers = model(chip, [Block(0, KEY)])
        result = play(chip, registers, [*opening(chip), missing, *calculation(chip, 0, padded(b""))])
        assert result == bytes(32)
        assert registers.faults == []
    for missing in [("clear", *clock) for clock in clocks[:2]] + [("set", *reset) for reset in resets[:2]]:
        registers = model(chip, [Block(0, KEY)])
        assert (
            play(chip, registers, [*opening(chip), missing, *calculation(chip, 0, padded(b""))]) is None
        )  # busy for good


def test_a_reset_forgets_the_calculation():
    registers = model("esp32c3", [Block(0, KEY)])
    play("esp32c3", registers, opening("esp32c3") + calculation("esp32c3", 0, padded(b""))[:-1])
    assert registers[BASE + chips.RESULT]
    play("esp32c3", registers, closing("esp32c3") + opening("esp32c3"))
    assert [registers[BASE + at] for at in range(0xC0, 0xE0, 4)] == [0] * 8
    assert registers.faults == []


def test_the_result_is_gone_when_it_was_finished():
    registers = model("esp32c3", [Block(0, KEY)])
    assert play("esp32c3", registers, opening("esp32c3") + calculation("esp32c3", 0, padded(b""))) == digest(KEY, b"")
    assert [registers[BASE + at] for at in range(0xC0, 0xE0, 4)] == [0] * 8


def test_it_can_hang():
    registers = model("esp32c3", [Block(0, KEY)], busy_reads=None)
    assert play("esp32c3", registers, steps("esp32c3", 0, b"")) is None


@pytest.mark.parametrize("address", [BASE, BASE + 0x41, BASE + 0x100, 0x60008800 + 0x200, 0x600C0018, 0x6003F000])
def test_there_is_no_register_elsewhere(address):
    registers = model("esp32c3", [])
    with pytest.raises(ValueError, match="no register"):
        registers[address]
    with pytest.raises(ValueError, match="no register"):
        registers[address] = 0


def test_the_efuse_controller_is_not_to_be_written():
    registers = model("esp32c3", [])
    registers[0x60008800] = 1
    assert registers.faults == ["eFuse controller written: 000"]
