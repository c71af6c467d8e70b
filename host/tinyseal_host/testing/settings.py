"""Options, marks and settings of the plugin, and what follows from them."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

if TYPE_CHECKING:
    from ..board.ports import Place
    from .bench import BoardUnderTest

MARKS = (
    "real_board: needs a real board; skipped on a virtual one",
    "target(*chips): needs one of these chips, as in target('esp32c3'); skipped on others",
)
_SETTINGS = {
    "tinyseal_keys": "key folder of the boards under test; without, `keys`, or one made in pytest's cache",
    "tinyseal_model": ".tflite of the fixture `model`; without, the example's",
    "tinyseal_contract": "its contract",
    "tinyseal_frames": ".npy or .csv of the fixture `frames`; without, the example's",
}


def add_options(parser: pytest.Parser) -> None:
    """Declare all that can be said on the command line and in pytest's configuration file."""
    group = parser.getgroup("tinyseal", "tinyseal: tests on boards")
    group.addoption(
        "--port",
        action="append",
        dest="tinyseal_ports",
        metavar="P",
        help="the board under test, as for tinyseal --port; repeatable; all for every one on USB (else ESPPORT)",
    )
    group.addoption(
        "--target",
        dest="tinyseal_target",
        metavar="CHIP",
        help="the chip that the board must have, e.g. esp32c3; tests marked for others are skipped",
    )
    group.addoption(
        "--state",
        action="append",
        dest="tinyseal_states",
        metavar="DIR",
        help="state of a virtual board that is kept, for --port sim, or alone",
    )
    for name, about in _SETTINGS.items():
        parser.addini(name, about, type="string", default="")


def in_one_word(arguments: list[str]) -> list[str]:
    """Arguments in which `--port P` and `--state DIR` are `--port=P` and `--state=DIR` where there is such a path."""
    found: list[str] = []
    for word in arguments:
        if found and found[-1] in ("--port", "--state") and os.path.exists(word):
            found[-1] += f"={word}"
        else:
            found.append(word)
    return found


@contextlib.contextmanager
def told() -> Iterator[None]:
    """Have failures of ours told as on the command line, in a line and a hint and without a traceback."""
    from ..errors import TinysealError  # noqa: PLC0415

    try:
        yield
    except TinysealError as error:
        fail(error.message, error.hint)


def fail(message: str, hint: str | None = None) -> NoReturn:
    """Fail the fixture with a line and a hint."""
    text = f"tinyseal: error: {message}" + (f"\ntinyseal: hint: {hint}" if hint else "")
    raise pytest.fail.Exception(text, pytrace=False) from None


def _ports(config: pytest.Config) -> list[str]:
    """What was named; nothing for a virtual board that is gone afterwards."""
    ports: list[str] | None = config.getoption("tinyseal_ports")
    states: list[str] | None = config.getoption("tinyseal_states")
    if ports is None and states:
        return ["sim"] * len(states)
    environment = os.environ.get("ESPPORT")
    return ports or ([environment] if environment else [])


def _places(config: pytest.Config) -> list[Place]:
    from ..board.ports import places  # noqa: PLC0415

    states = [Path(state) for state in config.getoption("tinyseal_states") or ()]
    return places(_ports(config) or ["sim"], states)


def several_places(config: pytest.Config) -> list[Place]:
    """The places of the boards when they are more than one; what is wrong with them is told by the fixture."""
    from ..errors import TinysealError  # noqa: PLC0415

    try:
        found = _places(config)
    except TinysealError:
        return []
    return found if len(found) > 1 else []


def one_place(config: pytest.Config) -> Place:
    """The place of the only board; TinysealError."""
    return _places(config)[0]


def with_state(place: Place, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A virtual board with nothing to keep its state in gets a folder for this session."""
    if place.port != "sim" or place.state is not None:
        return place
    return dataclasses.replace(place, state=tmp_path_factory.mktemp("board") / "state")


def refuse_to_share(config: pytest.Config, place: Place) -> None:
    """Fail where several processes of pytest-xdist would use one board."""
    workers = getattr(config, "workerinput", {}).get("workercount", 1)
    if workers > 1 and (place.port != "sim" or place.state is not None):
        fail(f"{place.label} cannot be shared by {workers} processes of pytest", "pytest -n 0")


def keys_folder(config: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the keys, made when there is none, and kept for the boards that know them; TinysealError."""
    from ..keys import generate  # noqa: PLC0415

    named = _setting(config, "tinyseal_keys")
    if named is not None:
        return named
    if (config.rootpath / "keys" / "master.key").exists():
        return config.rootpath / "keys"
    if _ports(config) and config.cache is not None:
        folder = config.cache.mkdir("tinyseal") / "keys"
    else:
        folder = tmp_path_factory.getbasetemp() / "tinyseal-keys"
    if not folder.exists():
        generate(folder)
    return folder


def model_files(config: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The `.tflite` and its contract."""
    model, contract = _setting(config, "tinyseal_model"), _setting(config, "tinyseal_contract")
    if (model is None) != (contract is None):
        fail("tinyseal_model and tinyseal_contract belong together, one is missing")
    if model is not None and contract is not None:
        return model, contract
    folder = _example(tmp_path_factory)
    return folder / "motion.tflite", folder / "motion.toml"


def frames_file(config: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file with frames."""
    found = _setting(config, "tinyseal_frames")
    if found is None and _setting(config, "tinyseal_model") is not None:
        fail("tinyseal_frames names no frames for tinyseal_model")
    return found or _example(tmp_path_factory) / "frames.npy"


def _example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from ..example import write_example  # noqa: PLC0415

    folder = tmp_path_factory.getbasetemp() / "tinyseal-example"
    write_example(folder)
    return folder


def _setting(config: pytest.Config, name: str) -> Path | None:
    value: str = config.getini(name)
    return config.rootpath / value if value else None


def _chip_name(text: str) -> str:
    return text.lower().replace("-", "")


def check_chip(config: pytest.Config, board: BoardUnderTest) -> None:
    """Fail when the board has another chip than `--target` says."""
    target: str | None = config.getoption("tinyseal_target")
    if target is not None and _chip_name(target) != _chip_name(board.chip):
        fail(f"board {board.label} has chip {board.chip}, --target is {target}")


def skip_by_options(item: pytest.Item, *, uses_board: bool) -> None:
    """Skip a test whose marks ask for what the options rule out."""
    chips = _chips(item)
    target: str | None = item.config.getoption("tinyseal_target")
    virtual = all(port == "sim" for port in _ports(item.config))
    if virtual and item.get_closest_marker("real_board"):
        _skip("needs a real board, and there is none: --port, or ESPPORT")
    if chips and target is not None and _chip_name(target) not in map(_chip_name, chips):
        _skip(f"needs {' or '.join(chips)}, --target is {target}")
    if chips and target is None and not uses_board:
        _skip(f"needs {' or '.join(chips)}, and --target names no chip")


def skip_by_board(item: pytest.Item, board: BoardUnderTest) -> None:
    """Skip a test whose marks ask for another board than this one."""
    chips = _chips(item)
    if board.virtual and item.get_closest_marker("real_board"):
        _skip(f"needs a real board, {board.label} is a virtual one")
    if chips and _chip_name(board.chip) not in map(_chip_name, chips):
        _skip(f"needs {' or '.join(chips)}, board {board.label} has {board.chip}")


def _chips(item: pytest.Item) -> list[str]:
    return [str(chip) for mark in item.iter_markers("target") for chip in mark.args]


def _skip(reason: str) -> NoReturn:
    raise pytest.skip.Exception(reason, _use_item_location=True)
