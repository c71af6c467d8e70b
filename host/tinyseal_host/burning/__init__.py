"""A board's root key burned into eFuse for the HMAC peripheral, by Espressif's `espefuse`; it cannot be undone."""

from .chips import CHIPS, check_chip, chip_of
from .espefuse import Espefuse
from .fuses import Fuses, choose_block, parse_fuses, verify
from .virtual import EFUSE_FILE, burn_virtually, look

__all__ = [
    "CHIPS",
    "EFUSE_FILE",
    "Espefuse",
    "Fuses",
    "burn_virtually",
    "check_chip",
    "chip_of",
    "choose_block",
    "look",
    "parse_fuses",
    "verify",
]
