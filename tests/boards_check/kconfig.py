"""sdkconfig fragments: every option a known one with a value of its kind, and all together what closes a board."""

import re
from collections.abc import Iterator
from typing import Any

from .definition import Definition

_LINE = re.compile(r"CONFIG_(\w+)=(.*)")
_KINDS = {"bool": r"[yn]", "int": r"-?\d+", "hex": r"0x[0-9a-fA-F]+", "string": r'"[^"]+"'}

_BOTH = {"NVS_ENCRYPTION": "y", "PARTITION_TABLE_CUSTOM": "y", "BT_ENABLED": "n"}
_CLOSED = {
    "SECURE_BOOT": "y",
    "SECURE_BOOT_V2_ENABLED": "y",
    "SECURE_SIGNED_APPS_RSA_SCHEME": "y",
    "SECURE_DISABLE_ROM_DL_MODE": "y",
    "BOOTLOADER_SKIP_VALIDATE_IN_DEEP_SLEEP": "n",
    "ESP_CONSOLE_NONE": "y",
    "ESP_SYSTEM_PANIC_SILENT_REBOOT": "y",
}
# The last block: the one below it that `tinyseal burn` takes is what a board finds first.
_HMAC = {"NVS_SEC_KEY_PROTECT_USING_HMAC": "y", "NVS_SEC_HMAC_EFUSE_KEY_ID": "5"}
_FLASH_ENCRYPTION = {"SECURE_FLASH_ENC_ENABLED": "y", "NVS_SEC_KEY_PROTECT_USING_FLASH_ENC": "y"}
_PSRAM = {"SPIRAM": "n"}
_USB = {"ESP_CONSOLE_SECONDARY_NONE": "y"}


def effective(board: Definition, known: dict[str, Any]) -> dict[str, str]:
    """Every option's value in the end: a later line wins, and a choice's option takes the place of the others."""
    found = dict(known["before"])
    for _, text in board.fragments:
        for name, value in _LINE.findall(text):
            choice = known["kconfig"].get(name, {}).get("choice")
            if choice and value == "y":
                for other, option in known["kconfig"].items():
                    if option.get("choice") == choice:
                        found.pop(other, None)
            found[name] = value
    return found


def required(board: Definition) -> dict[str, str]:
    """What a board of this chip and variant has to have."""
    wanted = _BOTH | (_FLASH_ENCRYPTION if board.chip == "esp32" else _HMAC)
    if board.chip in ("esp32s2", "esp32s3"):
        wanted |= _PSRAM
    if board.is_open:
        return wanted
    wanted |= _CLOSED
    if board.chip == "esp32":
        wanted |= {"ESP32_REV_MIN_3": "y", "SECURE_FLASH_ENCRYPTION_MODE_RELEASE": "y"}
    return wanted | (_USB if board.chip in ("esp32s3", "esp32c3", "esp32c6") else {})


def problems(board: Definition, known: dict[str, Any]) -> Iterator[str]:
    """One line for each."""
    values = effective(board, known)
    for name, text in board.fragments:
        for line in filter(None, (line.strip() for line in text.splitlines())):
            if not line.startswith("#"):
                yield from (f"{name}: {found}" for found in _line(line, board, known, values))
    for option, value in required(board).items():
        if values.get(option) != value:
            yield f"{option} is {values.get(option, 'not set')}, wanted {value}"
    if board.is_open and values.get("SECURE_BOOT") == "y":
        yield "SECURE_BOOT is y, wanted n where the REPL is open"


def _line(line: str, board: Definition, known: dict[str, Any], values: dict[str, str]) -> Iterator[str]:
    found = _LINE.fullmatch(line)
    if not found:
        yield f"{line!r} is no option, wanted CONFIG_NAME=VALUE"
        return
    name, value = found.groups()
    option = known["kconfig"].get(name)
    if option is None:
        yield f"{name} is not in options.toml"
        return
    low, high = option.get("range", (None, None))
    if not re.fullmatch(_KINDS[option["kind"]], value) or (low is not None and not low <= int(value) <= high):
        yield f"{name} is {value}, wanted a value of kind {option['kind']}"
    if board.chip not in option.get("chips", [board.chip]):
        yield f"{name} is not an option of the {board.chip}"
    if value != "n":
        for alternatives in option.get("needs", []):
            if all(values.get(needed) != "y" for needed in alternatives):
                yield f"{name} needs {' or '.join(alternatives)}"
