"""`tinyseal monitor`, on the example application and on programs that print what they should not."""

import csv
import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tinyseal_host.board.transport import connect
from tinyseal_host.cli import monitor, monitor_view
from tinyseal_host.example import expected_outputs
from tinyseal_host.monitoring.lines import read
from tinyseal_host.monitoring.session import Session
from tinyseal_host.sim import VirtualBoard
from tinyseal_host.sim.cable import Fault

TINYSEAL = Path(sys.executable).with_name("tinyseal")
PRINTS = """
import time
file = open("runs", "a")
file.write("x")
file.close()
n = 0
while True:
    print('{"frame":%d,"status":0,"reason":"ok","channel":null,"top":0,"class":"a\\\\u001b[31m","scores":[9],'
          '"gate_us":1,"net_us":2,"health":{"counts":{"ok":%d},"longest":0,"failed":false}}' % (n, n + 1))
    if n % 10 == 9: print("what is this\\x1b[2J")
    n += 1
    time.sleep(0.02)
"""


def put(folder, program):
    """A board in `folder` whose main.py is the program."""
    with VirtualBoard(folder) as board, connect(board.port) as link:
        link.run(f"file = open('/main.py', 'w')\nfile.write({program!r})\nfile.close()")


def rows_of(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def test_the_example_is_replayed(tinyseal, here):
    """Its scores are TensorFlow Lite Micro's, frame after frame but for the two that are spoiled."""
    outcome = tinyseal("monitor --port sim --csv m.csv --plot m.png --seconds 7 --json")
    assert outcome.status == 0
    found, rows = outcome.json, rows_of("m.csv")
    assert found["frames"] == len(rows) > 27
    assert [int(row["frame"]) for row in rows] == list(range(int(rows[0]["frame"]), int(rows[-1]["frame"]) + 1))
    assert found["refused"] == [
        {"reason": "nan", "channel": 0, "frames": 1},
        {"reason": "zeros", "channel": None, "frames": 1},
    ]
    assert (found["missing"], found["restarts"], found["ill_formed"]) == (0, 0, 0)
    assert sum(found["classes"].values()) == found["accepted"] == len(rows) - 2
    accepted = [row for row in rows if row["status"] == "0" and int(row["frame"]) < 42]
    wanted = expected_outputs()[int(rows[0]["frame"]) :][: len(accepted)]
    assert [[int(score) for score in row["scores"].split()] for row in accepted] == wanted.tolist()
    assert Path("m.png").read_bytes()[:4] == b"\x89PNG"


def test_without_terminal_and_table_there_is_a_line_a_frame(tinyseal, here):
    """Nothing of a stranger's text reaches the terminal as it is; lines of something else are counted and shown."""
    put(here / "board", PRINTS)
    outcome = tinyseal("monitor --port sim --state board --seconds 2")
    assert outcome.status == 0
    lines = outcome.out.splitlines()
    assert lines[3].startswith("frame ")
    assert lines[3].endswith("  a\\x1b[31m 9, 0.00 ms")
    said = dict(row.split("  ", 1) for row in lines if not row.startswith("frame "))
    assert said["ill-formed"].strip().endswith("lines, the last: what is this\\x1b[2J")
    assert "\x1b" not in outcome.out


def test_the_application_is_not_interrupted(tinyseal, here):
    """Twice looked at, it has begun once, and the numbers go on."""
    put(here / "board", PRINTS)
    with VirtualBoard(here / "board") as board:
        last = []
        for name in ("a.csv", "b.csv"):
            assert tinyseal(f"monitor --port {board.port} --seconds 1 --csv {name}").status == 0
            last.append(int(rows_of(name)[-1]["frame"]))
        assert last[0] < last[1]
        with connect(board.port, soft_reset=False, restart=False) as link:
            assert link.run("print(open('/runs').read())").strip() == "x"


def test_a_cable_that_is_lost(tinyseal, here):
    put(here / "board", PRINTS)
    with VirtualBoard(here / "board", cable=(6000, Fault.DROP)) as board:
        outcome = tinyseal(f"monitor --port {board.port} --csv m.csv")
    assert outcome.status == 4
    rows = rows_of("m.csv")
    assert len(rows) > 5
    assert outcome.error.endswith(f": the board is gone after {len(rows)} frames")
    assert "cable" in outcome.hint


@pytest.mark.parametrize(
    ("program", "said"),
    [("while True:\n print('hello')\n import time\n time.sleep(0.1)", ', it said "hello"'), ("", ".*")],
)
def test_nothing_that_can_be_read(tinyseal, here, program, said):
    put(here / "board", program)
    outcome = tinyseal("monitor --port sim --state board --seconds 1 --csv m.csv")
    assert outcome.status == 1
    assert "no frame in 1 s" in outcome.error
    assert said == ".*" or outcome.error.endswith(said)
    assert "firmware/main.py" in outcome.hint
    assert not Path("m.csv").exists()


def test_a_sensor_that_fails_is_shown(tinyseal, deploy, here):
    """The application without its frames: it says so, and goes on trying."""
    from tinyseal_host.board.firmware import application
    from tinyseal_host.board.transfer import send

    assert deploy(1).status == 0
    with VirtualBoard(here / "board") as board, connect(board.port) as link:
        link.run("import uos\nuos.mkdir('/app')")
        send(link, "/app", application()["app"])
        send(link, "", application()[""])
    outcome = tinyseal("monitor --port sim --state board --seconds 2")
    assert outcome.status == 1
    assert 'it said "sensor: [Errno 2] ENOENT' in outcome.error


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("monitor", "no board named"),
        ("monitor --port sim --port sim", "several boards, wanted one"),
        ("monitor --port a --heap 200", "--state, --heap and --no-native belong to --port sim"),
        ("monitor --port sim --seconds soon", "argument --seconds: got 'soon', wanted a number"),
    ],
)
def test_what_cannot_be_meant(tinyseal, here, line, error):
    outcome = tinyseal(line)
    assert outcome.status == 2
    assert outcome.error.startswith(error)


