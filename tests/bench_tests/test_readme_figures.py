"""The figures that README.md quotes are those that `make bench` prints."""

import re
from pathlib import Path

from bench import chapter_open

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def test_instructions_are_as_quoted():
    """Counts are exact and repeatable; the heap depends on the VM's C code, and is held to the design's limit."""
    quoted = dict(
        re.findall(r"^(\w+) +([\d.]+) (?:instructions/byte|calls|blocks|bytes|squarings) ", README, re.MULTILINE)
    )
    printed = {line.name: line for line in chapter_open.lines()}
    assert set(quoted) == set(printed)
    for name, line in printed.items():
        if name.startswith("open_heap"):
            assert line.figure <= 12 * 1024
        else:
            assert str(line).split()[1] == quoted[name], name
