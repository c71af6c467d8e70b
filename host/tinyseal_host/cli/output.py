"""What a command says: text for people or one JSON object for scripts on stdout, progress and failures on stderr."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Iterator
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn

from ..errors import RefusedError, TinysealError
from .terminal import printable

Step = Callable[[int, int], None]


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

    def failure(self, error: TinysealError) -> None:
        """The one line of an error and the one of its hint; with --json an object on stdout as well."""
        print(f"tinyseal: error: {_one_line(error.message)}", file=sys.stderr)
        if error.hint:
            print(f"tinyseal: hint: {_one_line(error.hint)}", file=sys.stderr)
        value: dict[str, object] = {"error": error.message, "exit_status": error.exit_status}
        if isinstance(error, RefusedError):
            value["code"] = error.name
        self.result(value)

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

    def spinner(self, what: str) -> contextlib.AbstractContextManager[object]:
        """Something that moves on stderr while a step of unknown length lasts, where stderr is a terminal."""
        console = Console(stderr=True)
        return console.status(what) if console.is_terminal else contextlib.nullcontext()


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _one_line(text: str) -> str:
    return printable(" ".join(text.split()))
