"""`python -m powercut`: the power fails at every write of seven commands, and the cable at one byte after the other.

Ends in one line with the figures; exit status 1 when any board was left without its model, or a command did not succeed
when it was repeated.
"""

import multiprocessing
import os
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from tinyseal_host.sim.cable import Fault

from powercut import cables, cuts, protocol_bench
from powercut.scenarios import SCENARIOS
from powercut.tally import Tally

_CUTS_A_JOB = 20
_CABLE = SCENARIOS[2]  # an update has everything: a package that is there, an upload, a switch
_BYTES_BETWEEN = 41
_PLACES_A_JOB = 10
_SHOWN = 3

Job = tuple[str, int, range]
# Made before the processes are: they have it too, with the keys and the models.
_prepared: dict[str, tuple[Path, list[cuts.Write], list[cuts.Cut]]] = {}


def _run(job: Job) -> Tally:
    kind, number, part = job
    if kind == "cut":
        scenario = SCENARIOS[number]
        before, writes, found = _prepared[scenario.name]
        return cuts.attack(scenario, found[part.start : part.stop], before, writes)
    return cables.attack(_CABLE, _prepared[_CABLE.name][0], list(Fault)[number], part)


def _jobs() -> list[Job]:
    found: list[Job] = []
    for number, scenario in enumerate(SCENARIOS):
        total = len(_prepared[scenario.name][2])
        found += [("cut", number, range(i, min(i + _CUTS_A_JOB, total))) for i in range(0, total, _CUTS_A_JOB)]
    places = range(0, cables.length(_CABLE, _prepared[_CABLE.name][0]), _BYTES_BETWEEN)
    for number in range(len(Fault)):
        found += [("cable", number, places[i : i + _PLACES_A_JOB]) for i in range(0, len(places), _PLACES_A_JOB)]
    return found


def main() -> int:
    """Run everything on as many processes as there are cores."""
    protocol_bench.install()
    total = Tally()
    console = Console(stderr=True)
    columns = (TextColumn("powercut"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with tempfile.TemporaryDirectory() as scratch:
        for number, scenario in enumerate(SCENARIOS):
            before, writes = cuts.prepared(scenario, Path(scratch) / str(number))
            _prepared[scenario.name] = before, writes, cuts.distinct(before, writes)
            print(f"{scenario.name}: {len(writes):,} writes, {3 * len(writes):,} cuts", flush=True)
        jobs = _jobs()
        with (
            ProcessPoolExecutor(os.cpu_count(), mp_context=multiprocessing.get_context("fork")) as pool,
            Progress(*columns, console=console, disable=not console.is_terminal) as progress,
        ):
            bar = progress.add_task("powercut", total=len(jobs))
            for done in as_completed([pool.submit(_run, job) for job in jobs]):
                found = done.result()
                total += found
                for line in found.wrong[:_SHOWN]:
                    console.print(line, markup=False, highlight=False, soft_wrap=True)
                progress.advance(bar)
    print(f"cable: {total.faults:,} faults, {total.cable_wrong} that the host did not end with a reason and a hint")
    print(total)
    return 0 if total.clean else 1


if __name__ == "__main__":
    sys.exit(main())
