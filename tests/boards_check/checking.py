"""All checks of one board, or of all."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from . import headers, kconfig, manifests, partitions
from .definition import HARDENED, VARIANTS, Definition, folders, load, options

_FLASH = {"ESPTOOLPY_FLASHSIZE_4MB": 4 << 20}
_FILES = ("board.json", "manifest.py", "mpconfigboard.cmake", "mpconfigboard.h", "sdkconfig.board")


def problems(folder: Path, known: dict[str, Any]) -> Iterator[str]:
    """One line for each problem of a board in all its variants."""
    absent = [name for name in _FILES if not (folder / name).is_file()]
    yield from (f"{folder.name}: no {name}" for name in absent)
    if absent:
        return
    boards = [load(folder, variant, known) for variant in VARIANTS]
    for board in boards:
        yield from (f"{board.name}: {problem}" for problem in _board(board, known))
    if not any(board.problem for board in boards):
        yield from (f"{folder.name}: {problem}" for problem in _variants(boards, known))


def _board(board: Definition, known: dict[str, Any]) -> Iterator[str]:
    if board.chip in known["refused"]:
        yield f"{board.chip} is refused: {known['refused'][board.chip]}"
    elif board.problem:
        yield board.problem
    elif board.chip not in known["chip"]:
        yield f"chip {board.chip or 'not set'}, wanted one of {', '.join(known['chip'])}"
    else:
        yield from kconfig.problems(board, known)
        yield from headers.problems(board, known)
        yield from _partitions(board, known)
        yield from _json(board, known)
        if not board.is_open:  # what is frozen does not depend on the variant
            yield from manifests.problems(board, known)


def _partitions(board: Definition, known: dict[str, Any]) -> Iterator[str]:
    values = kconfig.effective(board, known)
    flash = [size for name, size in _FLASH.items() if values.get(name) == "y"]
    path = Path(values.get("PARTITION_TABLE_CUSTOM_FILENAME", "").strip('"'))
    if not flash or not path.is_absolute():
        yield "wanted a flash size, and an absolute path of the partition table"
        return
    bootloader = known["chip"][board.chip]["bootloader"]
    yield from partitions.problems(path, int(values.get("PARTITION_TABLE_OFFSET", "0x8000"), 0), bootloader, flash[0])


def _json(board: Definition, known: dict[str, Any]) -> Iterator[str]:
    data = json.loads((board.folder / "board.json").read_text())
    chip = known["chip"][board.chip]
    if board.folder.name != f"{chip['stock']}_SEALED":
        yield f"is for the {board.chip}, wanted the name {chip['stock']}_SEALED"
    if data.get("mcu") != board.chip or int(data["deploy_options"]["flash_offset"], 0) != chip["bootloader"]:
        yield f"board.json: wanted mcu {board.chip} and flash_offset {chip['bootloader']:#x}"


def _variants(boards: list[Definition], known: dict[str, Any]) -> Iterator[str]:
    """What a board was given in the variant OPEN has to be found by the closed one."""
    values = [kconfig.effective(board, known) for board in boards]
    for name in ("PARTITION_TABLE_CUSTOM_FILENAME", "PARTITION_TABLE_OFFSET", "NVS_SEC_HMAC_EFUSE_KEY_ID"):
        if len({value.get(name) for value in values}) > 1:
            yield f"{name} differs between the variants"


def check(hardened: Path = HARDENED) -> tuple[int, list[str]]:
    """How many boards there are, and what is wrong with them."""
    known = options(hardened)
    found = folders(hardened)
    lines = [problem for folder in found for problem in problems(folder, known)]
    names = {folder.name for folder in found}
    for chip, data in known["chip"].items():
        if f"{data['stock']}_SEALED" not in names:
            lines.append(f"{chip}: no {data['stock']}_SEALED")
    return len(found), lines
