"""What a command says: text for people or one JSON object for scripts on stdout, progress and failures on stderr."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Iterator
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TaskProgressColumn,
    TextColumn,
)

from ..errors import RefusedError, TinysealError
from .terminal import printable

Step = Callable[[int, int], None]
Bar = Callable[..., contextlib.AbstractContextManager[Step]]
"""`Output.progress`, or the same for one of several boards: what is done, and `unit`."""


class Output:
    """One command's output; `as_json` keeps text from stdout."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json

    def say(self, text: str = "") -> None:
        """A line for a person."""
        if not self.as_json:
            print("\n".join(map(printable, text.split("\n"))), flush=True)

    def table(self, rows: list[tuple[str, object]]) -> None:
        """Names and values, the values in one column."""
        width = max(len(name) for name, _ in rows)
        for name, value in rows:
            self.say(f"{name:{width}}  {value}")

    def columns(self, head: tuple[str, ...], rows: list[tuple[object, ...]]) -> None:
        """A table with a head; numbers to the right, text to the left, None as a dash."""
        cells = [head, *(tuple(_cell(value) for value in row) for row in rows)]
        widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
        right = [bool(rows) and all(isinstance(row[i], int | None) for row in rows) for i in range(len(head))]
        for row in cells:
            texts = [f"{c:>{w}}" if r else f"{c:{w}}" for c, w, r in zip(row, widths, right, strict=True)]
            self.say("  ".join(texts).rstrip())

    def note(self, text: str) -> None:
        """A line beside the command's output, on stderr."""
        print(f"tinyseal: note: {printable(text)}", file=sys.stderr)

    def result(self, value: Any) -> None:
        """The command's JSON object."""
        if self.as_json:
            print(json.dumps(value), flush=True)

    def failure(self, error: TinysealError, of: str = "") -> None:
        """The one line of an error and the one of its hint, with the board's name when there are several."""
        who = f"{of}: " if of and not error.message.startswith(f"{of}: ") else ""
        print(f"tinyseal: error: {_one_line(who + error.message)}", file=sys.stderr)
        if error.hint:
            print(f"tinyseal: hint: {_one_line(error.hint)}", file=sys.stderr)

    @contextlib.contextmanager
    def progress(self, what: str, unit: str = "bytes") -> Iterator[Step]:
        """A bar on stderr for what is told to the step function, where stderr is a terminal."""
        amount: ProgressColumn = DownloadColumn(binary_units=True) if unit == "bytes" else MofNCompleteColumn()
        console = Console(stderr=True)
        bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            amount,
            console=console,
            disable=not console.is_terminal,
            transient=True,
        )
        with bar:
            task = bar.add_task(what, total=None)
            yield lambda done, total: bar.update(task, completed=done, total=total)

    @contextlib.contextmanager
    def bars(self, labels: list[str]) -> Iterator[list[Bar]]:
        """A line on stderr for each of several boards, where stderr is a terminal: what `progress` is for one."""
        console = Console(stderr=True)
        width = max(map(len, labels))
        columns = TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[what]}")
        with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:
            yield [_bar(progress, f"{printable(label):{width}}") for label in labels]

    def spinner(self, what: str) -> contextlib.AbstractContextManager[object]:
        """Something that moves on stderr while a step of unknown length lasts, where stderr is a terminal."""
        console = Console(stderr=True)
        return console.status(what) if console.is_terminal else contextlib.nullcontext()


def failed(error: TinysealError) -> dict[str, object]:
    """The JSON object of a failure."""
    value: dict[str, object] = {"error": error.message, "exit_status": error.exit_status}
    if error.hint:
        value["hint"] = error.hint
    if isinstance(error, RefusedError):
        value["code"] = error.name
    return value


def _bar(progress: Progress, label: str) -> Bar:
    task = progress.add_task(label, total=None, what="waiting")

    @contextlib.contextmanager
    def bar(what: str, unit: str = "bytes") -> Iterator[Step]:
        progress.update(task, what=what, completed=0, total=None)
        yield lambda done, total: progress.update(task, what=what, completed=done, total=total)
        progress.update(task, what="done")

    return bar


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _one_line(text: str) -> str:
    return printable(" ".join(text.split()))
