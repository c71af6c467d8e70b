"""What the board's package is made of: the text of every module, those included that are written for an architecture.

Nothing but the standard library is imported: a build of MicroPython that freezes the package uses this as well.
"""

import ast
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # used from elsewhere: by a build hook, by a manifest
from dot_generator import BYTECODE, WIDTHS, dot_module

NATIVE = ("xtensawin", "rv32imc", "x64")
ARCHITECTURES = (*NATIVE, BYTECODE)
SOURCE = Path(__file__).parent / "tinyseal"


def sources(architecture: str) -> dict[str, str]:
    """The text of every module of the firmware by its name, those included that are written for the architecture."""
    found = {f"dot_{width}": dot_module(width, architecture) for width in WIDTHS}
    found |= {path.stem: path.read_text() for path in sorted(SOURCE.glob("*.py"))}
    if architecture == BYTECODE:
        found = {name: text.replace("    @micropython.native\n", "") for name, text in found.items()}
        for path in sorted((SOURCE / "plain").glob("*.py")):
            found[path.stem] = _with_twins(found.get(path.stem, ""), path.read_text())
    return found


def _with_twins(text: str, twins: str) -> str:
    """A module's text with what a module of `plain/` has, instead of its own functions of the same names."""
    names = {node.name for node in ast.parse(twins).body if isinstance(node, ast.FunctionDef)}
    lines = text.splitlines(keepends=True)
    for node in reversed(ast.parse(text).body):
        if isinstance(node, ast.FunctionDef) and node.name in names:
            first = min(part.lineno for part in (node, *node.decorator_list))
            del lines[first - 1 : node.end_lineno]
    return "".join(lines) + twins
