"""One command on several boards: all at once, each told for itself, and the worst of their exit statuses."""

import contextlib
import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest
from tinyseal_host.example import expected_outputs
from tinyseal_host.sim import VirtualBoard

TINYSEAL = Path(sys.executable).with_name("tinyseal")
BOTH = "--port sim --port sim --state a --state b"
MISSING = "/dev/ttyNONE7"


def objects(found):
    """The JSON objects, one a line, and nothing else."""
    return [json.loads(line) for line in found.out.splitlines()]


def rows(text):
    """A table's rows by its head, cells split at two blanks or more."""
    head, *lines = [re.split(r"  +", line.strip()) for line in text.splitlines()]
    return [dict(zip(head, line, strict=True)) for line in lines]


@pytest.fixture
def deploy_to(tinyseal, shared):
    """Deploy the example to what the words name."""

    def run(where, version=1, *more):
        line = f"deploy {where} --version {version} --keys"
        return tinyseal(line, shared / "keys", "--contract", shared / "motion.toml", shared / "motion.tflite", *more)

    return run


def test_two_boards_and_one_table(tinyseal, deploy_to, shared, here):
    found = deploy_to(BOTH)
    assert (found.status, found.err) == (0, "")
    first, second = rows(found.out)
    assert first == {
        "at": "sim a", "board": first["board"], "model": "motion, version 1", "slot": "a", "outcome": "ok"
    }  # fmt: skip
    assert (second["at"], second["outcome"]) == ("sim b", "ok")
    assert first["board"] != second["board"]

    ids = [status["device_id"] for status in objects(tinyseal(f"status {BOTH} --json"))]
    assert ids == [first["board"], second["board"]]
    remembered = tomllib.loads((shared / "keys" / "boards.toml").read_text())
    assert [remembered[device_id]["version"] for device_id in ids] == [1, 1]

    assert tinyseal(f"infer {BOTH} -o out", shared / "frames.npy").status == 0
    for device_id in ids:
        lines = (here / "out" / f"{device_id}.csv").read_text().splitlines()[1:]
        assert [[int(value) for value in line.split(",")[-4:]] for line in lines] == expected_outputs().tolist()


def test_a_bad_board_does_not_stop_the_others(tinyseal, deploy_to, here):
    found = deploy_to(f"--port {MISSING} --port sim --state b")
    assert found.status == 4
    bad, good = rows(found.out)
    assert (bad["at"], bad["outcome"], good["outcome"]) == (MISSING, "failed, 4", "ok")
    assert found.error.startswith(f"{MISSING}: ")
    assert tinyseal("status --port sim --state b --json").json["active"] == 1


def test_the_worst_status_counts(deploy_to, here):
    assert deploy_to("--port sim --state a", 5).status == 0
    refused = deploy_to(BOTH, 2)
    assert refused.status == 3
    assert "sim a: " in refused.error
    assert [row["outcome"] for row in rows(refused.out)] == ["failed, 3", "ok"]
    worse = deploy_to(f"{BOTH} --port {MISSING}", 2, "--json")
    assert worse.status == 4
    first, second, third = objects(worse)
    assert (first["exit_status"], first["code"], first["state"]) == (3, "ROLLBACK", "a")
    assert (second["version"], second["port"], second["state"]) == (2, "sim", "b")
    assert (third["exit_status"], third["port"]) == (4, MISSING)
    assert "no such file" in third["error"]


def test_a_failure_of_one_board_is_one_object(tinyseal, here):
    found = tinyseal(f"status --port {MISSING} --json")
    assert (found.status, found.json["exit_status"]) == (4, 4)
    assert found.json["hint"] == found.hint


def test_the_wrong_board_is_left_alone(tinyseal, deploy_to, here):
    device_id = tinyseal("status --port sim --state a --json").json["device_id"]
    with_colons = ":".join(re.findall("..", device_id))
    wrong = deploy_to("--port sim --state a --device 0102030405ff")
    assert wrong.status == 4
    assert f"board {device_id} answers, wanted 0102030405ff" in wrong.error
    assert wrong.hint
    assert tinyseal("status --port sim --state a --json").json["package"] is None
    assert deploy_to(f"--port sim --state a --device {with_colons}").status == 0
    found = deploy_to(f"{BOTH} --device {device_id}", 2)
    assert (found.status, [row["outcome"] for row in rows(found.out)]) == (4, ["ok", "failed, 4"])
    assert tinyseal("status --port sim --state a --device 0g").status == 2


