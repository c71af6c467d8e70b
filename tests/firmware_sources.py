"""The firmware as it is built: its own modules, and those that a generator in `firmware/` writes for an architecture.

from firmware_sources import modules, path_of
machine = compile_source(path_of("dot_16", "rv32imc"), "rv32imc")
"""

import functools
import importlib.util
import tempfile
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[1]


@functools.cache
def payload_module() -> ModuleType:
    """`firmware/payload.py`, which is in no package."""
    return firmware_module("payload")


@functools.cache
def firmware_module(name: str) -> ModuleType:
    """A module that lies beside the package."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "firmware" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@functools.cache
def modules(architecture: str) -> dict[str, str]:
    """The text of every module by its name."""
    found: dict[str, str] = firmware_module("package_sources").sources(architecture)
    return found


@functools.cache
def path_of(name: str, architecture: str) -> Path:
    """A file with the text of a module; it lies until the process ends."""
    path = Path(_folder().name) / architecture / f"{name}.py"
    path.parent.mkdir(exist_ok=True)
    path.write_text(modules(architecture)[name])
    return path


@functools.cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="tinyseal-sources-")
