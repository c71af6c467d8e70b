"""The commands that talk to a board, on virtual ones: what arrives there, what is refused, what is said."""

import csv
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from tinyseal_host.example import expected_outputs
from tinyseal_host.sim import VirtualBoard

TINYSEAL = Path(sys.executable).with_name("tinyseal")
PROVISIONED = {"package": "0.1.0", "key_source": "nvs", "floor": 0, "active": 0, "slots": [None, None], "health": None}


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
    assert list(rows[0]) == ["frame", "status", "reason", "channel", "top", "label", *(f"score_{i}" for i in range(4))]
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
    assert rows[1] == ["1", "2", "nan", "5", "", "", "", "", "", ""]
    assert [int(v) for v in rows[5][6:]] == expected_outputs()[5].tolist()
    about = tinyseal("infer frames.csv --port sim --state board --json").json
    assert {name: count for name, count in about["counts"].items() if count} == {
        "OK": 2,
        "NAN": 2,
        "RANGE": 1,
        "ZEROS": 1,
    }
    assert (about["channels"], about["last"], about["last_channel"], about["longest"]) == (
        [0, 1, 0, 1, 0, 1],
        "NAN",
        3,
        4,
    )
    times = [(frame["gate_microseconds"], frame["net_microseconds"]) for frame in about["frames"]]
    assert all(gate >= 0 and (net > 0) == (row[2] == "ok") for (gate, net), row in zip(times, rows, strict=True))
    assert [frame["channel"] for frame in about["frames"]] == [None, 5, 1, None, 3, None]
    np.save("short.npy", frames[:, :-1])
    found = tinyseal("infer short.npy --port sim --state board -o short.csv")
    assert "6  refused: size" in found.out
    assert Path("short.csv").read_text().splitlines()[:2] == [
        "frame,status,reason,channel,top,label,score_0,score_1,score_2,score_3",
        "0,1,size,,,,,,,",
    ]


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


def test_esp_port_names_the_board(tinyseal, here, monkeypatch):
    monkeypatch.setenv("ESPPORT", "sim")
    found = tinyseal("status")
    assert found.status == 0
    assert "forgotten at the end" in found.err


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
        said = dict(re.split(r"  +", line) for line in tinyseal(f"status --port {board.port}").out.splitlines()[1:])
    assert said["last refusal"] == "range in channel 0, at most 1 in a row"
    assert said["counters"] == (
        "ok 4, size 0, nan 0, range 1, zeros 0, saturated 0, flat 0, step 0, mean 0, deviation 0, sensor 0"
        "; channel 0: 1"
    )


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
