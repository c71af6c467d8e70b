"""Every command in README.md is run, in its order, in one folder; what it shows is held against what comes back."""

import json
import re
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest
from documents import BIN, ROOT, blocks, comparable, shell, transcript
from tinyseal_host.board.transport import connect
from tinyseal_host.example import expected_outputs
from tinyseal_host.sim import VirtualBoard

README = (ROOT / "README.md").read_text()
DEVICE = "24dcc3a1b2c4"  # stands for the reader's board, as /dev/ttyACM0 does for its port
STAYS = "tinyseal sim --state board"  # the one command that does not end


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where a reader would be: beside .venv and the firmware."""
    made = tmp_path_factory.mktemp("readme")
    (made / ".venv").symlink_to(BIN.parent)
    shutil.copytree(ROOT / "firmware", made / "firmware")
    return made


def python_block(text):
    """The one that has this in it."""
    (found,) = [block for block in blocks(README, "python") if text in block]
    return found


def test_the_transcript(folder):
    shown_there = transcript(README)
    assert len(shown_there) > 6
    for command, shown in shown_there:
        assert comparable(shell(command, folder)) == comparable(shown), command


def test_the_tasks(folder):
    """A virtual board answers for the reader's; the transcript has made keys and the example before."""
    if not (folder / "keys").exists():
        test_the_transcript(folder)
    commands = "".join(blocks(README, "sh"))
    assert STAYS in commands
    commands = commands.replace(STAYS + "\n", "")
    (folder / "test_motion.py").write_text(python_block("import pytest"))
    with VirtualBoard(folder / "reader") as board:
        status = json.loads(shell(f"tinyseal status --json --port {board.port}", folder))
        script = commands.replace("/dev/ttyACM0", board.port).replace(DEVICE, status["device_id"])
        output = shell("set -eux\n" + script, folder)
    assert "tinyseal: error" not in output
    seen = [line.split(",") for line in (folder / "m.csv").read_text().splitlines()[1:]]
    assert len(seen) > 5
    at = int(seen[0][1])
    replayed = expected_outputs()[at : at + len(seen)].tolist()
    assert [[int(score) for score in row[-1].split()] for row in seen] == replayed
    assert "2 passed, 1 skipped" in output
    assert 'name="board_id" value="' + status["device_id"] in (folder / "report.xml").read_text()
    assert (folder / "again.tsm").read_bytes() == (folder / "motion.tsm").read_bytes()
    rows = [line.split(",")[-4:] for line in (folder / "out.csv").read_text().splitlines()[1:]]
    assert [[int(value) for value in row] for row in rows] == expected_outputs().tolist()


def test_the_program_for_the_board(folder):
    """The Python in the README, twice around its loop, with a frame of the example."""
    if not (folder / "keys").exists():
        test_the_transcript(folder)
    program = python_block("while True:")
    frame = np.load(folder / "frames.npy")[0]
    with VirtualBoard(folder / "board") as board, connect(board.port) as link:
        link.run(f"from array import array\nframe = array('f', {frame.tolist()!r})")
        printed = link.run(program.replace("while True:", "for _ in range(2):"))
    assert printed.split() == ["standing", "107"] * 2


def test_the_program_for_the_host(folder):
    """On a board of its own; the label is that of the example's first frame in its data set."""
    if not (folder / "keys").exists():
        test_the_transcript(folder)
    (folder / "program.py").write_text(python_block("from tinyseal_host import").replace('state="a"', 'state="own"'))
    done = subprocess.run(
        [sys.executable, "program.py"], cwd=folder, capture_output=True, text=True, check=True, timeout=120
    )
    assert (done.stdout, done.stderr) == ("motion 4 standing\n", "")


def test_the_board_that_stays_up(folder):
    process = subprocess.Popen([BIN / "tinyseal", *STAYS.split()[1:]], cwd=folder, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline().startswith("/dev/pts/")
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(20)
        process.stdout.close()
    assert process.returncode == 0


def test_the_demo_ends_as_promised():
    """The whole of `make demo`, once the tools are installed."""
    done = subprocess.run(
        [sys.executable, "-m", "tinyseal_host.demo"], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    wanted = (
        "demo: ok, 40/40 frames agree with TensorFlow Lite Micro, accuracy 1.000, 4 bad frames and 4 bad files refused"
    )
    assert done.stdout.splitlines()[-1] == wanted


def test_make_lists_its_targets():
    listed = subprocess.run(["make", "-s"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for target in ("demo", "test", "setup", "clean"):
        assert f"make {target} " in listed
    for target in re.findall(r"^    make ([a-z-]+)", README, re.MULTILINE):
        assert f"make {target} " in listed
