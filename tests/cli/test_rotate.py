"""`tinyseal rotate` on virtual boards: what is changed, what stays, what is refused, and a power cut in the middle."""

import io
import shutil

import pytest
from tinyseal_host import api
from tinyseal_host.board import registry, rotation
from tinyseal_host.board.transport import connect
from tinyseal_host.errors import BoardError
from tinyseal_host.sim import VirtualBoard

SIM = "--port sim --state board"


@pytest.fixture(autouse=True)
def registries(shared):
    """What these tests leave in the folders that all tests share is forgotten."""
    yield
    for path in shared.glob("*/boards.toml"):
        path.unlink()


@pytest.fixture
def rotate(tinyseal, shared):
    def run(*more, old="keys", to="stranger"):
        return tinyseal(f"rotate {SIM} --keys", shared / old, "--to", shared / to, *more)

    return run


@pytest.fixture
def signing_only(shared):
    """A folder with another signing key and no master key."""
    folder = shared / "signing-only"
    if not folder.exists():
        folder.mkdir()
        for name in ("signing.key", "signing.pub"):
            shutil.copy(shared / "stranger" / name, folder)
    return folder.name


def status(tinyseal):
    return tinyseal(f"status {SIM} --json").json


def slots(here):
    """The files in the slots' folder."""
    with VirtualBoard(here / "board") as board, connect(board.port) as link:
        return sorted(link.json("import uos, ujson; print(ujson.dumps(uos.listdir('/seal')))"))


def classifies(tinyseal, shared):
    found = tinyseal(f"infer {SIM} -o out.csv", shared / "frames.npy")
    return "40 accepted" in found.out


def test_both_keys(tinyseal, deploy, rotate, shared, here):
    assert deploy(1).status == 0
    assert deploy(2).status == 0
    found = rotate("--json")
    assert (found.status, found.json["changed"]) == (0, ["device key", "signer"])
    assert (found.json["name"], found.json["version"], found.json["key_source"]) == ("motion", 2, "nvs")
    now = status(tinyseal)
    assert (now["signer"][:16], now["floor"], now["fallback"]) == (found.json["signer"], 2, None)
    assert len(slots(here)) == 1  # nothing is left that the old keys open
    assert classifies(tinyseal, shared)
    assert deploy(3).status == 1
    assert deploy(3, keys="stranger").status == 0


def test_the_old_keys_open_nothing_of_what_is_on_the_board_and_the_new_ones_do(tinyseal, deploy, rotate, shared, here):
    assert deploy(1).status == 0
    assert rotate().status == 0
    with VirtualBoard(here / "board") as board, connect(board.port) as link:
        (name,) = link.json("import uos, ujson; print(ujson.dumps(uos.listdir('/seal')))")
        text = link.json(
            f"import ubinascii, ujson; print(ujson.dumps(ubinascii.hexlify(open('/seal/{name}','rb').read()).decode()))"
        )
    (here / "m.seal").write_bytes(bytes.fromhex(text))
    assert tinyseal("open m.seal -o m.tsm --keys", shared / "stranger").status == 0
    assert tinyseal("open m.seal -o n.tsm --keys", shared / "keys").status == 3


def test_a_signer_alone(tinyseal, deploy, rotate, signing_only, shared, here):
    assert deploy(1).status == 0
    before = status(tinyseal)
    found = rotate("--json", to=signing_only)
    assert (found.status, found.json["changed"]) == (0, ["signer"])
    after = status(tinyseal)
    assert (after["key_check"], after["signer"] != before["signer"]) == (before["key_check"], True)
    assert classifies(tinyseal, shared)


def test_a_master_key_alone_needs_no_signing_key(tinyseal, deploy, rotate, shared, here):
    assert deploy(1).status == 0
    before = status(tinyseal)
    found = rotate("--json", to="other-station")
    assert (found.status, found.json["changed"]) == (0, ["device key"])
    after = status(tinyseal)
    assert (after["signer"], after["key_check"] != before["key_check"]) == (before["signer"], True)
    assert classifies(tinyseal, shared)


def test_with_a_release_of_the_new_signer_no_signing_key_is_needed(tinyseal, deploy, rotate, shared, here):
    assert deploy(1).status == 0
    (here / "station").mkdir()
    for name in ("master.key", "signing.pub"):
        shutil.copy(shared / "stranger" / name, here / "station")
    refused = rotate(to=here / "station")
    assert (refused.status, refused.error.startswith("the signing key is not that of signer")) == (1, True)
    build = f"build {shared}/motion.tflite --contract {shared}/motion.toml --keys {shared}/stranger"
    for version in (1, 4):
        assert tinyseal(f"{build} --version {version} -o v{version}.tsm").status == 0
    found = rotate("v4.tsm", "--json", to=here / "station")
    assert (found.status, found.json["version"]) == (0, 4)
    assert classifies(tinyseal, shared)
    assert rotate("v1.tsm", old="stranger", to="keys").error.endswith("not signed by the expected signer")


