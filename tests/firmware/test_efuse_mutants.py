"""The driver with one thing wrong in it: the tests' model of the peripheral notices every one."""

import hmac

import efuse_chip as chips
import pytest
from efuse_chip import CHIPS, Block
from firmware_sources import ROOT
from vm import ask

KEY = bytes(range(1, 33))
SOURCE = (ROOT / "firmware" / "tinyseal" / "efuse.py").read_text(encoding="utf-8")

# what is wrong: [what the driver says, what it says instead], once or several times
MUTANTS = {
    "the clock of HMAC": ["gates = [(at, 0x34, 0)", "gates = [(at, 0x14, 0)"],
    "the clock of SHA": ["gates = [(at, 0x34, 0)", "gates = [(at, 0x30, 0)"],
    "the clock of DS": ["gates = [(at, 0x34, 0)", "gates = [(at, 0x24, 0)"],
    "the reset of HMAC": ["(at + 8, 0x34, 0x34)]", "(at + 8, 0x34, 0x14)]"],
    "the reset of SHA": ["(at + 8, 0x34, 0x34)]", "(at + 8, 0x34, 0x30)]"],
    "the reset of DS": ["(at + 8, 0x34, 0x34)]", "(at + 8, 0x34, 0x24)]"],
    "the clock of SHA in PCR": ["gates = [(at, 3, 2)", "gates = [(at, 2, 2)"],
    "the clock of DS in PCR": ["(at + 0x14, 3, 2)", "(at + 0x14, 2, 2)"],
    "the clock of HMAC in PCR": ["(at + 0x18, 3, 2)", "(at + 0x18, 2, 2)"],
    "the reset of SHA in PCR": ["gates = [(at, 3, 2)", "gates = [(at, 3, 0)"],
    "the reset of DS in PCR": ["(at + 0x14, 3, 2)", "(at + 0x14, 3, 0)"],
    "the reset of HMAC in PCR": ["(at + 0x18, 3, 2)", "(at + 0x18, 3, 0)"],
    "the S2's clocks": ["0x3F4C0044", "0x3F4C0040"],
    "the S3's clocks": ["0x600C001C >> 2", "0x600C0014 >> 2"],
    "the C3's clocks": ["0x600C0014 >> 2", "0x600C001C >> 2"],
    "the C6's clocks": ["0x600960CC", "0x600960C8"],
    "the H2's clocks": ["0x600960C8", "0x600960CC"],
    "the S2's eFuse": ["0x3F41A000", "0x60007000"],
    "the C3's eFuse": ["0x60008800", "0x60007000"],
    "the peripheral's base": ["const(0x6003E000", "const(0x6003D000"],
    "the peripheral's base on C6 and H2": ["const(0x6008D000", "const(0x6008C000"],
    "a length without the ipad block": ["8 * (64 + len(message))", "8 * len(message)"],
    "a length in bytes": ["8 * (64 + len(message))", "64 + len(message)"],
    "a length with its bytes reversed": ['">Q"', '"<Q"'],
    "no end of the message": [r'b"\x80"', r'b"\x00"'],
    "a block of padding too many": ["bytes(-(len(message) + 9) % 64)", "bytes(-(len(message) + 9) % 64 + 64)"],
    "words of the message reversed": ['unpack_from("<I"', 'unpack_from(">I"'],
    "words of the result reversed": ['pack_into("<I"', 'pack_into(">I"'],
    "another purpose": ["idle(_PURPOSE, _HMAC_UP)", "idle(_PURPOSE, 7)"],
    "another key": ["idle(_KEY, block)", "idle(_KEY, block ^ 1)"],
    "always the first block": ["idle(_KEY, block)", "idle(_KEY, 0)"],
    "no start": ["    idle(_START, 1)\n", ""],
    "no purpose": ["    idle(_PURPOSE, _HMAC_UP)\n", ""],
    "no key": ["    idle(_KEY, block)\n", ""],
    "no end of the configuration": ["    idle(_PARA_FINISH, 1)\n", ""],
    "start after the purpose": [
        "    idle(_START, 1)\n    idle(_PURPOSE, _HMAC_UP)\n",
        "    idle(_PURPOSE, _HMAC_UP)\n    idle(_START, 1)\n",
    ],
    "key after the configuration": [
        "    idle(_KEY, block)\n    idle(_PARA_FINISH, 1)\n",
        "    idle(_PARA_FINISH, 1)\n    idle(_KEY, block)\n",
    ],
    "the error unread": ["if idle(_QUERY_ERROR):", "if False:"],
    "no block processed": ["        idle(_MESSAGE_ONE, 1)\n", ""],
    "one word too few": ["for i in range(0, 64, 4):", "for i in range(0, 60, 4):"],
    "no one-block": ["if len(padded) == 64:", "if False:"],
    "always one-block": ["if len(padded) == 64:", "if True:"],
    "never the last block": ["if at + 64 < len(padded) else _MESSAGE_PAD", ""],
    "always the last block": ["_MESSAGE_ING if at + 64 < len(padded) else _MESSAGE_PAD", "_MESSAGE_PAD"],
    "nothing between the blocks": ["        if at:\n", "        if False:\n"],
    "no wait": ["if not mem32[base + _QUERY_BUSY]:", "if True:"],
    "a wait that is too short": ["_POLLS = const(10000)", "_POLLS = const(3)"],
    "no reset": ["mem32[at] |= bits\n", "mem32[at] |= bits ^ resets\n"],
    "clocks left on": ["mem32[at] = mem32[at] & ~bits | found.pop(0)", "pass"],
    "clocks of others": ["mem32[at] = mem32[at] & ~bits | found.pop(0)", "mem32[at] = found.pop(0)"],
    "registers that are dead": ["(of_zeros, bytes(32))", "(of_zeros,)"],
    "a key that was never written": ["in (of_zeros, bytes(32))", "== bytes(32)"],
    "a block that can be read": ["if not mem32[at + _RD_DIS] >> block & 1:", "if False:"],
    "any purpose's block": ["== _HMAC_UP:\n", "!= 0:\n"],
    "the purposes of the wrong blocks": ["mem32[at + _PURPOSE_2] << 8", "mem32[at + _PURPOSE_2] << 4"],
}

