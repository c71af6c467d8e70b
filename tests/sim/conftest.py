"""A board for each test, and a terminal on its port."""

import subprocess
import sys
from pathlib import Path

import pytest
from sim.terminal import Terminal
from tinyseal_host.sim import VirtualBoard

COUNTER = """
import gc, machine, select, sys, time
from machine import Timer
count = 0
def tick(timer):
    global count
    count += 1
def spend(ms):
    end = time.ticks_add(time.ticks_ms(), ms)
    while time.ticks_diff(end, time.ticks_ms()) > 0: pass
"""


@pytest.fixture
def board(tmp_path):
    """A fresh board under power."""
    with VirtualBoard(tmp_path / "board") as powered:
        yield powered


@pytest.fixture
def open_terminal():
    """Terminals that are closed after the test, whatever happens."""
    terminals = []

    def opened(board):
        terminals.append(Terminal(board.port))
        return terminals[-1]

    yield opened
    for terminal in terminals:
        terminal.close()


@pytest.fixture
def terminal(board, open_terminal):
    """A terminal on the fresh board, in its raw REPL."""
    opened = open_terminal(board)
    opened.raw()
    return opened


@pytest.fixture
def counting(terminal):
    """A terminal on a board on which `tick` counts, and `spend` takes time in bytecode alone."""
    assert terminal.execute(COUNTER) == ("", "")
    return terminal


@pytest.fixture
def mpremote(board):
    """The real program, connected to the board."""
    program = Path(sys.executable).with_name("mpremote")

    def run(*arguments, status=0, **options):
        done = subprocess.run(
            [program, "connect", board.port, *arguments], capture_output=True, timeout=60, check=False, **options
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout.replace(b"\r\n", b"\n").decode()

    return run
