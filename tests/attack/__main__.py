"""`python -m attack`: everything that an attacker can do to a file, to the engines and to the board's modules, at once.

Ends in one line with the figures; exit status 1 when any attack did anything but fail in the right way.
"""

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import cache
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from tinyseal_host.formats import KeySource

from attack import engines, families, ram, shadows, structures
from attack.tally import Tally
from attack.target import Target

_FILES_A_START = 400
_STRUCTURES = 10000
_STRUCTURES_A_START = 200
_SHOWN = 3  # lines about what is wrong, of one start

Job = tuple[str, tuple]


@cache
def _target() -> Target:
    """One target a process; its keys are made here, and kept in memory only."""
    with tempfile.TemporaryDirectory() as folder:
        return Target(Path(folder) / "keys")


def _family(index: int, start: int) -> Tally:
    target = _target()
    family = families.families(target)[index]
    edits = family.edits[start : start + _FILES_A_START]
    return families.attack(target, family, edits, search=start == 0)


def _structures(number: int) -> Tally:
    return structures.attack(_target(), _STRUCTURES_A_START, number)


def _engines() -> Tally:
    return sum(engines.attack(_target()), Tally())


def _shadows() -> Tally:
    return shadows.attack(_target())


def _ram(source: int) -> Tally:
    with tempfile.TemporaryDirectory() as folder:
        return ram.attack(Path(folder), KeySource(source))


_ATTACKS: dict[str, Callable[..., Tally]] = {
    "family": _family,
    "structures": _structures,
    "engines": _engines,
    "shadows": _shadows,
    "ram": _ram,
}


def _run(job: Job) -> Tally:
    name, arguments = job
    return _ATTACKS[name](*arguments)


def _jobs(target: Target) -> Iterator[Job]:
    yield "ram", (KeySource.NVS.value,)
    yield "ram", (KeySource.FILE.value,)
    yield "shadows", ()
    yield "engines", ()
    for number in range(_STRUCTURES // _STRUCTURES_A_START):
        yield "structures", (number,)
    for index, family in enumerate(families.families(target)):
        for start in range(0, len(family.edits), _FILES_A_START):
            yield "family", (index, start)


def main() -> int:
    """Run every attack on as many processes as there are cores."""
    total = Tally()
    console = Console(stderr=True)
    columns = (TextColumn("attack"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        jobs = list(_jobs(_target()))
        with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
            bar = progress.add_task("attack", total=len(jobs))
            for done in as_completed([pool.submit(_run, job) for job in jobs]):
                found = done.result()
                total += found
                for line in found.wrong[:_SHOWN]:
                    console.print(line, markup=False, highlight=False, soft_wrap=True)
                if len(found.wrong) > _SHOWN:
                    console.print(f"... and {len(found.wrong) - _SHOWN} more of this start")
                progress.advance(bar)
    print(total)
    return 0 if total.clean else 1


if __name__ == "__main__":
    sys.exit(main())