def test_an_older_release_is_refused_before_a_key_is_changed(tinyseal, deploy, rotate, signing_only, shared, here):
    assert deploy(3).status == 0
    line = (
        f"build {shared}/motion.tflite --contract {shared}/motion.toml --version 2 -o old.tsm --keys {shared}/stranger"
    )
    assert tinyseal(line).status == 0
    before = status(tinyseal)
    found = rotate("old.tsm", to=signing_only)
    assert (found.status, found.error) == (3, "sealed file: model version is 2, wanted at least 3")
    assert status(tinyseal)["signer"] == before["signer"]
    assert classifies(tinyseal, shared)


def test_again_changes_nothing(tinyseal, deploy, rotate, shared, here):
    assert deploy(1).status == 0
    assert rotate().status == 0
    assert deploy(2, keys="stranger").status == 0
    found = rotate()
    assert (found.status, "it has these keys already" in found.out) == (0, True)
    assert slots(here) == ["a.seal", "b.seal"]  # the way back stays


def test_a_board_without_a_model(tinyseal, rotate, shared, here):
    assert tinyseal(f"provision {SIM} --keys", shared / "keys").status == 0
    found = rotate("--json")
    assert (found.json["changed"], found.json["name"]) == (["device key", "signer"], None)
    assert tinyseal(f"doctor {SIM} --json --keys", shared / "stranger").json["checks"][5]["check"] == "keys"
    assert "error" not in tinyseal(f"doctor {SIM} --json --keys", shared / "stranger").json["checks"][5]


def test_the_registries_follow(tinyseal, deploy, rotate, shared, here):
    assert deploy(1).status == 0
    device = status(tinyseal)["device_id"]
    registry.remember(shared / "keys", [registry.Entry(bytes.fromhex(device), name="north gate")])
    found = rotate("--json")
    old, new = (registry.read(shared / name)[device] for name in ("keys", "stranger"))
    assert (old["name"], old.keys() & set(registry.OURS)) == ("north gate", set())
    assert (new["name"], new["signer"], new["version"]) == ("north gate", found.json["signer"], 1)


REFUSED = {
    "the same keys": ({"to": "keys"}, 2, "the new keys are the old ones"),
    "somebody else's board": ({"old": "stranger", "to": "third"}, 1, "from neither the old nor the new master key"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_refusals(tinyseal, deploy, rotate, shared, here, what):
    arguments, code, said = REFUSED[what]
    if not (shared / "third").exists():
        assert tinyseal("keygen", shared / "third").status == 0
    assert deploy(1).status == 0
    before = status(tinyseal)
    found = rotate(**arguments)
    assert (found.status, said in found.error) == (code, True), found.err
    assert status(tinyseal)["key_check"] == before["key_check"]


def test_a_board_that_was_not_provisioned(rotate, here):
    assert rotate().error.endswith("the board has no tinyseal on it that can be loaded")


def test_a_key_in_efuse_stays_and_its_signer_can_go(tinyseal, deploy, rotate, signing_only, shared, here, monkeypatch):
    device = status(tinyseal)["device_id"]
    monkeypatch.setattr("sys.stdin", io.StringIO(device + "\n"))
    assert tinyseal(f"burn {SIM} --chip esp32s3 --keys", shared / "station").status == 0
    assert deploy(1).status == 0
    found = rotate()
    assert (found.status, found.error.startswith("the board's key is in eFuse for good")) == (1, True)
    assert "leave the master key out" in found.hint
    assert classifies(tinyseal, shared)
    found = rotate("--json", to=signing_only)
    assert (found.json["changed"], found.json["key_source"]) == (["signer"], "efuse")
    assert classifies(tinyseal, shared)


def test_a_board_that_does_not_open_the_new_model_gets_its_keys_back(
    tinyseal, deploy, rotate, shared, here, monkeypatch
):
    """The file that was staged is damaged on its way to the slot, unseen."""
    assert deploy(1).status == 0
    before = status(tinyseal)

    def stage(link, sealed, slot, progress=None):
        real(link, sealed[:-1] + bytes([sealed[-1] ^ 1]), slot, progress)

    real = rotation.updates.stage
    monkeypatch.setattr(rotation.updates, "stage", stage)
    found = rotate()
    assert (found.status, "AUTHENTICATION" in found.error) == (3, True)
    assert [status(tinyseal)[name] for name in ("key_check", "signer")] == [before["key_check"], before["signer"]]
    assert classifies(tinyseal, shared)


@pytest.mark.parametrize("cut", [1, 20, 40, 60, 80])
def test_a_power_cut_in_the_middle(tinyseal, deploy, rotate, shared, here, cut):
    """Whatever was written by then, the board classifies, and the same command again ends the work."""
    assert deploy(1).status == 0
    folders = [api.Keys(shared / "keys"), api.Keys(shared / "stranger")]
    with VirtualBoard(here / "board", cut=(cut, "half")) as board:
        try:
            with api.Board(board.port) as opened:
                opened.rotate(*folders)
            came_to_its_end = True
        except BoardError:
            came_to_its_end = False
    writes = int.from_bytes((here / "board" / "writes").read_bytes(), "little")
    assert came_to_its_end == (writes < cut)
    assert classifies(tinyseal, shared)
    found = rotate("--json")
    assert found.status == 0
    assert classifies(tinyseal, shared)
    assert status(tinyseal)["signer"].startswith(found.json["signer"])
