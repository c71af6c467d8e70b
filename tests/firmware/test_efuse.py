"""The HMAC driver against the model of the peripheral: results, refusals, and what it leaves behind."""

import hmac
import random

import efuse_chip as chips
import pytest
from efuse_chip import CHIPS, Block
from vm import ask, run

KEY = bytes(range(1, 33))
OTHER = bytes(range(101, 133))
NO_KEY, ENGINE = 5, 6

# `cases`: [chip, efuse, hidden keys, message, what is done before as Python]. One answer each: the HMAC or the code and
# the words of the refusal, the model's faults, whether clocks and resets are as before, the number of accesses.
SCRIPT = """
from chip_registers import ChipRegisters
from tinyseal import efuse
from tinyseal.errors import SealError
found = []
for chip, image, keys, message, before in question["cases"]:
    registers = ChipRegisters(chip, unhex(image), {int(number): unhex(key) for number, key in keys.items()})
    exec(before, {"registers": registers, "gates": question["gates"][chip]})
    words = [registers[at] for at in question["gates"][chip]]
    registers.reads = registers.writes = 0
    out = bytearray(32)
    try:
        efuse.hmac_into(unhex(message), out, registers, chip)
        answer = hexlify(out).decode()
    except SealError as error:
        answer = [error.code, error.detail]
    accesses = registers.reads + registers.writes
    found.append([answer, registers.faults, words == [registers[at] for at in question["gates"][chip]], accesses])
print(ujson.dumps(found))
"""


def driven(cases):
    """The answers for (chip, blocks, message) or (chip, blocks, message, before)."""
    gates = {chip: sorted({at for part in parts for at, _ in part}) for chip, (_, *parts) in CHIPS.items()}
    question = []
    for chip, blocks, message, *before in cases:
        keys = {number: key.hex() for number, key in chips.hidden(blocks).items()}
        question.append([chip, chips.image(blocks).hex(), keys, message.hex(), *(before or [""])])
    return ask(SCRIPT, {"gates": gates, "cases": question}, files=chips.MODEL, heap_kib=2048)


def digest(key, message):
    return hmac.digest(key, message, "sha256").hex()


@pytest.mark.parametrize("chip", CHIPS)
def test_the_hmac_of_every_length(chip):
    messages = [random.Random(length).randbytes(length) for length in range(201)]
    for message, found in zip(
        messages, driven([(chip, [Block(2, KEY)], message) for message in messages]), strict=True
    ):
        assert found[:3] == [digest(KEY, message), [], True], len(message)


def test_the_published_vector():
    """ESP-IDF's hmac_key.bin and the message of 48 zeros."""
    assert driven([("esp32c3", [Block(0, KEY)], bytes(48))])[0][0] == digest(KEY, bytes(48))


@pytest.mark.parametrize("chip", CHIPS)
def test_it_finds_its_block_among_others(chip):
    cases = []
    for number in range(6):
        others = [Block(n, OTHER, purpose=(4, 5, 6, 7, 9, 2)[n]) for n in range(6) if n != number]
        cases += [(chip, [Block(number, KEY)], b"x"), (chip, [*others, Block(number, KEY)], b"x")]
    assert [found[:3] for found in driven(cases)] == [[digest(KEY, b"x"), [], True]] * 12


def test_the_lowest_of_two_blocks_is_its_own():
    assert driven([("esp32s3", [Block(5, OTHER), Block(1, KEY)], b"x")])[0][0] == digest(KEY, b"x")


@pytest.mark.parametrize("chip", CHIPS)
def test_without_a_key_that_is_a_secret_it_refuses(chip):
    cases = {
        "no eFuse key": [[], [Block(n, KEY, purpose=n + (n > 7)) for n in range(6)]],
        "can be read": [[Block(3, KEY, protected=False)], [Block(3, KEY, protected=False), Block(2, OTHER, purpose=4)]],
        "holds no key": [[Block(4, None)], [Block(4, bytes(32))]],
    }
    for words, burned in cases.items():
        for (code, detail), faults, restored, _ in driven([(chip, blocks, b"message") for blocks in burned]):
            assert (code, faults, restored) == (NO_KEY, [], True)
            assert words in detail


@pytest.mark.parametrize("chip", CHIPS)
def test_zeros_of_a_dead_peripheral_are_no_key(chip):
    """Its registers read zeros, the busy and the error register as well, whatever is done to clocks and resets."""
    ((code, _), faults, restored, _) = driven([(chip, [Block(0, KEY)], b"x", "registers._on = lambda gate: False")])[0]
    assert (code, faults, restored) == (NO_KEY, [], True)


