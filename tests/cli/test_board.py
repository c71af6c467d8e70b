"""The commands that talk to a board, on virtual ones: what arrives there, what is refused, what is said."""

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from tinyseal_host.example import expected_outputs
from tinyseal_host.sim import VirtualBoard

TINYSEAL = Path(sys.executable).with_name("tinyseal")
PROVISIONED = {"package": "0.1.0", "key_source": "nvs", "floor": 0, "active": 0, "slots": [None, None], "counts": None}


@pytest.fixture
def deploy(tinyseal, shared):
    """Deploy the example to the board whose state is in `board`."""

    def run(version, *more, keys="keys"):
        folder = shared
        return tinyseal(
            f"deploy --port sim --state board --version {version} --keys",
            *(folder / keys, "--contract", folder / "motion.toml", folder / "motion.tflite", *more),
        )

    return run


@pytest.fixture
def seal(tinyseal, shared):
    """Seal a release for the board in `board`; the file."""

    def run(name, release, *, keys="station", device=None, more=()):
        device = device or tinyseal("status --port sim --state board --json").json["device_id"]
        assert tinyseal(f"seal --device {device} -o {name} --keys", shared / keys, release, *more).status == 0
        return name

    return run


def test_status_of_a_new_board(tinyseal, here):
    found = tinyseal("status --port sim --state board")
    assert (found.status, found.err) == (0, "")
    assert "VIRTUAL, MicroPython 1." in found.out
    assert "tinyseal is not on it" in found.out
    about = tinyseal("status --port sim --state board --json").json
    assert (about["package"], about["architecture"], about["board"]) == (None, "x64", "VIRTUAL")
    assert found.out.startswith(f"board {about['device_id']}: ")


def test_provision_twice_sends_nothing_again(tinyseal, shared, here):
    first = tinyseal("provision --port sim --state board --json --keys", shared / "keys").json
    again = tinyseal("provision --port sim --state board --json --keys", shared / "keys").json
    assert (first["kept"], again["sent"], again["removed"]) == (0, 0, 0)
    assert first["sent"] == again["kept"] > 10
    status = tinyseal("status --port sim --state board --json").json
    assert {key: status[key] for key in PROVISIONED} == PROVISIONED
    assert "key source     nvs" in tinyseal("status --port sim --state board").out


def test_provision_repairs_and_removes(tinyseal, shared, here):
    """A damaged file, one that is no longer part, and one that would be imported before ours."""
    assert tinyseal("provision --port sim --state board --keys", shared / "keys").status == 0
    with VirtualBoard(here / "board") as board:
        code = (
            "for name, mode in (('net.mpy', 'ab'), ('old.mpy', 'wb'), ('gcm.py', 'wb')):\n"
            "    with open('/lib/tinyseal/' + name, mode) as file:\n        file.write(b'x')"
        )
        subprocess.run([TINYSEAL.with_name("mpremote"), "connect", board.port, "exec", code], check=True)
    found = tinyseal("provision --port sim --state board --json --keys", shared / "keys").json
    assert (found["sent"], found["removed"]) == (1, 2)
    assert tinyseal("provision --port sim --state board --json --keys", shared / "keys").json["sent"] == 0


