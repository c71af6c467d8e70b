"""What the commands for a board refuse, and what they say when there is none."""

import os
import time
from pathlib import Path

import numpy as np
import pytest


@pytest.mark.parametrize(
    ("what", "code"),
    [("altered", "AUTHENTICATION"), ("other board", "WRONG_BOARD"), ("old", "ROLLBACK"), ("stranger", "SIGNATURE"),
     ("other source", "NO_KEY"), ("stranger's seal", "AUTHENTICATION")],
)  # fmt: skip
def test_what_the_board_refuses(tinyseal, deploy, seal, shared, here, what, code):
    assert deploy(2).status == 0
    tinyseal("infer --port sim --state board", shared / "frames.npy")  # the floor is 2 from here on
    if what in ("old", "stranger"):
        owner, version = ("keys", 1) if what == "old" else ("stranger", 3)
        line = f"build --version {version} -o m.tsm --keys"
        assert (
            tinyseal(line, shared / owner, "--contract", shared / "motion.toml", shared / "motion.tflite").status == 0
        )
    release = Path("m.tsm") if what in ("old", "stranger") else shared / "motion.tsm"
    seal(
        "m.seal",
        release,
        keys="other-station" if what == "stranger's seal" else "station",
        device="0102030405" if what == "other board" else None,
        more=("--key-source", "file") if what == "other source" else (),
    )
    data = bytearray(Path("m.seal").read_bytes())
    if what == "altered":
        data[len(data) // 2] ^= 4
    Path("m.seal").write_bytes(data)

    found = tinyseal("push m.seal --port sim --state board")
    assert found.status == 3
    assert code in found.error
    assert tinyseal("push m.seal --port sim --state board --json").json["code"] == code
    status = tinyseal("status --port sim --state board --json").json
    assert (status["floor"], status["active"]) == (2, 1)
    assert "40 accepted" in tinyseal("infer --port sim --state board -o out.csv", shared / "frames.npy").out


@pytest.mark.parametrize("command", ["push m.seal", "infer frames.npy"])
def test_a_board_without_the_package(tinyseal, shared, here, command):
    Path("frames.npy").write_bytes((shared / "frames.npy").read_bytes())
    assert tinyseal("seal --device 07 -o m.seal --keys", shared / "keys", shared / "motion.tsm").status == 0
    found = tinyseal(f"{command} --port sim --state board")
    assert found.status == 1
    assert "no tinyseal on it" in found.error
    assert found.hint.startswith("tinyseal provision")


def test_what_is_no_sealed_file_is_not_sent(tinyseal, shared, here):
    (here / "note.seal").write_text("hello")
    for path in (shared / "motion.tsm", shared / "motion.tflite", "note.seal"):
        found = tinyseal("push --port /dev/ttyNONE7", path)
        assert (found.status, str(path) in found.error, found.hint is not None) == (1, True, True)


def test_an_older_model_does_not_replace_the_active_one(tinyseal, deploy, here):
    """Not even before the newer one was opened from its slot, when the floor is still below both."""
    assert deploy(5).status == 0
    assert tinyseal("status --port sim --state board --json").json["floor"] == 0
    found = deploy(3)
    assert (found.status, "ROLLBACK" in found.error) == (3, True)
    assert deploy(5).status == 0
    status = tinyseal("status --port sim --state board --json").json
    assert status["slots"][status["active"] - 1]["version"] == 5


def test_other_keys_replace_a_board_s_only_when_told_to(tinyseal, deploy, shared, here):
    """The stranger's, and a master key that is not this board's with the right signer."""
    assert deploy(1).status == 0
    mixed = here / "mixed"
    mixed.mkdir()
    for owner, name in (("stranger", "master.key"), ("keys", "signing.key"), ("keys", "signing.pub")):
        (mixed / name).write_bytes((shared / owner / name).read_bytes())
        (mixed / name).chmod(0o600)
    for folder, said in ((shared / "stranger", "the board has signer"), (mixed, "another master key")):
        for found in (tinyseal("provision --port sim --state board --keys", folder), deploy(2, keys=folder)):
            assert (found.status, said in found.error) == (1, True)
            assert "--replace" in found.hint
    assert "40 accepted" in tinyseal("infer --port sim --state board -o out.csv", shared / "frames.npy").out
    assert tinyseal("provision --replace --yes --port sim --state board --keys", mixed).status == 0
    assert "AUTHENTICATION" in tinyseal("infer --port sim --state board", shared / "frames.npy").error


def test_no_model_yet(tinyseal, shared, here):
    assert tinyseal("provision --port sim --state board --keys", shared / "keys").status == 0
    found = tinyseal("infer --port sim --state board", shared / "frames.npy")
    assert found.status == 1
    assert "NO_MODEL" in found.error


def test_a_heap_that_is_too_small_is_said(tinyseal, deploy, shared, here):
    assert deploy(1).status == 0
    found = tinyseal("infer --port sim --state board --heap 96", shared / "frames.npy")
    assert found.status == 1
    assert "MEMORY" in found.error


def test_no_board(tinyseal, shared, here):
    ports = {"/dev/ttyNONE7": "no such file", "/dev/null": "serial port", "socket://127.0.0.1:1": "opened"}
    for port, said in ports.items():
        found = tinyseal(f"status --port {port}")
        assert (found.status, port in found.error, said in found.error) == (4, True, True)
        assert found.hint
    assert tinyseal("status --port sim --state board --json").status == 0
    assert tinyseal("status --port /dev/null --state board").status == 2


def test_a_port_that_does_not_answer(tinyseal, here):
    """A pseudo-terminal with nobody behind it."""
    master, slave = os.openpty()
    try:
        started = time.monotonic()
        found = tinyseal(f"status --port {os.ttyname(slave)}")
        assert time.monotonic() - started < 30
    finally:
        os.close(master)
        os.close(slave)
    assert found.status == 4
    assert "does not answer" in found.error
    assert "reset button" in found.hint


def test_wrong_frames_are_refused_before_a_board_is_asked(tinyseal, here):
    np.save("int.npy", np.zeros((2, 600), np.int32))
    np.save("flat.npy", np.zeros(600, np.float32))
    Path("bad.csv").write_text("1,2,3\n4,five,6\n")
    Path("ragged.csv").write_text("1,2,3\n4,5\n")
    Path("note.npy").write_text("hello")
    np.save("empty.npy", np.zeros((0, 600), np.float32))
    np.save("objects.npy", np.array([[None]], object))
    head = b"{'descr': '<f4', 'fortran_order': False, 'shape': (100000000000, 1000), }".ljust(117) + b"\n"
    Path("huge.npy").write_bytes(b"\x93NUMPY\x01\x00v\x00" + head)
    for name, said in (
        ("int.npy", "holds int32, wanted float32 or int16 or int8 or uint8"),
        ("flat.npy", "(600,)"),
        ("bad.csv", "line 2"),
        ("ragged.csv", "line 2 has 2 values, wanted 3"),
        ("note.npy", "not a whole .npy file"),
        ("huge.npy", "not a whole .npy file"),
        ("objects.npy", "holds Python objects"),
        ("empty.npy", "no frames"),
        ("none.npy", "no such file"),
    ):
        found = tinyseal(f"infer {name} --port /dev/ttyNONE7")
        assert (found.status, name in found.error, said in found.error) == (1, True, True), found.err
