"""The command that runs frames through the models on boards."""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

from ..api import Board
from ..board import inference
from ..errors import TinysealError, UsageError
from ..files import check_output, reason, write_whole
from . import fleet
from .fleet import Done
from .output import Bar, Output


def infer(options: argparse.Namespace, output: Output) -> int:
    """`tinyseal infer`: with several boards `-o` is a folder, and gets an `ID.csv` for each."""
    many = fleet.several(options)
    frames = inference.read_frames(options.frames)
    if options.output is not None:
        _check(options.output, options.frames, many)

    def work(board: Board, bar: Bar) -> Done:
        with bar("frames", unit="frames") as step:
            run = board.infer(frames, what=options.frames, progress=step)
        lines = "".join(inference.csv_lines(run))
        target = options.output
        if target is not None:
            target = target / f"{board.info.device_id.hex()}.csv" if many else target
            write_whole(target, lines.encode())

        def say(output: Output) -> None:
            if target is None:
                output.say(lines.rstrip("\n"))
            else:
                _say_run(run, target, output)

        accepted = sum(1 for row in run.results if row.scores)
        cells = {"model": f"{run.name}, version {run.version}", "frames": len(run.results), "accepted": accepted}
        return Done(board.info, _result(board, run), say, cells)

    return fleet.run(options, output, fleet.on_board(options, work))


def _check(target: Path, frames: Path, many: bool) -> None:
    if not many:
        check_output(target, inputs=[frames])
        return
    if target.exists() and not target.is_dir():
        raise UsageError(f"{target}: is a file, wanted a folder for the files of several boards")
    try:
        target.mkdir(exist_ok=True)
    except OSError as error:
        raise TinysealError(f"{target}: {reason(error)}") from error


def _result(board: Board, run: inference.Run) -> dict[str, object]:
    rows = [
        {
            "frame": number,
            "status": int(row.status),
            "reason": row.reason.name.lower(),
            "channel": row.channel if row.channel >= 0 else None,
            "top": row.top if row.scores else None,
            "label": row.label or None,
            "scores": list(row.scores),
            "gate_microseconds": row.gate_us,
            "net_microseconds": row.net_us,
        }
        for number, row in enumerate(run.results)
    ]
    device_id = board.info.device_id.hex()
    return {"device_id": device_id, "name": run.name, "version": run.version, **run.health, "frames": rows}


def _say_run(run: inference.Run, path: Path, output: Output) -> None:
    reasons = Counter(_reason(row) for row in run.results)
    classes = Counter(row.label or f"output {row.top}" for row in run.results if row.scores)
    output.say(f"{run.name}, version {run.version}: {len(run.results)} frames, {reasons.pop('ok', 0)} accepted")
    for name, count in classes.most_common():
        output.say(f"  {count:4}  {name}")
    for name, count in reasons.most_common():
        output.say(f"  {count:4}  refused: {name}")
    output.say(f"saved to {path}")


def _reason(row: inference.Result) -> str:
    return row.reason.name.lower() + (f" in channel {row.channel}" if row.channel >= 0 else "")
