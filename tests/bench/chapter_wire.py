"""Chapter "wire": bytes and seconds between host and board, counted on a cable between the two."""

import os
import select
import tempfile
import threading
import time
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tinyseal_host.api import Board, Keys, build, seal
from tinyseal_host.board.firmware import load_firmware
from tinyseal_host.errors import TinysealError
from tinyseal_host.example import write_example
from tinyseal_host.keys import generate
from tinyseal_host.sim import VirtualBoard

from .line import Line

_REACH = 1.15  # bytes on the wire, of the files' own


class Cable:
    """A pseudo-terminal that is joined to a board's, and counts what passes; bytes of both ways together."""

    def __init__(self, device: str) -> None:
        self.bytes = 0
        self._master, slave = os.openpty()
        tty.setraw(slave)
        self.port = os.ttyname(slave)
        self._board = os.open(device, os.O_RDWR | os.O_NOCTTY)
        self._slave = slave
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._pass)
        self._thread.start()

    def _pass(self) -> None:
        ends = {self._master: self._board, self._board: self._master}
        while not self._ended.is_set():
            for readable in select.select(list(ends), [], [], 0.1)[0]:
                data = os.read(readable, 65536)
                self.bytes += len(data)
                while data:
                    data = data[os.write(ends[readable], data) :]

    def close(self) -> None:
        """Part the two."""
        self._ended.set()
        self._thread.join()
        for descriptor in (self._master, self._slave, self._board):
            os.close(descriptor)


@contextmanager
def _cable(folder: Path) -> Iterator[Cable]:
    with VirtualBoard(folder) as board:
        cable = Cable(board.port)
        try:
            yield cable
        finally:
            cable.close()


def _measured(cable: Cable, work: Callable[[Board], object]) -> tuple[int, float]:
    """Bytes and seconds from connecting to the board's restart."""
    before, start = cable.bytes, time.monotonic()
    with Board(cable.port) as board:
        work(board)
    return cable.bytes - before, time.monotonic() - start


def lines() -> Iterator[Line]:
    """Of provision, first push and update, each as the command does it and each again; the example's model."""
    with tempfile.TemporaryDirectory(prefix="tinyseal-wire-") as name:
        folder = Path(name)
        write_example(folder)
        generate(folder / "keys")
        keys = Keys(folder / "keys")
        with _cable(folder / "board") as cable:
            yield from _commands(folder, keys, cable)


def _commands(folder: Path, keys: Keys, cable: Cable) -> Iterator[Line]:
    with Board(cable.port) as board:
        info = board.info
    sealed = [
        seal(build(folder / "motion.tflite", folder / "motion.toml", version=n, keys=keys), info.device_id, keys=keys)
        for n in (1, 2)
    ]
    firmware = load_firmware(info.architecture).size
    works: list[tuple[str, int, Callable[[Board], object]]] = [
        ("provision", firmware, lambda board: board.provision(keys)),
        ("push", len(sealed[0]), lambda board: board.push(sealed[0])),
        ("update", len(sealed[1]), lambda board: board.push(sealed[1])),
    ]
    for name, own, work in works:
        yield from _lines_of(name, own, cable, work)


def _lines_of(name: str, own: int, cable: Cable, work: Callable[[Board], object]) -> Iterator[Line]:
    """The command, the same again, for which nothing has to be sent, and the difference: what the files take."""
    passed, seconds, fault = [0, 0], [0.0, 0.0], ""
    try:
        for number in range(2):
            passed[number], seconds[number] = _measured(cable, work)
    except TinysealError as error:
        fault = error.message
    files = passed[0] - passed[1]
    goal = "yes" if files <= _REACH * own else "no"
    note = f"for files of {own:,} bytes: {files / own - 1:+.1%}, goal <= {_REACH - 1:+.0%}: {goal}"
    yield Line(f"{name}_wire", passed[0], "bytes", f"in all, {passed[0] / own - 1:+.1%}", fault)
    yield Line(f"{name}_again", passed[1], "bytes", "the same again, when nothing has to be sent", fault)
    yield Line(f"{name}_files", files, "bytes", note, fault)
    yield Line(f"{name}_s", seconds[0], "seconds", f"{seconds[1]:.2f} again", fault)
