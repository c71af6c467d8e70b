"""The scripts of the other tests, on the board under test."""

import pytest
import vm
from device.scripts import Scripts
from firmware.conftest import identity

__all__ = ["identity"]


@pytest.fixture(scope="session")
def scripts(board):
    """What runs scripts on the board."""
    made = Scripts(board)
    yield made
    made.tidy()


@pytest.fixture(autouse=True)
def on_the_board(scripts, monkeypatch):
    """`vm.run` and all that is made of it."""
    monkeypatch.setattr(vm, "BOARD", scripts.run)
    monkeypatch.setattr(vm, "FIRMWARE", scripts.board.info.architecture)


@pytest.fixture
def kept(scripts, on_the_board):
    """The files of this test are the same in every run: they stay on the board."""
    scripts.keep = True
    yield
    scripts.keep = False
