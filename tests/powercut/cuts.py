"""Every write of a command to flash and NVS, and the board that is left when the power fails at it.

The command runs once, and the board notes its writes. What a cut at the n-th leaves is what was there before, with the
first n - 1 of them, and of the n-th all, the first half, or nothing. A live cut leaves the same bytes, which the tests
compare; so there is no need to run the command again for each.
"""

import hashlib
import shutil
import struct
import tempfile
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tinyseal_host.board.transport import connect
from tinyseal_host.errors import TinysealError

from powercut.protocol_bench import Bench
from powercut.scenarios import Scenario, copy, make_board
from powercut.tally import Tally

PARTS = ("none", "half", "whole")
_HEAD = struct.Struct("<BII")
_FLASH = 1
# What a program on the board does: open the model, or say why not; and the state of the slots.
_BOOT = """
import ujson, tinyseal
from tinyseal import slots
try:
    with tinyseal.open() as model:
        opened = model.version
except tinyseal.SealError as error:
    opened = str(error)
print(ujson.dumps([opened, slots.state()[0]]))
"""


@dataclass(frozen=True)
class Write:
    """One of them: bytes for the flash at an offset, or a whole NVS."""

    kind: int
    at: int
    data: bytes


def record(before: Path, scenario: Scenario) -> list[Write]:
    """The writes of the command on a copy of the board."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = copy(before, Path(scratch) / "board")
        with Bench(folder, "log") as bench, connect(bench.url, soft_reset=False) as link:
            scenario.run(link)
        log = (folder / "writes.log").read_bytes()
    found, at = [], 0
    while at < len(log):
        kind, where, length = _HEAD.unpack_from(log, at)
        at += _HEAD.size
        found.append(Write(kind, where, log[at : at + length]))
        at += length
    return found


class Remains:
    """What cuts leave: `flash.bin` and `nvs.bin`, for one cut after the other."""

    def __init__(self, before: Path, writes: list[Write]) -> None:
        self._writes = writes
        self._flash = bytearray((before / "flash.bin").read_bytes())
        nvs = before / "nvs.bin"
        self._nvs = nvs.read_bytes() if nvs.exists() else None
        self._done = 0

    def after(self, n: int, part: str) -> tuple[bytes, bytes | None]:
        """Those of a cut at the n-th write, n from 1 up and never down."""
        for write in self._writes[self._done : n - 1]:
            self._apply(write)
        self._done = max(self._done, n - 1)
        write = self._writes[n - 1]
        if write.kind == _FLASH:
            flash = bytearray(self._flash)
            length = len(write.data) * PARTS.index(part) // 2
            flash[write.at : write.at + length] = write.data[:length]
            return bytes(flash), self._nvs
        return bytes(self._flash), write.data if part == "whole" else self._nvs

    def _apply(self, write: Write) -> None:
        if write.kind == _FLASH:
            self._flash[write.at : write.at + len(write.data)] = write.data
        else:
            self._nvs = write.data


def distinct(before: Path, writes: list[Write]) -> Iterator[tuple[int, str, int]]:
    """(n, part, how many cuts leave the very same bytes), for one of those cuts each."""
    remains = Remains(before, writes)
    first: dict[bytes, tuple[int, str]] = {}
    count: dict[bytes, int] = {}
    for n in range(1, len(writes) + 1):
        for part in PARTS:
            flash, nvs = remains.after(n, part)
            key = hashlib.sha256(flash + (b"" if nvs is None else nvs)).digest()
            first.setdefault(key, (n, part))
            count[key] = count.get(key, 0) + 1
    for key, (n, part) in first.items():
        yield n, part, count[key]


def attack(scenario: Scenario, cuts: list[tuple[int, str, int]], before: Path, writes: list[Write]) -> Tally:
    """Cut the power at each of them, and look at what is left, twice: as it comes up, and as the command is repeated."""
    tally = Tally()
    remains = Remains(before, writes)
    with tempfile.TemporaryDirectory() as scratch:
        for n, part, same in sorted(cuts, key=lambda cut: (cut[0], PARTS.index(cut[1]))):
            flash, nvs = remains.after(n, part)
            folder = Path(scratch) / "board"
            folder.mkdir()
            _write(folder, flash, nvs)
            where = f"{scenario.name}, write {n}, {part}"
            tally.cuts += same
            _reboot(folder, scenario, where, tally)
            _write(folder, flash, nvs)
            _repeat(folder, scenario, where, tally)
            shutil.rmtree(folder)
    return tally


def _write(folder: Path, flash: bytes, nvs: bytes | None) -> None:
    (folder / "flash.bin").write_bytes(flash)
    if nvs is None:
        (folder / "nvs.bin").unlink(missing_ok=True)
    else:
        (folder / "nvs.bin").write_bytes(nvs)


def _reboot(folder: Path, scenario: Scenario, where: str, tally: Tally) -> None:
    if not scenario.old:  # there was no model, and while the package is not there nothing can look for one
        return
    try:
        opened, floor = boot(folder)
    except (TinysealError, AssertionError) as error:
        tally.without_model(where, str(error))
        return
    if opened not in (scenario.old, scenario.new):
        tally.without_model(where, str(opened))
    if floor < scenario.floor:
        tally.lowered(where, floor)


def _repeat(folder: Path, scenario: Scenario, where: str, tally: Tally) -> None:
    try:
        with Bench(folder) as bench, connect(bench.url, soft_reset=False) as link:
            scenario.run(link)
        opened, floor = boot(folder)
    except (TinysealError, AssertionError):
        tally.not_repeated(where, traceback.format_exc(limit=-3))
        return
    if scenario.new and opened != scenario.new:
        tally.not_repeated(where, f"then opens: {opened}")
    if floor < scenario.floor:
        tally.lowered(where, floor)


def boot(folder: Path) -> tuple[int | str, int]:
    """What a board's program finds after power-on: the version that opens, or why none does; the floor."""
    with Bench(folder) as bench, connect(bench.url, soft_reset=False) as link:
        opened, floor = link.json(_BOOT)
        return opened, floor


def prepared(scenario: Scenario, folder: Path) -> tuple[Path, list[Write]]:
    """The board before the command, in a folder below this one, and the command's writes."""
    before = folder / "before"
    make_board(before, scenario)
    return before, record(before, scenario)
