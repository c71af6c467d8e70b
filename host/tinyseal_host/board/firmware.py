"""What this package carries for boards: the firmware as `.mpy` by architecture, and the data of the boards it knows."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import BoardError, TinysealError

_PAYLOAD = Path(__file__).parents[1] / "payload"
# sys.implementation._mpy: bits 0-7 the format version, 8-9 its sub-version, 10-15 the architecture
# (py/persistentcode.h).
_MPY_VERSION = (6, 3)
_BYTECODE = "bytecode"  # a MicroPython without the native emitter loads no native code either
_ARCHITECTURES = {0: _BYTECODE, 2: "x64", 10: "xtensawin", 11: "rv32imc"}


@dataclass(frozen=True)
class Firmware:
    """The files that go to a board: contents and sha256 by path below `/lib`."""

    architecture: str
    files: dict[str, bytes]
    hashes: dict[str, str]

    @property
    def size(self) -> int:
        """Bytes in all."""
        return sum(map(len, self.files.values()))


def architecture(mpy: int) -> str:
    """The architecture in a board's `sys.implementation._mpy`; BoardError for one that cannot run the firmware."""
    number, version = mpy >> 10 & 63, (mpy & 255, mpy >> 8 & 3)
    if version != _MPY_VERSION:
        raise BoardError(
            "the board's MicroPython loads .mpy version {}.{}, wanted {}.{}".format(*version, *_MPY_VERSION),
            hint="flash MicroPython 1.23 or newer",
        )
    if number not in _ARCHITECTURES:
        known = ", ".join(_ARCHITECTURES.values())
        raise BoardError(
            f"the board's MicroPython has native code architecture {number}, wanted one of {known}",
            hint="a chip of the ESP32 family has one of them",
        )
    return _ARCHITECTURES[number]


def has_native_kernels(name: str) -> bool:
    """Whether the firmware for an architecture computes in native code; else in plain Python, which is slow."""
    return name != _BYTECODE


def load_firmware(name: str) -> Firmware:
    """The firmware for an architecture."""
    manifest = _manifest()
    hashes: dict[str, str] = manifest["firmware"][name]
    files = {path: (_PAYLOAD / "firmware" / name / path).read_bytes() for path in hashes}
    return Firmware(name, files, hashes)


def load_boards() -> dict[str, dict[str, Any]]:
    """The data of every board known, `boards/NAME/board.json`, by name."""
    _manifest()
    return {path.stem: json.loads(path.read_bytes()) for path in sorted((_PAYLOAD / "boards").glob("*.json"))}


def _manifest() -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads((_PAYLOAD / "manifest.json").read_bytes())
    except OSError as error:
        raise TinysealError("the firmware is not built", hint="make setup, in the checkout") from error
    return manifest


def application() -> dict[str, dict[str, bytes]]:
    """The example application's files by folder of the board, "" for its root."""
    _manifest()
    folder = _PAYLOAD / "app"
    return {name: {path.name: path.read_bytes() for path in (folder / name).glob("*.py")} for name in ("", "app")}
