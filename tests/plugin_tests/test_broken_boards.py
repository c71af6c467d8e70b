"""Boards that fail under test: reset once, reported, and never waited for without end."""

import time

import pytest
from tinyseal_host.api import Board
from tinyseal_host.sim import Fault, VirtualBoard
from tinyseal_host.testing.transcript import Transcript

TESTS = """
def test_before(board):
    board.link.run("left_here = 1")

def test_a_wrong_answer(board):
    assert board.link.run("print('sent', 6 * 7)") == ""

def test_it_answered(board):
    board.link.run("left_here")  # no reset for a test that only failed

def test_a_loop(board):
    board.link.run("while True: pass", timeout_s=1)

def test_after_the_loop(board):
    assert board.status()
"""


def test_a_test_that_fails(project):
    """With what was sent and what came back, in the terminal and in the JUnit file; the board goes on."""
    run = project.pytest(TESTS, "-o", "junit_logging=system-out")
    assert run.counted() == (5, 2, 0, 0), run.said
    assert run.said.count("Captured stdout at the serial port of board") == 2
    for text in (run.said, run.junit.find(".//testcase[@name='test_a_wrong_answer']/system-out").text):
        assert "> print('sent', 6 * 7)\\x04\n< \\x04sent 42\n" in text
    assert "hint: press the board's reset button" in run.said
    assert "stopped answering" not in run.said


SEND = """
def test_much(board):
    for _ in range(1000):
        board.link.run("print('x' * 1000)", timeout_s=2)

def test_next(board):
    assert board.link.run("print(6 * 7)").strip() == "42"

def test_after_that(board):
    assert board.status()
"""


@pytest.fixture
def provisioned(project, tmp_path):
    """The state of a board that has the project's keys and the package, so that a run has little to send."""
    from tinyseal_host import Keys

    with Board("sim", state=tmp_path / "board") as board:
        board.provision(Keys(project.folder / "keys"))
    return tmp_path / "board"


def test_a_board_that_hangs_is_reset(project, provisioned):
    with VirtualBoard(provisioned, cable=(40_000, Fault.HANG)) as board:
        run = project.pytest(SEND, "--port", board.port)
    assert run.counted() == (3, 1, 0, 0), run.said
    stopped = run.properties("test_much")
    assert stopped["board_stopped_answering"] == (
        f"board {stopped['board_id']} stopped answering, was reset, and answers again"
    )
    assert stopped["board_stopped_answering"] in run.said
    assert "2 tests" not in run.said
    assert (
        f"{stopped['board_id']}  x64, MicroPython 1.29.0, package 0.1.0: 3 tests, stopped answering 1 times" in run.said
    )
    assert "xxxxxxxxxx" in run.said
    assert "board_stopped_answering" not in run.properties("test_next")


def test_a_board_that_is_gone_is_not_waited_for(project, provisioned):
    """Its cable is pulled out; the tests behind it fail at once."""
    with VirtualBoard(provisioned, cable=(40_000, Fault.DROP)) as board:
        started = time.monotonic()
        run = project.pytest(SEND, "--port", board.port)
        assert time.monotonic() - started < 120
    assert run.counted() == (3, 1, 2, 0), run.said
    said = "stopped answering in test_it.py::test_much, and did not after a reset: "
    assert run.said.count(f"{said}{board_port(run)}") == 3, run.said
    times = [float(case.get("time")) for case in run.junit.iter("testcase")]
    assert max(times[1:]) < 1


def board_port(run):
    return run.said.partition("did not after a reset: ")[2].partition(":")[0]


def test_a_board_that_comes_back_elsewhere(project, provisioned):
    """By its state folder it is found again, at another port."""
    with VirtualBoard(provisioned, cable=(40_000, Fault.DROP)):
        run = project.pytest(SEND, "--state", provisioned)
    assert run.counted() == (3, 1, 0, 0), run.said
    assert "stopped answering, was reset, and answers again" in run.said


@pytest.mark.parametrize("after", [200, 600, 1500])
def test_a_board_that_does_not_answer_at_first(project, provisioned, after):
    """It hangs while it is opened, and is reset for that."""
    with VirtualBoard(provisioned, cable=(after, Fault.HANG)) as board:
        run = project.pytest("def test_it(board): assert board.resets == 1", "--port", board.port)
    assert run.counted() == (1, 0, 0, 0), run.said
    assert "did not answer at first, was reset, and answers" in run.properties("test_it")["board_stopped_answering"]
    assert "1 tests, stopped answering 1 times" in run.said


def test_no_key_is_in_a_transcript(project):
    """Neither where it was sent as `provision` sends it, nor where the beginning was cut off."""
    tests = """
import secrets
def test_key(board):
    secret = secrets.token_hex(32)
    open("secret", "w").write(secret)
    board.link.call("provision", 1, secret, "ab" * 384)
    assert False
"""
    run = project.pytest(tests)
    assert run.counted() == (1, 1, 0, 0), run.said
    secret = (project.folder / "secret").read_text()
    shown = run.said.partition("Captured stdout at the serial port")[2]
    assert "_r.call('provision',1,'(64 hexadecimal digits)','(768 hexadecimal digits)')" in shown
    assert not any(secret[at : at + 8] in shown for at in range(56))


def test_a_long_transcript_has_its_end():
    transcript = Transcript()
    secret = "0123456789abcdef" * 4
    transcript.note(b"first", True)
    transcript.note(secret.encode(), True)
    transcript.note(b"\x01", False)
    transcript.note(b"x\n", True)
    assert transcript.text() == "> first(64 hexadecimal digits)x"
    for left in range(len(secret)):  # the cut goes through the key
        transcript.clear()
        transcript.note(f"{secret}!".encode(), True)
        transcript.note(b"x" * (16384 - left - 1), False)
        said, *lines = transcript.text().splitlines()
        assert said == f"({64 - left} bytes before)"
        assert lines == ["> !", "< " + "x" * 400, f"< ({16383 - left - 700} bytes)", "< " + "x" * 300]
