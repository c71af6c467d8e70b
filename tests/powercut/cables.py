"""Faults of the cable at one byte after the other of a command: the host gives up in time, the same again succeeds."""

import tempfile
import traceback
from pathlib import Path

from tinyseal_host.board.transport import connect
from tinyseal_host.errors import BoardError
from tinyseal_host.sim.cable import Cable, Fault

from powercut.cuts import boot
from powercut.protocol_bench import Bench, Clock
from powercut.scenarios import Scenario, copy
from powercut.tally import Tally

# The longest wait for an answer and then the longest for the prompt, as `board.transport` has them, and a little.
_LIMIT_S = 60 + 60 + 20


def length(scenario: Scenario, before: Path) -> int:
    """The bytes that the command moves over a good cable, both ways together."""
    with tempfile.TemporaryDirectory() as scratch:
        cable = Cable()
        with Bench(copy(before, Path(scratch) / "board"), cable=cable) as bench:
            _run(scenario, bench)
        return cable.carried


def attack(scenario: Scenario, before: Path, fault: Fault, places: range) -> Tally:
    """That fault after so many bytes, for each of these numbers."""
    tally = Tally()
    for after in places:
        with tempfile.TemporaryDirectory() as scratch:
            folder = copy(before, Path(scratch) / "board")
            where = f"{scenario.name}, {fault.value} after byte {after}"
            tally.faults += 1
            with Bench(folder, cable=Cable(after, fault)) as bench:
                _suffer(scenario, bench, where, tally)
                bench.port.replug()
                try:
                    _run(scenario, bench)
                except Exception:  # noqa: BLE001 - whatever it is, it is a failure
                    tally.not_repeated(where, traceback.format_exc(limit=-3))
                    continue
            opened, floor = boot(folder)
            if opened != scenario.new:
                tally.not_repeated(where, f"then opens: {opened}")
            if floor < scenario.floor:
                tally.lowered(where, floor)
    return tally


def _suffer(scenario: Scenario, bench: Bench, where: str, tally: Tally) -> None:
    """A BoardError, whose exit status is 4, with a hint; or no error where nothing that counts was hit."""
    began = Clock.monotonic()
    try:
        _run(scenario, bench)
    except BoardError as error:
        if not error.hint:
            tally.bad_end(where, f"no hint: {error.message}")
    except Exception:  # noqa: BLE001 - everything else is wrong, a traceback above all
        tally.bad_end(where, traceback.format_exc(limit=-3))
    took = Clock.monotonic() - began
    if took > _LIMIT_S:
        tally.bad_end(where, f"the host waited for {took:.0f} s")


def _run(scenario: Scenario, bench: Bench) -> None:
    with connect(bench.url) as link:
        scenario.run(link)
