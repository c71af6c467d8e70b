"""Every write of a command to flash and NVS, and the board that is left when the power fails at it.

The command runs once, and the board notes its writes. What a cut at the n-th leaves is what was there before, with the
first n - 1 of them, and of the n-th all, the first half, or nothing. A live cut leaves the same bytes, which the tests
compare; so there is no need to run the command again for each.
"""

import shutil
import struct
import tempfile
import traceback
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


@dataclass(frozen=True)
class Cut:
    """The power fails at the n-th write, of which that part is done; `same`: how many cuts leave the same bytes."""

    n: int
    part: str
    same: int

    def and_same(self, more: int) -> "Cut":
        return Cut(self.n, self.part, self.same + more)


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


def distinct(before: Path, writes: list[Write]) -> list[Cut]:
    """One cut for everything that cuts can leave, one after the other, with the number of those that leave the same."""
    flash = bytearray((before / "flash.bin").read_bytes())
    found, last = [], Cut(1, "none", 0)
    for n, write in enumerate(writes, 1):
        old, new = flash[write.at : write.at + len(write.data)], write.data
        half = new[: len(new) // 2] + old[len(new) // 2 :]
        if write.kind != _FLASH:  # replaced whole or not at all
            half, old = b"", b""
        last = last.and_same(1 + (half == old))
        if half not in (old, new):
            found.append(Cut(n, "half", 1))
        if new == old:
            last = last.and_same(1)
        else:
            found.append(last)
            last = Cut(n, "whole", 1 + (half == new != old))
        if write.kind == _FLASH:
            flash[write.at : write.at + len(new)] = new
    return [*found, last]


def attack(scenario: Scenario, cuts: list[Cut], before: Path, writes: list[Write]) -> Tally:
    """Cut the power at each of them, and look at what is left twice: as it comes up, and as the command is repeated."""
    tally = Tally()
    remains = Remains(before, writes)
    with tempfile.TemporaryDirectory() as scratch:
        for cut in sorted(cuts, key=lambda cut: cut.n):
            flash, nvs = remains.after(cut.n, cut.part)
            folder = Path(scratch) / "board"
            folder.mkdir()
            _write(folder, flash, nvs)
            where = f"{scenario.name}, write {cut.n}, {cut.part}"
            tally.cuts += cut.same
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
    folder.mkdir(exist_ok=True)
    before = folder / "before"
    make_board(before, scenario)
    return before, record(before, scenario)
