"""A chip's eFuse and HMAC peripheral for tests: the virtual board's model, and the accesses that the manual asks for.

    registers = model("esp32c3", [Block(2, key)])
    assert play("esp32c3", registers, steps("esp32c3", 2, b"message")) == hmac.digest(key, b"message", "sha256")

The numbers here are the test's own, neither the model's nor the driver's: the accesses are written from the ESP32-C3
Technical Reference Manual, section 19.2.5, with the padding of ESP-IDF's `esp_hmac.c`.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

_VM = Path(__file__).parents[1] / "host" / "tinyseal_host" / "sim" / "vm"
MODEL = {name: (_VM / name).read_bytes() for name in ("chip_registers.py", "hmac_engine.py", "sha256_blocks.py")}

sys.path.append(str(_VM))  # last, and not for long: the folder has an os.py of its own
from chip_registers import ChipRegisters  # noqa: E402

sys.path.remove(str(_VM))

UP = 8
DEAD_POLLS = 1000

START, PURPOSE, KEY, PARA_FINISH, ONE, ING, END, FINISH = range(0x40, 0x60, 4)
ERROR, BUSY, MESSAGE, RESULT, PAD, ONE_BLOCK = 0x68, 0x6C, 0x80, 0xC0, 0xF0, 0xF4


def _bits(clock, reset):
    return [(clock, 1 << bit) for bit in (2, 4, 5)], [(reset, 1 << bit) for bit in (2, 4, 5)]


def _registers(*addresses):
    return [(address, 1) for address in addresses], [(address, 2) for address in addresses]


# chip: base of the HMAC peripheral, (address, bit) of the clocks of SHA, DS, HMAC, the same of their resets
CHIPS = {
    "esp32s2": (0x6003E000, *_bits(0x3F4C0044, 0x3F4C004C)),
    "esp32s3": (0x6003E000, *_bits(0x600C001C, 0x600C0024)),
    "esp32c3": (0x6003E000, *_bits(0x600C0014, 0x600C001C)),
    "esp32c6": (0x6008D000, *_registers(0x600960CC, 0x600960E0, 0x600960E4)),
    "esp32h2": (0x6008D000, *_registers(0x600960C8, 0x600960DC, 0x600960E0)),
}
EFUSE = {
    "esp32s2": 0x3F41A000,
    "esp32s3": 0x60007000,
    "esp32c3": 0x60008800,
    "esp32c6": 0x600B0800,
    "esp32h2": 0x600B0800,
}


@dataclass
class Block:
    """A key block: 0 to 5, its 32 bytes or None when they were never written, its purpose, whether it can be read."""

    number: int
    key: bytes | None
    purpose: int = UP
    protected: bool = True


def image(blocks):
    """What the eFuse controller's registers read, from its base on, 512 bytes."""
    efuse = bytearray(0x200)
    for block in blocks:
        bit = 0x34 * 8 + 24 + 4 * block.number
        efuse[bit // 8] |= block.purpose << bit % 8
        if block.protected:
            efuse[0x30] |= 1 << block.number
        elif block.key:
            at = 0x9C + 32 * block.number
            efuse[at : at + 32] = block.key
    return bytes(efuse)


def hidden(blocks):
    """The keys that the registers do not show, by number."""
    return {block.number: block.key for block in blocks if block.protected and block.key}


def model(chip, blocks, **options):
    """The registers of a chip with these key blocks burned."""
    return ChipRegisters(chip, image(blocks), hidden(blocks), **options)


def padded(message, counted=64):
    """The message as SHA-256 pads it, when `counted` bytes went before it."""
    length = len(message)
    return message + b"\x80" + bytes(-(length + 9) % 64) + ((length + counted) * 8).to_bytes(8, "big")


def opening(chip):
    """Clocks on, resets released."""
    _, clocks, resets = CHIPS[chip]
    return [("set", *clock) for clock in clocks] + [("clear", *reset) for reset in resets]


def closing(chip):
    """As after power-on."""
    _, clocks, resets = CHIPS[chip]
    return [("set", *reset) for reset in resets] + [("clear", *clock) for clock in clocks]


def calculation(chip, number, text, purpose=UP):
    """One HMAC of `text`, which is padded already."""
    base = CHIPS[chip][0]
    found = [("write", base + START, 1), ("write", base + PURPOSE, purpose), ("write", base + KEY, number)]
    found += [("write", base + PARA_FINISH, 1), ("wait",), ("check",)]
    blocks = [text[at : at + 64] for at in range(0, len(text), 64)]
    for i, block in enumerate(blocks):
        for at in range(0, 64, 4):
            found.append(("write", base + MESSAGE + at, int.from_bytes(block[at : at + 4], "little")))
        found += [("write", base + ONE, 1), ("wait",)]
        if len(blocks) == 1:
            found += [("write", base + ONE_BLOCK, 1), ("wait",)]
        elif i < len(blocks) - 1:
            found.append(("write", base + (PAD if i == len(blocks) - 2 else ING), 1))
    return [*found, ("result",), ("write", base + FINISH, 1)]


def steps(chip, number, message):
    """All accesses for the HMAC of a message."""
    return opening(chip) + calculation(chip, number, padded(message)) + closing(chip)


def play(chip, registers, accesses):
    """The result of these accesses, of 32 bytes; None when the peripheral reports an error or stays busy."""
    base = CHIPS[chip][0]
    result = None
    for kind, *rest in accesses:
        if kind == "write":
            registers[rest[0]] = rest[1]
        elif kind == "set":
            registers[rest[0]] |= rest[1]
        elif kind == "clear":
            registers[rest[0]] &= ~rest[1]
        elif kind == "wait":
            if all(registers[base + BUSY] for _ in range(DEAD_POLLS)):
                return None
        elif kind == "check":
            if registers[base + ERROR]:
                return None
        else:
            words = [registers[base + RESULT + at] for at in range(0, 32, 4)]
            result = b"".join(word.to_bytes(4, "little") for word in words)
    return result
