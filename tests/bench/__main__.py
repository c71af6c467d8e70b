"""The command: chapters by name, or all. Exit status 1 when an answer was wrong, 2 for an unknown name."""

import argparse
from collections.abc import Callable, Iterator, Sequence

from emulation import EmulationError
from vm import VmError

from . import chapter_engine, chapter_gate, chapter_open, chapter_wire
from .line import Line

CHAPTERS: dict[str, Callable[[], Iterator[Line]]] = {
    "open": chapter_open.lines,
    "gate": chapter_gate.lines,
    "engine": chapter_engine.lines,
    "wire": chapter_wire.lines,
}


def run(names: Sequence[str]) -> bool:
    """Print the chapters; whether every answer was right."""
    right = True
    for name in names:
        print(name)
        try:
            for line in CHAPTERS[name]():
                print(line, flush=True)
                right = right and not line.fault
        except (EmulationError, VmError) as error:
            print(f"WRONG: {error}")
            right = False
    return right


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(prog="bench", description="What the firmware costs, counted.")
    parser.add_argument("chapter", nargs="*", help=", ".join(CHAPTERS))
    names = parser.parse_args(arguments).chapter or list(CHAPTERS)
    for name in names:
        if name not in CHAPTERS:
            parser.error(f"no chapter {name}, wanted one of {', '.join(CHAPTERS)}")
    return 0 if run(names) else 1


if __name__ == "__main__":
    raise SystemExit(main())
