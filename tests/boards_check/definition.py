"""One hardened board in one of its variants, as MicroPython's build would see it."""

import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from .cmake import CmakeError, Run, Variables

ROOT = Path(__file__).parents[2]
HARDENED = ROOT / "boards" / "hardened"
VARIANTS = ("", "OPEN")  # closed, as a board is without a variant, and to be provisioned


@dataclass
class Definition:
    """What CMake leaves behind: the chip, sdkconfig fragments by name in their order, macros, and the manifest."""

    folder: Path
    variant: str
    chip: str = ""
    fragments: list[tuple[str, str]] = field(default_factory=list)
    macros: list[str] = field(default_factory=list)
    manifest: Path = Path()
    problem: str = ""

    @property
    def name(self) -> str:
        """As it is printed."""
        return self.folder.name + (f" {self.variant}" if self.variant else "")

    @property
    def is_open(self) -> bool:
        """Whether it is the variant in which a board is provisioned."""
        return self.variant == "OPEN"


def options(hardened: Path = HARDENED) -> dict[str, Any]:
    """`options.toml`."""
    return tomllib.loads((hardened / "options.toml").read_text())


def folders(hardened: Path = HARDENED) -> list[Path]:
    """Every board's."""
    return sorted(path.parent for path in hardened.glob("*/mpconfigboard.cmake"))


def load(folder: Path, variant: str, known: dict[str, Any], environment: dict[str, str] | None = None) -> Definition:
    """Run the board's .cmake files as ports/esp32/CMakeLists.txt does; what fails is in `problem`."""
    found = Definition(folder, variant)
    run = Run(_upstream(known), environment or {})
    run.variables |= {"MICROPY_BOARD_DIR": str(folder), "CMAKE_BINARY_DIR": "BUILD"}
    if variant:
        run.variables["MICROPY_BOARD_VARIANT"] = variant
    try:
        run.include(str(folder / "mpconfigboard.cmake"))
        closed = folder / "mpconfigvariant.cmake"  # optional, the other is not
        if variant or closed.exists():
            run.include(str(folder / f"mpconfigvariant_{variant}.cmake" if variant else closed))
        for name in run.items("SDKCONFIG_DEFAULTS"):
            if not name.startswith("boards/"):
                found.fragments.append((Path(name).name, run.written.get(name) or Path(name).read_text()))
    except (CmakeError, OSError) as error:
        found.problem = str(error)
    found.chip = run.variables.get("IDF_TARGET", "")
    found.macros = run.items("MICROPY_DEF_BOARD")
    found.manifest = Path(run.variables.get("MICROPY_FROZEN_MANIFEST", ""))
    return found


def _upstream(known: dict[str, Any]) -> dict[str, Callable[[Variables], None]]:
    """MicroPython's common file of every chip, those that are refused included."""
    return {f"boards/mpconfigboard_{chip}_common.cmake": partial(_common, chip) for chip in _chips(known)}


def _chips(known: dict[str, Any]) -> list[str]:
    return [*known["chip"], *known["refused"]]


def _common(chip: str, variables: Variables) -> None:
    variables |= {"IDF_TARGET": chip, "SDKCONFIG_DEFAULTS": "boards/sdkconfig.base"}
