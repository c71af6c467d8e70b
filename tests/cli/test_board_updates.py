"""What becomes of an update that is cut, undone, or does not open; other versions of the package; the end of it all."""

import os
import time
from pathlib import Path

import pytest
from firmware_sources import modules
from tinyseal_host.board import installing, updates
from tinyseal_host.board.transport import connect
from tinyseal_host.errors import BoardError
from tinyseal_host.sim import Fault, VirtualBoard, running_port


def on_board(here, code):
    with VirtualBoard(here / "board") as board, connect(board.port) as link:
        return link.run(code)


def state(tinyseal):
    found = tinyseal("status --port sim --state board --json").json
    return found["floor"], found["active"], found["fallback"]


def test_an_update_is_undone_until_its_model_has_opened(tinyseal, deploy, shared, here):
    assert "NO_KEY" not in deploy(1).err
    tinyseal("infer --port sim --state board", shared / "frames.npy")
    assert deploy(2).status == 0
    for _ in range(2):  # again changes nothing
        back = tinyseal("rollback --port sim --state board --json")
        assert (back.status, back.json["version"], back.json["slot"]) == (0, 1, "a")
        assert state(tinyseal) == (1, 1, None)
    again = deploy(2)
    assert again.status == 0
    tinyseal("infer --port sim --state board", shared / "frames.npy")
    refused = tinyseal("rollback --port sim --state board")
    assert (refused.status, "ROLLBACK" in refused.error) == (3, True)
    assert "has opened" in refused.hint
    assert state(tinyseal)[:2] == (2, 2)


@pytest.mark.parametrize("deployed", [0, 1])
def test_there_is_nothing_to_go_back_to(tinyseal, deploy, shared, here, deployed):
    if deployed:
        assert deploy(1).status == 0
    else:
        assert tinyseal("provision --port sim --state board --keys", shared / "keys").status == 0
    refused = tinyseal("rollback --port sim --state board")
    assert (refused.status, "NO_MODEL" in refused.error) == (1, True)


def test_a_model_that_does_not_open_gives_way_and_status_says_why(tinyseal, deploy, shared, here):
    assert deploy(1).status == deploy(2).status == 0
    on_board(here, "with open('/seal/b.seal', 'r+b') as f:\n    f.seek(5000)\n    f.write(b'other')")
    assert state(tinyseal) == (0, 2, None)
    found = tinyseal("infer --port sim --state board --json", shared / "frames.npy")
    assert (found.status, found.json["version"]) == (0, 1)
    assert state(tinyseal) == (1, 1, {"slot": 2, "code": "AUTHENTICATION"})
    assert "fallback       slot b did not open: AUTHENTICATION" in tinyseal("status --port sim --state board").out
    assert deploy(2).status == 0
    assert state(tinyseal) == (1, 2, None)


def test_what_is_in_a_slot_is_not_sent_again(tinyseal, deploy, seal, shared, here):
    assert deploy(1).status == 0
    seal("m.seal", shared / "motion.tsm")
    sealed = Path("m.seal").read_bytes()
    steps = []
    for _ in range(2):
        with VirtualBoard(here / "board") as board, connect(board.port) as link:
            assert updates.push(link, sealed, lambda done, total: steps.append(done)).slot == "b"
    assert steps.count(len(sealed)) == 1
    with VirtualBoard(here / "board") as board, connect(board.port) as link:
        assert updates.rollback(link).version == 1
        assert updates.push(link, sealed, lambda *_: pytest.fail("sent again")).slot == "b"


def test_an_upload_that_is_not_what_was_sent_is_not_opened(tinyseal, deploy, seal, shared, here):
    """Nor sent on from there: the next one begins anew."""
    assert deploy(1).status == 0
    sealed = Path(seal("m.seal", shared / "motion.tsm")).read_bytes()
    append = "f = open('/seal/new.part', 'ab')\nf.write('x')\nf.close()"
    with VirtualBoard(here / "board") as board:
        with connect(board.port) as link, pytest.raises(BoardError, match="not what was sent") as failed:
            updates.push(link, sealed, lambda done, total: done == total and link.run(append))
        assert "try again" in failed.value.hint
        assert state(tinyseal) == (0, 1, None)
        with connect(board.port) as link:
            assert updates.push(link, sealed).slot == "b"


@pytest.mark.parametrize("what", ["cable", "power", "other bytes"])
def test_an_upload_that_was_cut_goes_on_where_it_stopped(tinyseal, deploy, seal, shared, here, what):
    """Behind all that has arrived, or behind the last flush before the power went; what is of another file goes."""
    assert deploy(1).status == 0
    sealed = Path(seal("m.seal", shared / "motion.tsm")).read_bytes()
    fault = {"cut": (85, "half")} if what == "power" else {"cable": (12_500, Fault.DROP)}
    with VirtualBoard(here / "board", **fault) as board:
        with pytest.raises(BoardError), connect(board.port) as link:
            updates.push(link, sealed)
        if what != "power":
            while running_port(here / "board") in (None, board.port):
                time.sleep(0.01)
            with connect(running_port(here / "board")):
                pass  # a reset closes the file
    if what == "other bytes":
        on_board(here, "with open('/seal/new.part', 'r+b') as f: f.write(b'x')")
    size = int(on_board(here, "import os; print(os.stat('/seal/new.part')[6])"))
    assert 8192 <= size < len(sealed)
    steps = []
    with VirtualBoard(here / "board") as board, connect(board.port) as link:
        updates.push(link, sealed, lambda done, total: steps.append(done))
    began = 0 if what == "other bytes" else size
    assert steps[0] == min(began + 4096, len(sealed))
    assert steps[-1] == len(sealed)
    assert tinyseal("status --port sim --state board --json").json["active"] == 2


