"""The command that measures what a board takes, and sets two results side by side."""

from __future__ import annotations

import argparse
import json

from ..api import Board
from ..bench import comparing, measuring, models
from ..bench.result import Figure, Measured, read_result
from ..board import provisioning
from ..errors import UsageError
from ..files import check_output, write_whole
from . import fleet
from .fleet import Done
from .output import Bar, Output

_PC = "a virtual board: these are figures of a PC, not of a chip"


def bench(options: argparse.Namespace, output: Output) -> int:
    """`tinyseal bench`: on one board, or with `--compare` on none."""
    if options.compare:
        _compare(options, output)
        return 0
    if fleet.several(options):
        raise UsageError("several boards, wanted one at a time: they would disturb each other's time on this computer")
    for target in filter(None, (options.output, options.plot)):
        check_output(target)
    wanted = models.models(options.models)

    def work(board: Board, bar: Bar) -> Done:
        board.link.restart()
        with bar("firmware") as step:
            provisioning.send_firmware(board.link, board.info, step)
        with bar("bench", unit="figures") as step:
            measured = measuring.measure(board.link, board.info, wanted, step)
        if options.output is not None:
            write_whole(options.output, (json.dumps(measured.fields(), indent=1) + "\n").encode())
        if options.plot is not None:
            write_whole(options.plot, comparing.picture([measured]))

        def say(output: Output) -> None:
            output.say(measured.title)
            _say_figures(measured, output)
            _say_models(measured, output)
            _say_heap(measured, output)
            for target, what in ((options.output, "saved to"), (options.plot, "drawn in")):
                if target is not None:
                    output.say(f"{what} {target}")

        return Done(board.info, measured.fields(), say, {}, [_PC] if measured.virtual else [])

    return fleet.run(options, output, fleet.on_board(options, work))


def _say_figures(measured: Measured, output: Output) -> None:
    output.columns(
        ("figure", "microseconds", "each", "cycles each", "what"),
        [
            (
                figure.name,
                _number(figure.us),
                f"{_number(figure.us / figure.count)} / {figure.unit}",
                _number(figure.cycles(measured.clock_hz)),
                figure.about,
            )
            for figure in measured.figures
        ],
    )
    for name, why in measured.left_out.items():
        output.say(f"{name}: {why}")


def _say_models(measured: Measured, output: Output) -> None:
    """The steps of a model are in the file."""
    output.say()
    output.columns(
        ("model", "release", "arena", "MACs", "prepared in us", "heap free, open"),
        [
            (
                model["name"],
                model.get("release_bytes"),
                model.get("arena_bytes"),
                model.get("macs"),
                model.get("prepare_us"),
                f"{model['heap']['open'][0]:,} bytes" if "net" in model else model["refused"],
            )
            for model in measured.models
        ],
    )


def _say_heap(measured: Measured, output: Output) -> None:
    for when, (free, largest) in measured.heap.items():
        output.say(f"heap {when:7} {free:,} bytes free, {largest:,} in one piece")


def _compare(options: argparse.Namespace, output: Output) -> None:
    for given, name in ((options.output, "-o"), (options.models, "--models")):
        if given is not None:
            raise UsageError(f"{name} belongs to measuring, and --compare asks no board")
    if options.plot is not None:
        check_output(options.plot, inputs=options.compare)
    first, second = results = [read_result(path) for path in options.compare]
    if options.plot is not None:
        write_whole(options.plot, comparing.picture(results))
    found = comparing.pairs(first, second)
    for letter, path, result in zip("AB", options.compare, results, strict=True):
        output.say(f"{letter}  {path}: {result.title}")
    output.columns(
        ("figure", "A us", "B us", "B/A each", "A cycles", "B cycles"),
        [
            (
                pair.name,
                *(_number(figure.us if figure else None) for figure in (pair.first, pair.second)),
                _number(pair.ratio),
                *(
                    _number(figure.cycles(result.clock_hz) if figure else None)
                    for figure, result in ((pair.first, first), (pair.second, second))
                ),
            )
            for pair in found
        ],
    )
    for letter, result in zip("AB", results, strict=True):
        output.say(letter)
        _say_heap(result, output)
    if options.plot is not None:
        output.say(f"drawn in {options.plot}")
    output.result(
        {
            "files": [str(path) for path in options.compare],
            "figures": [
                {"name": pair.name, "us": [_us(pair.first), _us(pair.second)], "ratio": pair.ratio} for pair in found
            ],
        }
    )


def _us(figure: Figure | None) -> float | None:
    return None if figure is None else figure.us


def _number(value: float | None) -> str | None:
    """Four digits, or as many as there are before the point."""
    if value is None:
        return None
    return f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"
