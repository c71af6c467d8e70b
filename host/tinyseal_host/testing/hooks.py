"""What is done around each test: skips, the board made to answer again, and what reports say."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from . import settings

if TYPE_CHECKING:
    from ..board.ports import Place
    from .bench import BoardUnderTest

PLACE, BOARD = "_tinyseal_place", "_tinyseal_board"
_STOPPED = "board_stopped_answering"


@dataclass
class Tested:
    """What the reports said of one board."""

    chip: str
    micropython: str
    package: str
    tests: int = 0
    stopped: int = 0


@dataclass(eq=False)
class Hooks:
    """`boards`: those that are open, by their place. `tested`: by id, gathered from reports, those of workers too."""

    boards: dict[Place, BoardUnderTest] = field(default_factory=dict)
    tested: dict[str, Tested] = field(default_factory=dict)

    def board_of(self, item: pytest.Item) -> BoardUnderTest | None:
        """The open board that a test uses."""
        if not _uses_board(item):
            return None
        parameters = getattr(getattr(item, "callspec", None), "params", {})
        if PLACE in parameters:
            return self.boards.get(parameters[PLACE])
        return next(iter(self.boards.values()), None)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Before the fixtures: skip what can be skipped without a board, and fail at once where it is lost."""
        settings.skip_by_options(item, uses_board=_uses_board(item))
        board = self.board_of(item)
        if board is not None:
            if board.lost:
                pytest.fail(board.lost, pytrace=False)
            board.transcript.clear()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> None:
        """Where a test failed, the port's transcript; and its board is made to answer again."""
        board = self.board_of(item)
        if board is None or board.lost or call.excinfo is None or call.excinfo.errisinstance(pytest.skip.Exception):
            return
        hint = getattr(call.excinfo.value, "hint", None)
        if hint:
            call.excinfo.value.add_note(f"hint: {hint}")
        # As stdout --show-capture knows it, and junit_logging=system-out puts it into the JUnit file.
        item.add_report_section(
            call.when, f"stdout at the serial port of board {board.label},", board.transcript.text()
        )
        happened = board.recover(item.nodeid)
        if happened:
            item.add_report_section(call.when, f"stdout about board {board.label},", happened)
            item.user_properties.append((_STOPPED, happened))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count; where workers run the tests, reports are all that comes back."""
        said = dict(report.user_properties)
        if "board_id" not in said:
            return
        made = Tested(str(said["chip"]), str(said["micropython_version"]), str(said["tinyseal_version"]))
        tested = self.tested.setdefault(str(said["board_id"]), made)
        tested.tests += report.when == "call"
        if report.when == "teardown":  # it has the properties of all three
            tested.stopped += sum(name == _STOPPED for name, _ in report.user_properties)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
        """A line a board, unless -q was said and all of them have answered."""
        shown = {name: board for name, board in self.tested.items() if board.stopped or config.get_verbosity() >= 0}
        if shown:
            terminalreporter.section("boards")
        for name, board in shown.items():
            line = (
                f"{name}  {board.chip}, MicroPython {board.micropython}, package {board.package}: {board.tests} tests"
            )
            stopped = f", stopped answering {board.stopped} times" if board.stopped else ""
            terminalreporter.line(line + stopped)


HOOKS = pytest.StashKey[Hooks]()


class AfterFixtures:
    """A plugin of its own, because a plugin has each hook once."""

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """What a test is told only by the board itself."""
        board = item.config.stash[HOOKS].board_of(item)
        if board is not None:
            item.user_properties.extend(board.properties)
            if board.news:
                item.user_properties.append((_STOPPED, board.news))
                board.news = ""
            settings.skip_by_board(item, board)


def _uses_board(item: pytest.Item) -> bool:
    return BOARD in getattr(item, "fixturenames", ())