def test_deploy_infer_status(tinyseal, deploy, shared, here):
    found = deploy(1)
    assert (found.status, found.err) == (0, "")
    assert found.out.endswith("motion, version 1: opened and self-tested on the board, active in slot a\n")

    found = tinyseal("infer --port sim --state board -o out.csv", shared / "frames.npy")
    assert (found.status, found.err) == (0, "")
    assert "40 frames, 40 accepted" in found.out
    with open("out.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["frame", "status", "reason", "top", "label", *(f"score_{i}" for i in range(4))]
    assert [[int(row[f"score_{i}"]) for i in range(4)] for row in rows] == expected_outputs().tolist()
    assert [int(row["top"]) for row in rows] == expected_outputs().argmax(axis=1).tolist()
    labels = ["standing", "running", "walking", "badminton"]
    assert [row["label"] for row in rows] == [labels[int(row["top"])] for row in rows]
    assert {(row["status"], row["reason"]) for row in rows} == {("0", "ok")}
    assert [row["frame"] for row in rows] == [str(i) for i in range(40)]

    status = tinyseal("status --port sim --state board --json").json
    assert (status["floor"], status["active"]) == (1, 1)
    assert status["slots"][0]["version"] == 1


def test_updates_alternate_between_the_slots(tinyseal, deploy, shared, here):
    slots = [deploy(version, "--json").json["slot"] for version in (1, 2, 2, 3)]
    assert slots == ["a", "b", "a", "b"]
    tinyseal("infer --port sim --state board", shared / "frames.npy")
    assert tinyseal("status --port sim --state board --json").json["floor"] == 3


def test_refused_frames_are_named_and_counted(tinyseal, deploy, shared, here):
    assert deploy(1).status == 0
    frames = np.load(shared / "frames.npy")[:6]
    frames[1, 5], frames[2, 7], frames[3, :240], frames[4, 9] = np.nan, 1e9, 0, np.inf
    np.savetxt("frames.csv", frames, delimiter=",", fmt="%.9g")
    found = tinyseal("infer frames.csv --port sim --state board")
    assert found.status == 0
    rows = list(csv.reader(found.out.splitlines()))[1:]
    assert [row[2] for row in rows] == ["ok", "nan", "range", "zeros", "nan", "ok"]
    assert rows[1] == ["1", "2", "nan", "", "", "", "", "", ""]
    assert [int(v) for v in rows[5][5:]] == expected_outputs()[5].tolist()
    about = tinyseal("infer frames.csv --port sim --state board --json").json
    assert about["counts"] == {"OK": 2, "SIZE": 0, "NAN": 2, "RANGE": 1, "ZEROS": 1}
    np.save("short.npy", frames[:, :-1])
    found = tinyseal("infer short.npy --port sim --state board -o short.csv")
    assert "6  refused: size" in found.out
    assert Path("short.csv").read_text().splitlines()[:2] == [
        "frame,status,reason,top,label,score_0,score_1,score_2,score_3",
        "0,1,size,,,,,,",
    ]


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


def test_keys_in_a_file_are_for_development_and_say_so(tinyseal, deploy, shared, here):
    found = deploy(1, "--key-source", "file")
    assert found.status == 0
    assert "for development only" in found.err
    for line in ("status --port sim --state board",):
        assert "for development only" in tinyseal(line).err
    assert tinyseal("status --port sim --state board --json").json["key_source"] == "file"
    assert "40 accepted" in tinyseal("infer --port sim --state board -o out.csv", shared / "frames.npy").out
    refused = tinyseal("provision --port sim --state board --keys", shared / "keys")
    assert refused.status == 1
    assert refused.hint == "--key-source file"


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
    assert tinyseal("provision --replace --port sim --state board --keys", mixed).status == 0
    assert "AUTHENTICATION" in tinyseal("infer --port sim --state board", shared / "frames.npy").error


def test_no_model_yet(tinyseal, shared, here):
    assert tinyseal("provision --port sim --state board --keys", shared / "keys").status == 0
    found = tinyseal("infer --port sim --state board", shared / "frames.npy")
    assert found.status == 1
    assert "NO_MODEL" in found.error


def test_a_heap_that_is_too_small_is_said(tinyseal, deploy, shared, here):
    assert deploy(1).status == 0
    found = tinyseal("infer --port sim --state board --heap 64", shared / "frames.npy")
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


def test_esp_port_names_the_board(tinyseal, here, monkeypatch):
    monkeypatch.setenv("ESPPORT", "sim")
    found = tinyseal("status")
    assert found.status == 0
    assert "forgotten at the end" in found.err


def test_wrong_frames_are_refused_before_a_board_is_asked(tinyseal, here):
    np.save("int.npy", np.zeros((2, 600), np.int16))
    np.save("flat.npy", np.zeros(600, np.float32))
    Path("bad.csv").write_text("1,2,3\n4,five,6\n")
    Path("ragged.csv").write_text("1,2,3\n4,5\n")
    Path("note.npy").write_text("hello")
    np.save("empty.npy", np.zeros((0, 600), np.float32))
    np.save("objects.npy", np.array([[None]], object))
    head = b"{'descr': '<f4', 'fortran_order': False, 'shape': (100000000000, 1000), }".ljust(117) + b"\n"
    Path("huge.npy").write_bytes(b"\x93NUMPY\x01\x00v\x00" + head)
    for name, said in (
        ("int.npy", "holds int16, wanted float32"),
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


def test_sim_prints_its_port_and_other_commands_find_it(tinyseal, shared, here):
    process = subprocess.Popen(
        [TINYSEAL, "sim", "--state", "board"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        port = process.stdout.readline().strip()
        code = "import os; print(os.listdir())"
        done = subprocess.run(
            [TINYSEAL.with_name("mpremote"), "connect", port, "exec", code], capture_output=True, text=True, check=True
        )
        assert "boot.py" in done.stdout
        same = [tinyseal(f"status --port {where} --json").json["device_id"] for where in (port, "sim --state board")]
        assert same[0] == same[1]
        assert tinyseal("status --port sim --state board --heap 400").status == 2
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(20)
    assert process.returncode == 0
    assert "Ctrl-C" in process.stderr.read()
    process.stdout.close()
    process.stderr.close()


def test_status_reads_the_counters_of_the_program_that_runs(tinyseal, deploy, shared, here):
    """The example application, on good frames and one that is out of range."""
    assert deploy(1).status == 0
    frames = np.load(shared / "frames.npy")[:5]
    frames[2, 0] = 1e6
    frames.tofile("frames.bin")
    program = Path(__file__).parents[2] / "firmware" / "main.py"
    with VirtualBoard(here / "board") as board:
        mpremote = [TINYSEAL.with_name("mpremote"), "connect", board.port]
        subprocess.run([*mpremote, "fs", "cp", "frames.bin", ":frames.bin"], check=True, capture_output=True)
        subprocess.run([*mpremote, "fs", "cp", program, ":main.py"], check=True, capture_output=True)
        subprocess.run([*mpremote, "soft-reset"], check=True, capture_output=True)
        done = subprocess.run([*mpremote, "resume", "run", program], check=True, capture_output=True, text=True)
        assert done.stdout.splitlines()[:3] == ["standing 107", "standing 114", "refused: RANGE"]
        counts = tinyseal(f"status --port {board.port} --json").json["counts"]
    assert counts == {"OK": 4, "SIZE": 0, "NAN": 0, "RANGE": 1, "ZEROS": 0}


def test_the_program_on_the_board_runs_again_after_a_command(tinyseal, here):
    """`status` interrupts main.py, and leaves a board behind on which it runs."""
    with VirtualBoard(here / "board") as board:
        mpremote = [TINYSEAL.with_name("mpremote"), "connect", board.port]
        (here / "main.py").write_text(
            "import time\nn = open('runs', 'a')\nn.write('x')\nn.close()\nwhile True:\n    time.sleep(0.01)\n"
        )
        subprocess.run([*mpremote, "fs", "cp", "main.py", ":main.py"], check=True, capture_output=True)
        for _ in range(2):
            assert tinyseal(f"status --port {board.port}").status == 0
            time.sleep(0.5)
        done = subprocess.run(
            [*mpremote, "resume", "exec", "print(len(open('runs').read()))"], capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == "2"