@pytest.mark.parametrize("fault", Fault)
def test_a_cable_that_fails_ends_the_command_in_time(tinyseal, deploy, seal, shared, here, fault):
    """In the middle of the upload, at a real port: exit status 4 and a hint, and the same again succeeds."""
    assert deploy(1).status == 0
    seal("m.seal", shared / "motion.tsm")
    with VirtualBoard(here / "board", cable=(8000, fault)) as board:
        began = time.monotonic()
        found = tinyseal(f"push m.seal --port {board.port}")
        assert (found.status, found.hint is not None) == (4, True), found.err
        assert time.monotonic() - began < 60
    assert tinyseal("push m.seal --port sim --state board").status == 0


def test_room_is_looked_at_before_anything_is_written(tinyseal, deploy, seal, shared, here):
    assert deploy(1).status == 0
    seal("m.seal", shared / "motion.tsm")
    on_board(
        here,
        "import os\nwith open('/big', 'wb') as f:\n"
        "    while os.statvfs('/')[3] > 4:\n        f.write(bytes(4096))\n        f.flush()",
    )
    refused = tinyseal("push m.seal --port sim --state board")
    assert (refused.status, "free on the filesystem" in refused.error) == (1, True)
    assert "mpremote" in refused.hint
    assert "new.part" not in on_board(here, "import os; print(os.listdir('/seal'))")


def test_the_protocol_is_the_board_s():
    assert f"\nPROTOCOL = {installing.PROTOCOL}\n" in modules("x64")["remote"]


@pytest.mark.parametrize(("source", "said", "hint"), [
    ("", "older, it speaks protocol 0", "tinyseal provision"),
    ("PROTOCOL = 99", "newer, it speaks protocol 99", "pip install --upgrade"),
])  # fmt: skip
def test_another_protocol_is_told_with_what_to_do(tinyseal, deploy, shared, here, source, said, hint):
    assert deploy(1).status == 0
    on_board(here, f"with open('/lib/tinyseal/remote.py', 'w') as f: f.write({source!r})")
    lines = ["status", "rollback", f"infer {shared / 'frames.npy'}"]
    if "newer" in said:
        lines.append(f"provision --keys {shared / 'keys'}")
    for line in lines:
        found = tinyseal(f"{line} --port sim --state board")
        assert (found.status, said in found.error, found.hint.startswith(hint)) == (1, True, True)
    if "older" in said:
        assert tinyseal(f"provision --keys {shared / 'keys'} --port sim --state board --json").json["removed"] == 1
        assert "40 accepted" in tinyseal("infer --port sim --state board -o out.csv", shared / "frames.npy").out


def test_wipe_leaves_nothing_of_ours(tinyseal, deploy, shared, here, monkeypatch):
    assert deploy(3).status == 0
    tinyseal("infer --port sim --state board", shared / "frames.npy")
    found = tinyseal("wipe --port sim --state board")
    assert (found.status, found.hint) == (2, "--yes")
    assert state(tinyseal) == (3, 1, None)
    for _ in range(2):  # of nothing, too
        assert tinyseal("wipe --yes --port sim --state board").status == 0
        assert tinyseal("status --port sim --state board --json").json["package"] is None
        assert on_board(here, "import os; print(os.listdir('/'), os.listdir('/lib'))").split("\r")[0] == (
            "['boot.py', 'lib'] []"
        )
    assert (here / "board" / "nvs.bin").read_bytes() == b"NVS1"
    assert deploy(1).status == 0


def test_what_takes_something_away_asks_at_a_terminal(tinyseal, deploy, shared, here, monkeypatch):
    """Keys first, for what is wiped has none to be replaced; the registry forgets what is gone."""
    assert deploy(1).status == 0
    stranger = shared / "stranger"
    for line in (f"provision --replace --keys {stranger}", f"wipe --keys {stranger}"):
        before = tinyseal("status --port sim --state board --json").json
        for answer, status in (("no\n", 1), ("\n", 1), ("y\n", 0)):
            controller, terminal = os.openpty()
            with open(terminal) as stdin:
                os.write(controller, answer.encode())
                monkeypatch.setattr("sys.stdin", stdin)
                found = tinyseal(f"{line} --port sim --state board")
            os.close(controller)
            assert (found.status, "[y/N]" in found.err) == (status, True)
            after = tinyseal("status --port sim --state board --json").json
            assert (after.get("signer") != before["signer"]) == (not status)
    assert after["package"] is None
    (known,) = tinyseal("boards --json", stranger).json["boards"]
    assert known["board"] == "VIRTUAL"
    assert not {"key_source", "signer", "package", "version"} & known.keys()


def test_nothing_is_sent_to_a_board_that_has_the_package_frozen(tinyseal, deploy, shared, here):
    """No virtual board can freeze one: it is imported by a path of its own, as a frozen one has."""
    assert deploy(1).status == 0
    with VirtualBoard(here / "board") as board, connect(board.port) as link:
        link.run("import uos\nuos.mkdir('/f')\nuos.rename('/lib/tinyseal', '/f/tinyseal')")
        link.run("f = open('/boot.py', 'w')\nf.write('import sys; sys.path.insert(0, \"f\")')\nf.close()")
    found = tinyseal("provision --port sim --state board --json --keys", shared / "keys")
    assert (found.status, found.json["sent"]) == (0, 0)
    doctor = tinyseal("doctor --port sim --state board --json").json
    assert doctor["exit_status"] == 0
    assert doctor["posture"]["package"] == "frozen"
    assert {"check": "package", "found": "frozen into the firmware"} in doctor["checks"]
