"""What `tinyseal doctor` finds on virtual boards that something is wrong with."""

import pytest
from tinyseal_host.board.transport import connect
from tinyseal_host.sim import VirtualBoard

LINE = "doctor --port sim --state board"
SOUND = ["connection", "MicroPython", "filesystem", "package", "store", "keys", "model", "opening"]


def problems(found):
    """The checks that failed, by name."""
    return {check["check"]: check for check in found.json["checks"] if "error" in check}


def run(here, code):
    with VirtualBoard(here / "board") as board, connect(board.port) as link:
        link.run(code)


def test_a_sound_board(tinyseal, deploy, shared, here):
    assert deploy(1).status == 0
    found = tinyseal(f"{LINE} --keys", shared / "keys")
    assert (found.status, found.err) == (0, "")
    checks, posture = found.out.split("\n\n")
    assert [line.split()[:2] for line in checks.splitlines()] == [["ok", name] for name in SOUND]
    assert dict(line.split(None, 1) for line in posture.splitlines())["REPL"].startswith("open, it answers")
    about = tinyseal(f"{LINE} --json")
    assert (about.status, problems(about), about.json["exit_status"]) == (0, {}, 0)
    assert about.json["device_id"] == tinyseal("status --port sim --state board --json").json["device_id"]


def test_a_new_board_and_one_without_a_model(tinyseal, shared, here):
    found = tinyseal(f"{LINE} --json")
    assert (found.status, list(problems(found))) == (1, ["package"])
    assert problems(found)["package"]["hint"].startswith("tinyseal provision")
    assert tinyseal("provision --port sim --state board --keys", shared / "keys").status == 0
    found = tinyseal(f"{LINE} --json")
    assert (found.status, list(problems(found))) == (1, ["model"])
    assert "hint: tinyseal deploy" in tinyseal(LINE).out


CHANGES = {
    "package": ("open('/lib/tinyseal/old.mpy', 'w').close()", "1 files of /lib/tinyseal", 1),
    "filesystem": ("open('/tinyseal.py', 'w').close()", "imported before the package", 1),
    "opening": (
        "f = open('/seal/a.seal', 'r+b')\nf.seek(500)\nb = f.read(1)[0]\nf.seek(500)\n"
        "f.write(bytes([b ^ 1]))\nf.close()",
        "AUTHENTICATION",
        3,
    ),
    "model": ("import os; os.remove('/seal/a.seal')", "slot a is empty", 1),
    "keys": ("from esp32 import NVS; n = NVS('tinyseal'); n.erase_key('signer'); n.commit()", "no keys", 1),
}


@pytest.mark.parametrize("check", CHANGES)
def test_what_is_wrong_is_found_and_nothing_else(tinyseal, deploy, here, check):
    code, said, status = CHANGES[check]
    assert deploy(1).status == 0
    run(here, code)
    found = tinyseal(f"{LINE} --json")
    assert check in problems(found), found.json
    assert said in problems(found)[check]["error"]
    assert found.status >= status


def test_a_full_filesystem_is_said_by_doctor_and_by_commands(tinyseal, deploy, shared, here):
    assert tinyseal("provision --port sim --state board --keys", shared / "keys").status == 0
    fill = """
for size in (65536, 4096):
    try:
        for number in range(100):
            with open('/%d-%d' % (size, number), 'wb') as file: file.write(bytes(size))
    except OSError: pass
"""
    run(here, fill)
    found = tinyseal(f"{LINE} --json")
    assert "free" in problems(found)["filesystem"]["error"]
    refused = deploy(1)
    assert (refused.status, "filesystem" in refused.error) == (1, True), refused.err
    assert "mpremote fs rm" in refused.hint


def test_other_keys_are_found(tinyseal, deploy, shared, here):
    assert deploy(1).status == 0
    found = tinyseal(f"{LINE} --json --keys", shared / "stranger")
    assert (found.status, list(problems(found))) == (1, ["keys"])
    assert "the board has signer" in problems(found)["keys"]["error"]


def test_several_boards(tinyseal, deploy, here):
    assert deploy(1).status == 0
    found = tinyseal("doctor --port sim --port sim --state board --state new")
    assert found.status == 1
    assert [line.split()[-1] for line in found.out.splitlines()[1:]] == ["ok", "1"]


def test_no_board_at_all(tinyseal, here):
    found = tinyseal("doctor --port /dev/ttyNONE7")
    assert found.status == 4
    assert found.out.startswith("problem  connection ")
    assert "hint: found: " in found.out