def test_files_that_cannot_be_written(tinyseal, here):
    assert tinyseal("monitor --port sim --csv no/m.csv").error == "no/m.csv: its folder does not exist"
    assert tinyseal("monitor --port sim --plot .").error == ".: is a directory, wanted a file to write"


class Screen:
    """A terminal with `tinyseal monitor` in it."""

    def __init__(self, folder, port):
        self._master, terminal = pty.openpty()
        self.process = subprocess.Popen(
            [TINYSEAL, "monitor", "--port", port],
            cwd=folder,
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            env={**os.environ, "TERM": "xterm", "COLUMNS": "100", "LINES": "30"},
            start_new_session=True,
        )
        os.close(terminal)
        self.text = ""

    def until(self, wanted, timeout_s=30):
        deadline = time.monotonic() + timeout_s
        start = len(self.text)
        while wanted not in self.text[start:]:
            assert time.monotonic() < deadline, self.text[-3000:]
            if select.select([self._master], [], [], 0.1)[0]:
                self.text += os.read(self._master, 65536).decode(errors="replace")

    def press(self, key):
        os.write(self._master, key.encode())

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self._master)


@pytest.fixture
def screen(here):
    put(here / "board", PRINTS)
    with VirtualBoard(here / "board") as board:
        opened = Screen(here, board.port)
        yield opened
        opened.close()


def test_keys(screen, here):
    """A view that stands still when it is told to, a table on demand, and an end that is none of failure."""
    screen.until("q quit")
    screen.press("p")
    screen.until("paused")
    time.sleep(1)
    before = len(screen.text)
    select.select([screen._master], [], [], 0.5)
    assert len(screen.text) == before
    screen.press("p")
    screen.until("frames")
    screen.press("s")
    screen.until("saved to monitor-")
    screen.press("q")
    assert screen.process.wait(10) == 0
    (saved,) = here.glob("monitor-*.csv")
    assert len(rows_of(saved)) > 5


def test_ctrl_c_ends_it(screen):
    screen.until("q quit")
    screen.process.send_signal(signal.SIGINT)
    screen.until("\n")
    assert screen.process.wait(10) == 0


def test_the_summary_is_one_object(tinyseal, here):
    put(here / "board", PRINTS)
    outcome = tinyseal("monitor --port sim --state board --seconds 1 --json")
    assert json.loads(outcome.out)["frames"] > 10


def test_the_readme_shows_what_is_shown():
    """Its picture, taken of a terminal, has the rows and the keys that there are."""
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    (block,) = [part for part in readme.split("```") if part.startswith("\nmotion, version 1, on sim")]
    answer = {"status": 0, "reason": "ok", "channel": None, "top": 0, "class": "a", "scores": [1]}
    health = {"counts": {"ok": 1}, "longest": 0, "failed": False}
    session = Session()
    session.note(read(json.dumps({"frame": 0, "gate_us": 1, "net_us": 1, "health": health} | answer)), 0.0)
    names = [name for name, _ in monitor_view.rows(session, 1.0)]
    shown = [line.split("  ")[0] for line in block.splitlines() if line]
    assert shown[1 : 1 + len(names)] == names
    assert block.rstrip().endswith(monitor._KEYS)