def test_an_error_of_the_peripheral_is_an_engine_fault():
    """The registers say HMAC_UP, the peripheral does not agree."""
    before = "registers.engine._key_of = lambda number: None"
    ((code, _), faults, restored, _) = driven([("esp32c3", [Block(0, KEY)], b"x", before)])[0]
    assert (code, faults, restored) == (ENGINE, [], True)


@pytest.mark.parametrize("chip", CHIPS)
def test_a_peripheral_that_stays_busy_is_given_up(chip):
    before = "registers.engine.busy_reads = None"
    ((code, detail), _, restored, accesses) = driven([(chip, [Block(0, KEY)], b"x", before)])[0]
    assert (code, restored) == (ENGINE, True)
    assert "busy" in detail
    assert accesses < 50_000


@pytest.mark.parametrize("chip", CHIPS)
def test_a_slow_peripheral_is_waited_for(chip):
    found = driven([(chip, [Block(0, KEY)], bytes(200), "registers.engine.busy_reads = 500")])
    assert found[0][:3] == [digest(KEY, bytes(200)), [], True]


@pytest.mark.parametrize("chip", CHIPS)
def test_clocks_and_resets_are_as_they_were_found(chip):
    """And so are the bits of other modules in these registers."""
    _, clocks, resets = CHIPS[chip]
    ours = {}
    for at, bit in clocks + resets:
        ours[at] = ours.get(at, 0) | bit
    others = 0xFFFFFFFF if chip in ("esp32s2", "esp32s3", "esp32c3") else 3
    cases = []
    for seed in range(20):
        words = {at: random.Random(f"{seed} {at}").getrandbits(32) & others for at in ours}
        before = "\n".join(f"registers[{at}] = {word}" for at, word in words.items())
        cases.append((chip, [Block(0, KEY)], b"x", before))
    for found in driven(cases):
        assert found[:3] == [digest(KEY, b"x"), [], True]


LEFT_IN_THE_MIDDLE = """
base, clocks, resets = %r
for at, bit in clocks:
    registers[at] |= bit
for at, bit in resets:
    registers[at] &= ~bit
registers[base + 0x40] = 1
registers[base + 0x44] = 8
registers[base + 0x48] = 0
registers[base + 0x4C] = 1
"""


@pytest.mark.parametrize("chip", CHIPS)
def test_it_begins_anew_when_the_peripheral_was_left_in_the_middle(chip):
    found = driven([(chip, [Block(0, KEY)], bytes(70), LEFT_IN_THE_MIDDLE % (CHIPS[chip],))])
    assert found[0][:3] == [digest(KEY, bytes(70)), [], True]


@pytest.mark.parametrize("chip", CHIPS)
def test_no_result_is_left_in_the_peripheral(chip):
    script = """
from chip_registers import ChipRegisters
from tinyseal import efuse
chip, image, key, base, clocks, resets = question
registers = ChipRegisters(chip, unhex(image), {0: unhex(key)})
def use():
    for at, bit in clocks:
        registers[at] |= bit
    for at, bit in resets:
        registers[at] &= ~bit
use()
out = bytearray(32)
efuse.hmac_into(b"x", out, registers, chip)
use()
print(ujson.dumps([any(out), any([registers[base + at] for at in range(0xC0, 0xE0, 4)]), registers.faults]))
"""
    question = [chip, chips.image([Block(0, KEY)]).hex(), KEY.hex(), *CHIPS[chip]]
    assert ask(script, question, files=chips.MODEL) == [True, False, []]


def test_no_register_of_another_chip_is_touched():
    """Those of a new chip may stand for anything: its name begins with another's, and is refused all the same."""
    script = """
from tinyseal import efuse
from tinyseal.errors import SealError
class Untouched:
    def __getitem__(self, address):
        raise AssertionError(hex(address))
    __setitem__ = None
for chip in (%s, None):
    try:
        efuse.hmac_into(b"x", bytearray(32), Untouched(), chip)
    except SealError as error:
        print(error.code)
"""
    names = ["esp32", "esp32c2", "esp32c5", "esp32c61", "esp32h21", "esp32h4", "esp32p4", "esp8266", "rp2040"]
    assert run(script % ", ".join(map(repr, names))) == f"{NO_KEY}\n" * (len(names) + 1)
