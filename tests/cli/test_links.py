"""Real links: Debian's ser2net in front of a virtual board, ports that others have, and programs that do not let go."""

import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from tinyseal_host.board import transfer
from tinyseal_host.board.ports import device_of
from tinyseal_host.board.transport import connect
from tinyseal_host.example import expected_outputs
from tinyseal_host.sim import VirtualBoard

MPREMOTE = Path(sys.executable).with_name("mpremote")
SER2NET = shutil.which("ser2net", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
needs_ser2net = pytest.mark.skipif(SER2NET is None, reason="ser2net is not installed: apt-get install ser2net")


def free_port():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


@contextlib.contextmanager
def serving(device, folder):
    """ser2net in front of a device: the URLs of its raw and of its RFC 2217 port."""
    raw, telnet = free_port(), free_port()
    (folder / "ser2net.yaml").write_text(
        f"""%YAML 1.1
---
connection: &raw
  accepter: tcp,127.0.0.1,{raw}
  connector: serialdev,{device},115200n81,local
connection: &telnet
  accepter: telnet(rfc2217),tcp,127.0.0.1,{telnet}
  connector: serialdev,{device},115200n81,local
"""
    )
    process = subprocess.Popen(
        [SER2NET, "-u", "-n", "-c", folder / "ser2net.yaml", "-P", folder / "ser2net.pid"], stderr=subprocess.DEVNULL
    )
    try:
        for port in (raw, telnet):
            wait_for(port)
        yield f"socket://127.0.0.1:{raw}", f"rfc2217://127.0.0.1:{telnet}"
    finally:
        process.kill()  # on SIGTERM it may wait for a connection's end
        process.wait()


def wait_for(port):
    """Until somebody listens; looked for in the system's table, for a connection would take the device."""
    for _ in range(100):
        if f":{port:04X} 00000000:0000 0A" in Path("/proc/net/tcp").read_text():
            return
        time.sleep(0.05)
    raise AssertionError(f"nobody listens on {port}")


@needs_ser2net
@pytest.mark.parametrize("number", [0, 1], ids=["socket", "rfc2217"])
def test_the_whole_job_over_the_network(tinyseal, shared, here, number):
    with VirtualBoard(here / "board") as board, serving(board.port, here) as urls:
        url = urls[number]
        line = f"deploy --port {url} --version 1 --keys"
        done = tinyseal(line, shared / "keys", "--contract", shared / "motion.toml", shared / "motion.tflite")
        assert (done.status, done.err) == (0, "")
        time.sleep(0.5)  # ser2net closes the device a moment after the connection
        found = tinyseal(f"infer --port {url} --json", shared / "frames.npy")
        assert [frame["scores"] for frame in found.json["frames"]] == expected_outputs().tolist()
        time.sleep(0.5)
        assert tinyseal(f"doctor --port {url}").status == 0


@needs_ser2net
def test_every_byte_passes(here):
    """Telnet's own bytes and the raw REPL's among them."""
    data = bytes(range(256)) * 20
    with VirtualBoard(here / "board") as board, serving(board.port, here) as urls:
        for url in urls:
            with connect(device_of(url)) as link:
                transfer.send(link, "", {"all": data})
                assert transfer.look(link, "").files["all"] == transfer.Stored(len(data), transfer.digest(data))
            time.sleep(0.5)


@needs_ser2net
def test_a_server_that_is_in_use_says_so(tinyseal, here):
    with VirtualBoard(here / "board") as board, serving(board.port, here) as (url, _):
        host, port = re.fullmatch(r"socket://(.*):(\d+)", url).groups()
        with socket.create_connection((host, int(port))):
            time.sleep(0.3)
            found = tinyseal(f"status --port {url}")
    assert (found.status, "in use" in found.error) == (4, True), found.err
    assert "kickolduser" in found.hint


def test_a_server_that_is_not_there(tinyseal, here):
    for url in (f"socket://127.0.0.1:{free_port()}", f"rfc2217://127.0.0.1:{free_port()}"):
        found = tinyseal(f"status --port {url}")
        assert (found.status, "connection refused" in found.error) == (4, True)
        assert "server" in found.hint


def test_a_port_that_another_program_has(tinyseal, here):
    """By the lock that pyserial takes; the hint's program is this one's child."""
    code = "import fcntl, sys; f = open(sys.argv[1], 'rb+', 0); fcntl.flock(f, fcntl.LOCK_EX); print('.'); input()"
    with VirtualBoard(here / "board") as board:
        other = subprocess.Popen(
            [sys.executable, "-uc", code, board.port], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        try:
            assert other.stdout.readline() == b".\n"
            found = tinyseal(f"status --port {board.port}")
        finally:
            other.communicate(b"\n")
        assert (found.status, f"(pid {other.pid}) has the port" in found.error) == (4, True), found.err
        assert "close what else uses the port" in found.hint
        assert tinyseal(f"status --port {board.port}").status == 0


def test_a_port_that_another_program_reads(tinyseal, here):
    """Without the lock: the board's answers go to whoever reads first."""
    master, slave = os.openpty()
    code = "import sys; f = open(sys.argv[1], 'rb'); print('.', flush=True); f.read()"
    reader = subprocess.Popen([sys.executable, "-c", code, os.ttyname(slave)], stdout=subprocess.PIPE)
    try:
        assert reader.stdout.readline() == b".\n"
        found = tinyseal(f"status --port {os.ttyname(slave)}")
    finally:
        reader.kill()
        reader.communicate()
        os.close(master)
        os.close(slave)
    assert found.status == 4
    assert f"(pid {reader.pid}) has the port open too" in found.hint


PROGRAMS = {
    "tight": "while True: pass\n",
    "printing": "while True: print('x' * 60)\n",
    "catching": """
for _ in range(3):
    try:
        while True: pass
    except KeyboardInterrupt: pass
while True: pass
""",
    "cleaning up": "import time\ntry:\n    while True: pass\nfinally:\n    time.sleep(1)\n",
}
COUNT = "f = open('/runs', 'a')\nf.write('x')\nf.close()\n"


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("command", ["status", "provision"])
def test_a_program_is_interrupted_and_runs_again(tinyseal, shared, here, program, command):
    more = ["--keys", shared / "keys"] if command == "provision" else []
    with VirtualBoard(here / "board") as board:
        with connect(board.port) as link:
            link.run(f"f = open('/main.py', 'w')\nf.write({COUNT + PROGRAMS[program]!r})\nf.close()")
        assert runs_after(board, 1) == "x"
        subprocess.run([MPREMOTE, "connect", board.port, "soft-reset"], check=True, capture_output=True)
        found = tinyseal(f"{command} --port {board.port}", *more)
        assert (found.status, found.err) == (0, "")
        before = len(runs_after(board, 1))
        assert before >= 2
        assert tinyseal(f"{command} --port {board.port} --no-restart", *more).status == 0
        stopped = len(runs_after(board, 1))
        assert tinyseal(f"status --port {board.port}").status == 0
        assert len(runs_after(board, 1)) == stopped + 1


def test_a_program_that_has_taken_all_memory_is_no_obstacle(tinyseal, shared, here):
    """What it leaves is too little to ask what board it is: then `status`, too, starts with a soft reset."""
    program = """
x = []
for n in (4096, 256, 16):
    try:
        while True: x.append(bytearray(n))
    except MemoryError: pass
while True: pass
"""
    with VirtualBoard(here / "board") as board:
        with connect(board.port) as link:
            link.run(f"f = open('/main.py', 'w')\nf.write({program!r})\nf.close()")
            link.restart()
        for line in (f"provision --keys {shared / 'keys'}", "status"):
            time.sleep(1)
            assert tinyseal(f"{line} --port {board.port}").status == 0


def test_ctrl_c_on_the_way_to_a_board_leaves_its_program_running(here):
    """Whether that was stopped by then is not known."""
    stop = threading.Event()
    stop.set()
    with VirtualBoard(here / "board") as board:
        with connect(board.port) as link:
            link.run(f"f = open('/main.py', 'w')\nf.write({COUNT + 'while True: pass'!r})\nf.close()")
        before = runs_after(board, 1)
        with pytest.raises(KeyboardInterrupt), connect(board.port, stop=stop):
            pass
        assert runs_after(board, 1) == before + "x"


def runs_after(board, seconds):
    """The starts that main.py has counted; itself it is left stopped, but not started."""
    time.sleep(seconds)
    with connect(board.port, soft_reset=False, restart=False) as link:
        return link.run("print(open('/runs').read())").strip()
