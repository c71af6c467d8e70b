"""The virtual board's eFuse: espefuse's file in its state directory, and beside it the keys that this file forgets."""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

from ..errors import TinysealError
from ..files import TEXT_LIMIT, read_bounded, write_new
from .espefuse import Espefuse
from .fuses import Fuses, parse_fuses

EFUSE_FILE = "efuse.bin"
_KEYS_FILE = "efuse.keys"


def look(chip: Espefuse) -> Fuses:
    """The eFuses of a chip; those of a virtual one in a copy, for espefuse makes a file where there is none."""
    if chip.virtual is None:
        return parse_fuses(chip.summary())
    with tempfile.TemporaryDirectory(prefix="tinyseal-") as folder:
        copy = Path(folder) / EFUSE_FILE
        if chip.virtual.exists():
            shutil.copyfile(chip.virtual, copy)
        return parse_fuses(replace(chip, virtual=copy).summary())


def burn_virtually(state: Path, chip: Espefuse, block: int, key: bytes) -> None:
    """As `Espefuse.burn`, on the virtual board of a state directory, which is this chip from now on.

    SimError when it is on, or is another chip already.
    """
    from ..sim import set_chip  # noqa: PLC0415 - pseudo-terminals are not there on Windows

    set_chip(state, chip.chip)
    chip.burn(block, key)
    path = state / _KEYS_FILE
    try:
        keys = json.loads(read_bounded(path, TEXT_LIMIT)) if path.exists() else {}
    except ValueError as error:
        raise TinysealError(f"{path}: is not JSON") from error
    fresh = path.with_name(_KEYS_FILE + ".new")
    fresh.unlink(missing_ok=True)
    write_new(fresh, (json.dumps({**keys, f"BLOCK_KEY{block}": key.hex()}) + "\n").encode(), 0o600)
    fresh.replace(path)