def test_two_boards_that_say_they_are_the_same(tinyseal, here):
    tinyseal("status --port sim --state a")
    shutil.copytree("a", "b")
    found = tinyseal(f"status {BOTH}")
    assert found.status == 4
    assert "as sim a does" in found.error


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("status", "no board named"),
        ("status --port sim --port sim --state a", "--port sim 2 times and --state 1 times"),
        ("status --port sim --port sim --state a --state a", "sim a is named twice"),
        (f"status --port {MISSING} --port {MISSING}", "named twice"),
        (f"status --port {MISSING} --state a", "belong to --port sim"),
        ("status --port telnet://here:1", "wanted socket://HOST:PORT or rfc2217://HOST:PORT"),
        ("status --port socket://here", "wanted socket://HOST:PORT"),
        ("wipe --port sim --port sim --state a --state b", "several boards to wipe"),
        ("provision --replace --keys k --port sim --port sim --state a --state b", "several boards to replace"),
    ],
)
def test_command_lines_that_cannot_be_meant(tinyseal, here, line, said):
    found = tinyseal(line)
    assert (found.status, said in found.error) == (2, True), found.err
    assert not list(here.iterdir())


def test_all_without_any(tinyseal, here, monkeypatch):
    monkeypatch.setattr("tinyseal_host.board.ports.list_devices", list)
    found = tinyseal("status --port all")
    assert (found.status, found.error) == (4, "no board on USB")
    assert found.hint


def test_all_is_every_board_on_usb(tinyseal, here, monkeypatch):
    with VirtualBoard(here / "a") as first, VirtualBoard(here / "b") as second:
        monkeypatch.setattr("tinyseal_host.board.ports.list_devices", lambda: [first.port, second.port])
        found = tinyseal("status --port all")
        assert [row["at"] for row in rows(found.out)] == [first.port, second.port]
        assert tinyseal("status --port auto").status == 4
        monkeypatch.setattr("tinyseal_host.board.ports.list_devices", lambda: [second.port])
        assert [row["at"] for row in rows(tinyseal("status --port all").out)] == [second.port]
        assert tinyseal("status --port auto --json").json["device_id"] == rows(found.out)[1]["board"]


def on_a_terminal(words, folder):
    """What the command writes to a terminal of 100 columns, and its exit status."""
    pid, master = pty.fork()
    if not pid:
        os.chdir(folder)
        os.execve(TINYSEAL, [str(TINYSEAL), *words], {**os.environ, "TERM": "xterm", "COLUMNS": "100"})
    output = b""
    while select.select([master], [], [], 60)[0]:
        try:
            data = os.read(master, 65536)
        except OSError:  # EIO: it has ended
            break
        if not data:
            break
        output += data
    os.close(master)
    return output.decode(), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_a_line_for_each_board_on_a_terminal_and_no_colour_elsewhere(shared, here):
    words = [
        "deploy", str(shared / "motion.tflite"), "--contract", str(shared / "motion.toml"), "--version", "1",
        "--keys", str(shared / "keys"), *BOTH.split(),
    ]  # fmt: skip
    shown, status = on_a_terminal(words, here)
    assert status == 0
    assert "\x1b[" in shown
    for state in ("a", "b"):
        assert re.search(rf"sim {state}.*firmware", shown)
    piped = subprocess.run([TINYSEAL, *words], capture_output=True, text=True, check=True, cwd=here)
    assert "\x1b" not in piped.stdout + piped.stderr


def has_open(pid):
    """The files that a process has open."""
    found = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            found.add(os.readlink(link))
    return found


def test_ctrl_c_ends_all_of_them_and_leaves_the_boards_running(tinyseal, deploy_to, shared, here):
    """The boards count their starts: the last one is that after the command."""
    assert deploy_to(BOTH).status == 0
    with VirtualBoard(here / "a") as first, VirtualBoard(here / "b") as second:
        for board in (first, second):
            program = "n = open('/runs', 'a')\nn.write('x')\nn.close()\nwhile True: pass\n"
            (here / "main.py").write_text(program)
            mpremote = [TINYSEAL.with_name("mpremote"), "connect", board.port]
            subprocess.run([*mpremote, "fs", "cp", "main.py", ":main.py"], check=True, capture_output=True)
        frames = here / "many.csv"
        frames.write_text("1.5," * 599 + "1.5\n")
        frames.write_text(frames.read_text() * 3000)
        process = subprocess.Popen(
            [TINYSEAL, "infer", frames, "--port", first.port, "--port", second.port],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        while not {first.port, second.port} <= has_open(process.pid):
            assert process.poll() is None
            time.sleep(0.1)
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
        assert (process.returncode, out, err) == (130, "", "tinyseal: error: interrupted\n")
        time.sleep(3)  # both boot
        for board in (first, second):
            done = subprocess.run(
                [
                    TINYSEAL.with_name("mpremote"),
                    "connect",
                    board.port,
                    "resume",
                    "exec",
                    "print(open('/runs').read())",
                ],
                capture_output=True,
                text=True,
                check=True,
            )
            assert done.stdout.strip() == "x"