# Each source with each case: [chip, efuse, hidden keys, message, before, what comes, the HMAC or a refusal's code].
# The answer for a source: the first case in which something was not as it has to be, or nothing.
SCRIPT = """
from chip_registers import ChipRegisters
from tinyseal.errors import SealError

def noticed(source):
    names = {"__name__": "tinyseal.mutant"}
    exec(source, names)
    for chip, image, keys, message, before, wanted in question["cases"]:
        registers = ChipRegisters(chip, unhex(image), {int(number): unhex(key) for number, key in keys.items()})
        exec(before, {"registers": registers})
        words = [registers[at] for at in question["gates"][chip]]
        out = bytearray(32)
        try:
            names["hmac_into"](unhex(message), out, registers, chip)
            got = hexlify(out).decode()
        except SealError as error:
            got = error.code
        except Exception as error:
            got = repr(error)
        if got != wanted:
            return [chip, len(message) // 2, got]
        if registers.faults or words != [registers[at] for at in question["gates"][chip]]:
            return [chip, len(message) // 2, registers.faults]
    return None

print(ujson.dumps({name: noticed(source) for name, source in question["sources"].items()}))
"""

FOUND_ON = """
for at, bit in %r:
    registers[at] |= bit
"""
LEFT_IN_THE_MIDDLE = """
base, clocks, resets = %r
for at, bit in clocks:
    registers[at] |= bit
for at, bit in resets:
    registers[at] &= ~bit
registers[base + 0x40] = 1
"""
DISAGREES = "registers.engine._key_of = lambda number: None"
DEAD = "registers._on = lambda gate: False"


def _cases():
    found = []

    def add(chip, blocks, length, wanted=None, before=""):
        message = bytes(range(length))
        keys = {number: key.hex() for number, key in chips.hidden(blocks).items()}
        answer = wanted or hmac.digest(KEY, message, "sha256").hex()
        found.append([chip, chips.image(blocks).hex(), keys, message.hex(), before, answer])

    for chip, (_, clocks, resets) in CHIPS.items():
        for length in (0, 55, 56, 63, 64, 119, 120, 200):
            add(chip, [Block(3, KEY), Block(0, KEY[::-1], purpose=4)], length)
        others = [(at, 0x4A) for part in (clocks, resets) for at, _ in part if at < 0x60090000]  # AES, RSA, DMA
        add(chip, [Block(4, KEY)], 10, before=FOUND_ON % (clocks + others))
        add(chip, [Block(4, KEY)], 10, before=LEFT_IN_THE_MIDDLE % (CHIPS[chip],))
        add(chip, [Block(1, KEY)], 10, before="registers.engine.busy_reads = 20")
        add(chip, [Block(1, KEY)], 10, wanted=6, before=DISAGREES)
        add(chip, [Block(1, KEY)], 10, wanted=5, before=DEAD)
        add(chip, [], 10, wanted=5)
        add(chip, [Block(1, None)], 10, wanted=5)
        add(chip, [Block(1, KEY, protected=False)], 10, wanted=5)
    return found


@pytest.fixture(scope="module")
def noticed():
    """By name of the source what was noticed; "" is the driver as it is."""
    sources = {"": SOURCE}
    for name, (old, new) in MUTANTS.items():
        assert SOURCE.count(old) == 1, f"{name}: {SOURCE.count(old)} times {old!r}"
        sources[name] = SOURCE.replace(old, new)
    gates = {chip: sorted({at for part in parts for at, _ in part}) for chip, (_, *parts) in CHIPS.items()}
    question = {"sources": sources, "cases": _cases(), "gates": gates}
    return ask(SCRIPT, question, files=chips.MODEL, heap_kib=8192, timeout=240)


def test_the_driver_as_it_is_passes(noticed):
    assert noticed[""] is None


@pytest.mark.parametrize("name", MUTANTS)
def test_a_driver_with_one_thing_wrong_does_not(noticed, name):
    assert noticed[name], name
