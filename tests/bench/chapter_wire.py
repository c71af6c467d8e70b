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

_QUIET_S = 0.5
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

    def settle(self) -> None:
        """Wait until nothing passes any more."""
        before = -1
        while self.bytes != before:
            before = self.bytes
            time.sleep(_QUIET_S)

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
    """Seconds from connecting to the board's restart, and bytes up to its last greeting."""
    before, start = cable.bytes, time.monotonic()
    with Board(cable.port) as board:
        work(board)
    seconds = time.monotonic() - start
    cable.settle()
    return cable.bytes - before, seconds


def lines() -> Iterator[Line]:
    """Of provision, first push and update, each as the command does it and each again, and of deploy; the example's."""
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
    cable.settle()
    releases = [build(folder / "motion.tflite", folder / "motion.toml", version=n, keys=keys) for n in (1, 2, 3)]
    sealed = [seal(release, info.device_id, keys=keys) for release in releases]
    firmware = load_firmware(info.architecture).size
    works: list[tuple[str, int, Callable[[Board], object]]] = [
        ("provision", firmware, lambda board: board.provision(keys)),
        ("push", len(sealed[0]), lambda board: board.push(sealed[0])),
        ("update", len(sealed[1]), lambda board: board.push(sealed[1])),
    ]
    for name, own, work in works:
        yield from _lines_of(name, own, cable, work)
        yield from _lines_of(f"{name}_again", 0, cable, work)
    yield from _lines_of("deploy", len(sealed[2]), cable, lambda board: board.deploy(releases[2], keys))


def _lines_of(name: str, own: int, cable: Cable, work: Callable[[Board], object]) -> Iterator[Line]:
    """Bytes, held against the files' own where there are any, and seconds; both of the whole session."""
    passed, seconds, fault, note = 0, 0.0, "", "nothing has to be sent"
    try:
        passed, seconds = _measured(cable, work)
    except TinysealError as error:
        fault = error.message
    if own:
        note = f"for {own:,} bytes of files: {passed / own - 1:+.1%}"
        if not name.startswith("deploy"):
            note += f", goal <= {_REACH - 1:+.0%}: {'yes' if passed <= _REACH * own else 'no'}"
    yield Line(name, passed, "bytes", note, fault)
    yield Line(f"{name}_s", seconds, "seconds", fault=fault)
