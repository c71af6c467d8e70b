"""The command: all stages, or those that are named. Exit status 1 when anything differs."""

import argparse
import os
import secrets
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from conformance import stages
from conformance.tally import Tally

_CASES = 240
_SHOWN = 3  # lines about what is wrong, of one part


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(prog="conformance", description="TensorFlow Lite Micro's bytes, or not.")
    parser.add_argument("stage", nargs="*", help=", ".join(stages.STAGES))
    parser.add_argument("--cases", type=int, default=_CASES, help=f"random files an operator ({_CASES})")
    parser.add_argument("--seed", type=int, help="of an earlier run, to repeat it")
    options = parser.parse_args(arguments)
    for name in options.stage:
        if name not in stages.STAGES:
            parser.error(f"no stage {name}, wanted one of {', '.join(stages.STAGES)}")
    if options.cases < 1:
        parser.error(f"cases are {options.cases}, wanted 1 or more")
    seed = secrets.randbelow(1 << 32) if options.seed is None else options.seed
    console = Console(stderr=True, soft_wrap=True, markup=False, highlight=False)
    console.print(f"seed {seed}")
    if "TINYSEAL_MODELS" not in os.environ:
        console.print("TINYSEAL_MODELS names no folder of models: the example's alone is run")
    folder = Path(tempfile.mkdtemp(prefix="tinyseal-conformance-"))  # stays when a failing file is kept there
    total = Tally()
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for stage in options.stage or stages.STAGES:
            total += _run(pool, console, stage, list(stages.parts(stage, options.cases, seed)), folder)
    if not any(folder.iterdir()):
        folder.rmdir()
    print(total)
    return 1 if total.differ else 0


def _run(pool: ProcessPoolExecutor, console: Console, stage: str, parts: list[stages.Part], folder: Path) -> Tally:
    """One stage: a bar on a terminal, one line elsewhere, and lines for what is wrong."""
    total = Tally()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        bar = progress.add_task(stage, total=len(parts))
        for done in as_completed([pool.submit(stages.run, part, folder) for part in parts]):
            found = done.result()
            total += found
            for line in found.wrong[:_SHOWN]:
                console.print(line)
            if len(found.wrong) > _SHOWN:
                console.print(f"... and {len(found.wrong) - _SHOWN} more of this part")
            progress.advance(bar)
    if not console.is_terminal:
        console.print(
            f"{stage}: {total.models + total.cases} files, {total.values} values compared, {total.differ} differ"
        )
    return total


if __name__ == "__main__":
    sys.exit(main())
