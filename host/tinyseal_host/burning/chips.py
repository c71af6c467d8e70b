"""Which chips have the HMAC peripheral and a driver for it."""

from __future__ import annotations

import re

from ..errors import TinysealError, quoted

CHIPS = ("esp32s2", "esp32s3", "esp32c3", "esp32c6", "esp32h2")
"""Those that the board's package drives, named as esptool does."""
_WITHOUT = ("esp32", "esp32c2")
# Not the C61 for a C6: what follows the digit is a package or a size, in letters.
_CHIP = re.compile(r"esp32(?:[a-z]\d(?!\d)|(?![a-z]\d))")


def check_chip(chip: str) -> None:
    """TinysealError, with the reason, for a chip that cannot derive a key by HMAC."""
    if chip in _WITHOUT:
        raise TinysealError(f"the {chip} has no HMAC peripheral: its key stays in NVS", hint="--key-source nvs")
    if chip not in CHIPS:
        raise TinysealError(f"got chip {quoted(chip)}, wanted one of {', '.join(CHIPS)}")


def chip_of(machine: str) -> str | None:
    """The chip in MicroPython's `sys.implementation._machine`, "BOARD with CHIP"; None where it names none."""
    found = _CHIP.match(machine.rpartition(" with ")[2].replace("-", "").lower())
    return found[0] if found else None
