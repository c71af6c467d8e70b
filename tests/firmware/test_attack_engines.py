"""The short form of `make attack` on engines: liars under `tinyseal.open()`, and files that take a module's name."""

import pytest
from attack import engines, shadows
from attack.tally import Tally
from attack.target import Target


@pytest.fixture(scope="module")
def target(tmp_path_factory):
    return Target(tmp_path_factory.mktemp("target") / "keys")


def test_the_places_of_a_lie_are_all_there():
    """Each of the first ones, and with a step of 1 every one to the last."""
    assert engines.places(10, 4, 1) == list(range(10))
    assert engines.places(10, 4, 3) == [0, 1, 2, 3, 4, 7, 9]


def test_engines_that_lie_open_nothing(target):
    tally = sum(engines.attack(target, every=16), Tally())
    assert tally.wrong == []
    assert tally.clean
    assert tally.tried > 200


@pytest.mark.usefixtures("firmware")
def test_files_on_the_board_shadow_no_module(target):
    tally = shadows.attack(target)
    assert tally.wrong == []
    assert tally.clean
    assert shadows.weak_names() == set()


def test_the_package_is_searched_for_its_imports():
    assert shadows.imported_names() >= {"ucryptolib", "uhashlib", "umachine", "uos", "ustruct", "uctypes"}
