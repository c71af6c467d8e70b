"""One command on one board, or on several at once: a line each while it lasts, a table at the end."""

from __future__ import annotations

import argparse
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..api import Board
from ..board import registry
from ..board.firmware import load_boards
from ..board.ports import ALL, SIM, Place, places
from ..board.provisioning import BoardInfo
from ..burning import chip_of
from ..errors import BoardError, TinysealError
from ..keys import parse_device_id
from .output import Bar, Output, failed

FORGOTTEN = "this virtual board is forgotten at the end; --state DIR keeps one"


@dataclass
class Done:
    """What a command did on one board.

    `say` is for a board alone and `cells`, by column, for the table of several. `entry` is what the registry keeps.
    """

    info: BoardInfo | None
    result: dict[str, object]
    say: Callable[[Output], None]
    cells: dict[str, object]
    notes: list[str] = field(default_factory=list)
    entry: registry.Entry | None = None
    exit_status: int = 0


Visit = Callable[[Place, Bar, threading.Event], Done]
Work = Callable[[Board, Bar], Done]


def on_board(options: argparse.Namespace, work: Work) -> Visit:
    """The Visit that connects to a board, makes sure that it is one of `--device`, and works on it."""

    def visit(place: Place, bar: Bar, stop: threading.Event) -> Done:
        with open_board(place, options, stop) as board:
            return work(board, bar)

    return visit


def open_board(place: Place, options: argparse.Namespace, stop: threading.Event) -> Board:
    """The board at a place, by the command's options."""
    return Board(
        place.port,
        state=place.state,
        heap_kib=place.heap_kib,
        native=place.native,
        devices=options.device,
        restart=not options.no_restart,
        stop=stop,
    )


def several(options: argparse.Namespace) -> bool:
    """Whether the command line is one for several boards, however many there are then."""
    return len(options.port) > 1 or ALL in options.port


def run(options: argparse.Namespace, output: Output, visit: Visit) -> int:
    """Visit every board that the options name; the worst, that is the highest, of their exit statuses.

    With one board its failure is raised. With several each is said for itself, and none keeps the others from going on.
    """
    options.device = [parse_device_id(text) for text in options.device]
    found = places(options.port, options.state, options.heap, options.native)
    if any(place.port == SIM and place.state is None for place in found):
        output.note(FORGOTTEN)
    if several(options):
        return _run_all(found, options, output, visit)
    done = visit(found[0], output.progress, threading.Event())
    for note in done.notes:
        output.note(note)
    done.say(output)
    output.result({"port": found[0].port, **done.result})
    remember(options.keys, [done.entry], output)
    return done.exit_status


def _run_all(found: list[Place], options: argparse.Namespace, output: Output, visit: Visit) -> int:
    outcomes = _visit_all(found, output, visit)
    _refuse_twins(found, outcomes)
    worst = 0
    for place, outcome in zip(found, outcomes, strict=True):
        where: dict[str, object] = {"port": place.port, "state": str(place.state) if place.state else None}
        if isinstance(outcome, Done):
            for note in outcome.notes:
                output.note(f"{place.label}: {note}")
            output.result({**where, **outcome.result})
        else:
            output.failure(outcome, place.label)
            output.result({**where, **failed(outcome)})
        worst = max(worst, outcome.exit_status)
    _table(found, outcomes, output)
    remember(options.keys, [outcome.entry for outcome in outcomes if isinstance(outcome, Done)], output)
    return worst


def _visit_all(found: list[Place], output: Output, visit: Visit) -> list[Done | TinysealError]:
    """What became of each, in their order; a defect of ours is raised when all have come to their end."""
    outcomes: dict[int, Done | BaseException] = {}
    stop = threading.Event()
    # Waited for instead of the threads: a join that Ctrl-C interrupts takes a running one for ended (CPython 3.11).
    ended = [threading.Event() for _ in found]

    def one(number: int, place: Place, bar: Bar) -> None:
        try:
            outcomes[number] = visit(place, bar, stop)
        except BaseException as error:  # noqa: BLE001 - nothing may be lost in a thread
            outcomes[number] = error
        finally:
            ended[number].set()

    with output.bars([place.label for place in found]) as bars:
        for number, (place, bar) in enumerate(zip(found, bars, strict=True)):
            threading.Thread(target=one, args=(number, place, bar), daemon=True).start()
        try:
            for event in ended:
                event.wait()
        except KeyboardInterrupt:
            stop.set()
            for event in ended:
                event.wait()
            raise
    told: list[Done | TinysealError] = []
    for number in range(len(found)):
        outcome = outcomes[number]
        if not isinstance(outcome, Done | TinysealError):
            raise outcome
        told.append(outcome)
    return told


def _refuse_twins(found: list[Place], outcomes: list[Done | TinysealError]) -> None:
    """Two boards that say they are the same cannot be told apart: the later one's outcome becomes a failure."""
    seen: dict[bytes, Place] = {}
    for number, outcome in enumerate(outcomes):
        if not isinstance(outcome, Done) or outcome.info is None:
            continue
        first = seen.setdefault(outcome.info.device_id, found[number])
        if first is not found[number]:
            outcomes[number] = BoardError(
                f"says that it is board {outcome.info.device_id.hex()}, as {first.label} does"
            )


def board_line(info: BoardInfo) -> str:
    """What a board is, in one line."""
    return f"board {info.device_id.hex()}: {info.name}, MicroPython {info.version}, {info.architecture}"


def board_fields(info: BoardInfo) -> dict[str, object]:
    """The same as JSON has it."""
    return {
        "device_id": info.device_id.hex(),
        "board": info.name,
        "micropython": info.version,
        "architecture": info.architecture,
        "kernels": "native" if info.native else "plain",
    }


def entry_of(info: BoardInfo, **known: Any) -> registry.Entry:
    """What the registry keeps of a board, with the fields of an Entry that the command has learnt."""
    chip = chip_of(info.machine) or load_boards().get(info.name, {}).get("mcu")
    return registry.Entry(info.device_id, info.name, chip, micropython=info.version, **known)


def _table(found: list[Place], outcomes: list[Done | TinysealError], output: Output) -> None:
    names = list(dict.fromkeys(name for outcome in outcomes if isinstance(outcome, Done) for name in outcome.cells))
    rows = []
    for place, outcome in zip(found, outcomes, strict=True):
        done = outcome if isinstance(outcome, Done) else None
        device_id = done.info.device_id.hex() if done and done.info else None
        said = "ok" if outcome.exit_status == 0 else f"failed, {outcome.exit_status}"
        cells = done.cells if done else {}
        rows.append((place.label, device_id, *(cells.get(name) for name in names), said))
    output.columns(("at", "board", *names, "outcome"), rows)


def remember(folders: Sequence[Path], found: Sequence[registry.Entry | None], output: Output) -> None:
    """Into the registry, where there are key folders; that it cannot be written is no failure of the command."""
    entries = [entry for entry in found if entry is not None]
    if folders and entries:
        try:
            registry.remember(registry.folder_of(folders), entries)
        except TinysealError as error:
            output.note(f"not remembered: {error.message}")
