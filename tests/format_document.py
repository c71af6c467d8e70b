"""FORMAT.md taken apart, and the constants of the board's modules, for tests to hold against each other."""

import ast
import re

from firmware_sources import ROOT

DOCUMENT = (ROOT / "firmware" / "FORMAT.md").read_text(encoding="utf-8")
FIRMWARE = ROOT / "firmware" / "tinyseal"


def section(heading):
    """The text under a heading up to the next one of any level."""
    return re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#|\Z)", DOCUMENT, re.DOTALL | re.MULTILINE)[1]


def rows(heading, table=0):
    """A table's rows as lists of cells, those that are code as a whole without their backquotes."""
    found = re.findall(r"(?:^\|.*\n)+", section(heading), re.MULTILINE)
    return [
        [re.sub(r"^`([^`]*)`$", r"\1", cell.strip()) for cell in line.strip("|").split(" | ")]
        for line in found[table].splitlines()[2:]
    ]


def constants(module):
    """The literal constants of a board module, `const(...)` or plain, by name."""
    found = {}
    for node in ast.parse((FIRMWARE / f"{module}.py").read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            value = node.value
            if isinstance(value, ast.Call) and ast.unparse(value.func) in ("const", "micropython.const"):
                value = value.args[0]
            try:
                found[node.targets[0].id] = ast.literal_eval(value)
            except ValueError:  # computed
                continue
    return found
