"""The command that shows what an application on a board says."""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from rich.console import Console, RenderableType
from rich.live import Live

from ..board.ports import SIM, Place, device_of, places, virtual_board
from ..errors import BoardError, TinysealError, UsageError, quoted
from ..files import check_output, reason, write_whole
from ..monitoring import drawing
from ..monitoring.example_board import example_board
from ..monitoring.lines import Frame, Splitter, read
from ..monitoring.listening import Port, listen
from ..monitoring.session import Session, csv_text, percentile
from . import fleet, monitor_view
from .keyboard import Keyboard, keyboard
from .output import Output

_REDRAW_S = 0.2
_KEYS = "p pause   s save   q quit"


def monitor(options: argparse.Namespace, output: Output) -> None:
    """`tinyseal monitor`: ends after `--seconds`, by q or by Ctrl-C, and that is no failure."""
    if fleet.several(options):
        raise UsageError("several boards, wanted one: a terminal shows one application")
    (place,) = places(options.port, options.state, options.heap, options.native)
    for target in filter(None, (options.csv, options.plot)):
        check_output(target)
    session = Session()
    watch = _Watch(session, options, output)
    with contextlib.ExitStack() as stack:
        device = stack.enter_context(_device(place, output))
        watch.port = device if place.port != SIM else f"{place.label} ({device})"
        port = stack.enter_context(listen(device))
        try:
            watch.run(port, stack)
        except BoardError as error:
            watch.draw()
            seen = f" after {session.frames:,} frames" if session.frames else ""
            raise BoardError(error.message + seen, hint=error.hint) from error
    watch.draw()
    if not session.frames and not watch.ended:
        said = session.trouble.text if session.trouble else session.last_unreadable
        heard = f", it said {quoted(said)}" if said else ""
        raise TinysealError(
            f"{watch.port}: no frame in {watch.seconds:.0f} s{heard}",
            hint="is an application running there that prints a line of JSON a frame, as firmware/main.py does?",
        )
    watch.say()


@contextlib.contextmanager
def _device(place: Place, output: Output) -> Iterator[str]:
    """A virtual board without a state of its own gets the example application."""
    if place.port != SIM:
        yield device_of(place.port)
        return
    with contextlib.ExitStack() as stack:
        if place.state is not None:
            yield stack.enter_context(virtual_board(place.state, place.heap_kib, place.native))
            return
        output.note("a virtual board with the example application, forgotten at the end")
        with output.spinner("starting it"):
            device = stack.enter_context(example_board(place.heap_kib, place.native))
        yield device


class _Watch:
    """One run: reads, shows, keeps the CSV."""

    def __init__(self, session: Session, options: argparse.Namespace, output: Output) -> None:
        self._session, self._options, self._output = session, options, output
        self._csv: TextIO | None = None
        self._stack = contextlib.ExitStack()
        self._begun = time.monotonic()
        self._message = ""
        self.port = ""
        self.seconds = 0.0
        self.ended = False
        """By somebody, and not by its time."""

    def run(self, port: Port, stack: contextlib.ExitStack) -> None:
        """Until the time is over or somebody ends it; BoardError when the board is gone."""
        self._stack = stack
        console = Console()
        shows = console.is_terminal and not self._output.as_json
        keys = stack.enter_context(keyboard()) if shows else Keyboard(False)
        live = stack.enter_context(Live(console=console, auto_refresh=False)) if shows else None
        self._begun = time.monotonic()
        try:
            self._loop(port, keys, live)
        except KeyboardInterrupt:
            self.ended = True
        if live is not None:
            live.update(self._view(keys, False), refresh=True)

    def _loop(self, port: Port, keys: Keyboard, live: Live | None) -> None:
        splitter, paused, drawn = Splitter(), False, -_REDRAW_S
        limit = self._options.seconds
        while limit is None or self.seconds < limit:
            lines = splitter.feed(port.read())
            self.seconds = time.monotonic() - self._begun
            self._take(lines, quiet=live is not None)
            for key in keys.pressed().lower():
                if key == "q":
                    self.ended = True
                    return
                if key == "p":
                    paused, drawn = not paused, -_REDRAW_S
                    if live is not None and paused:
                        live.update(self._view(keys, True), refresh=True)
                if key == "s":
                    self._save()
            if live is not None and not paused and self.seconds - drawn >= _REDRAW_S:
                drawn = self.seconds
                live.update(self._view(keys, False), refresh=True)

    def _take(self, lines: list[str], *, quiet: bool) -> None:
        rows = []
        for text in lines:
            line = read(text)
            self._session.note(line, self.seconds)
            if isinstance(line, Frame):
                rows.append((self.seconds, line))
                if not quiet and self._options.csv is None:
                    self._output.say(monitor_view.line(self._session, line))
        if rows and self._options.csv is not None:
            self._write(rows)

    def _write(self, rows: list[tuple[float, Frame]]) -> None:
        """As they come, so that a cut leaves what came before it; there is no file without a frame."""
        first = self._csv is None
        try:
            if self._csv is None:
                self._csv = self._stack.enter_context(self._options.csv.open("w", encoding="utf-8", newline=""))
            self._csv.write(csv_text(rows, head=first))
            self._csv.flush()
        except OSError as error:
            raise TinysealError(f"{self._options.csv}: {reason(error)}") from error

    def _view(self, keys: Keyboard, paused: bool) -> RenderableType:
        about = f"{_KEYS}   {self._message}" if keys.reads else ""
        return monitor_view.view(self._session, self.port, self.seconds, keys=about, paused=paused)

    def _save(self) -> None:
        """What the history has, under a name that nobody has thought of."""
        path = Path(time.strftime("monitor-%Y%m%d-%H%M%S.csv"))
        try:
            write_whole(path, csv_text(list(self._session.history), head=True).encode())
            self._message = f"saved to {path}"
        except TinysealError as error:
            self._message = error.message

    def draw(self) -> None:
        """The picture, when one was asked for and a frame came."""
        if self._options.plot is not None and self._session.frames:
            title = self._session.about.name if self._session.about else self.port
            write_whole(self._options.plot, drawing.picture(self._session, title))

    def say(self) -> None:
        """What came, in the end."""
        session, output = self._session, self._output
        if not (sys.stdout.isatty() and not output.as_json):
            output.table([(name, value.plain) for name, value in monitor_view.rows(session, self.seconds)])
        for target, what in ((self._options.csv, "saved to"), (self._options.plot, "drawn in")):
            if target is not None and session.frames:
                output.say(f"{what} {target}")
        times = session.latencies_us()
        output.result(
            {
                "seconds": round(self.seconds, 3),
                "frames": session.frames,
                "accepted": session.accepted,
                "refused": [
                    {"reason": name, "channel": channel, "frames": count}
                    for (name, channel), count in session.refused.items()
                ],
                "classes": {session.label(top): count for top, count in session.classes.items()},
                "median_microseconds": percentile(times, 0.5) if times else None,
                "missing": session.missing,
                "restarts": session.restarts,
                "ill_formed": session.unreadable,
            }
        )
