"""What pytest loads: options, marks, and the fixtures `board`, `model` and `frames`.

It is loaded by every pytest that finds this package, so it imports the rest of it only when a board is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from . import settings
from .hooks import BOARD, HOOKS, PLACE, AfterFixtures, Hooks

if TYPE_CHECKING:
    from ..board.inference import Frames
    from ..board.ports import Place
    from .bench import BoardUnderTest
    from .deployed import DeployedModel

__all__ = ["board", "frames", "model"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Ports, chip, state, and what a project sets once."""
    settings.add_options(parser)


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """Begin again with `--port=/dev/ttyACM0` where that was given in two words.

    pytest looks for its configuration file before it knows the options of plugins, and takes the second word for a
    folder of tests: it would not find the project's file, but one in /dev (pytest's issue 1435).
    """
    given = list(config.invocation_params.args)
    joined = settings.in_one_word(given)
    return None if joined == given else pytest.main(joined, config.invocation_params.plugins)


def pytest_configure(config: pytest.Config) -> None:
    """The marks, and the hooks that look at tests and reports."""
    for mark in settings.MARKS:
        config.addinivalue_line("markers", mark)
    config.stash[HOOKS] = Hooks()
    config.pluginmanager.register(config.stash[HOOKS], "tinyseal-hooks")
    config.pluginmanager.register(AfterFixtures(), "tinyseal-after-fixtures")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every test that uses a board, for every board."""
    if PLACE not in metafunc.fixturenames:
        return
    places = settings.several_places(metafunc.config)
    if places:
        labels = [place.label for place in places]
        metafunc.parametrize(PLACE, places, indirect=True, ids=labels, scope="session")


@pytest.fixture(scope="session", name=PLACE)
def place(request: pytest.FixtureRequest) -> Place:
    """Where the board is."""
    with settings.told():
        found: Place = getattr(request, "param", None) or settings.one_place(request.config)
        settings.refuse_to_share(request.config, found)
        return found


@pytest.fixture(scope="session", name=BOARD)
def opened_board(
    request: pytest.FixtureRequest, _tinyseal_place: Place, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[BoardUnderTest]:
    """`board` under a name that no project has for something else."""
    from ..api import Keys  # noqa: PLC0415
    from .bench import BoardUnderTest  # noqa: PLC0415

    config = request.config
    under_test = BoardUnderTest(settings.with_state(_tinyseal_place, tmp_path_factory))

    def prepare() -> None:
        settings.check_chip(config, under_test)
        under_test.keys = Keys(settings.keys_folder(config, tmp_path_factory))
        under_test.provision(under_test.keys)
        under_test.learn_properties()

    boards = config.stash[HOOKS].boards
    try:
        with settings.told():
            under_test.open(prepare)
        boards[_tinyseal_place] = under_test
        yield under_test
    finally:
        boards.pop(_tinyseal_place, None)
        under_test.close()


@pytest.fixture(scope="session")
def board(_tinyseal_board: BoardUnderTest) -> BoardUnderTest:
    """The board at `--port`, or a virtual one: a `tinyseal_host.Board` that is open and provisioned, with `reset()`."""
    return _tinyseal_board


@pytest.fixture(scope="session")
def model(
    request: pytest.FixtureRequest, board: BoardUnderTest, tmp_path_factory: pytest.TempPathFactory
) -> DeployedModel:
    """The model of `tinyseal_model` and `tinyseal_contract`, or the example's, built now and active on the board."""
    from .deployed import deploy  # noqa: PLC0415

    with settings.told():
        return deploy(board, board.keys, *settings.model_files(request.config, tmp_path_factory))


@pytest.fixture(scope="session")
def frames(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Frames:
    """The frames of `tinyseal_frames`, or the example's: an array [n, values]."""
    from ..board.inference import read_frames  # noqa: PLC0415

    with settings.told():
        return read_frames(settings.frames_file(request.config, tmp_path_factory))
