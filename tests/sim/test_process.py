"""Finding the VM program."""

import pytest
from tinyseal_host.sim import SimError, VirtualBoard
from tinyseal_host.sim.process import find_micropython


def test_micropython_names_the_program(monkeypatch, tmp_path):
    program = tmp_path / "mine"
    program.write_text("#!/bin/sh\nexit 3\n")
    program.chmod(0o755)
    monkeypatch.setenv("MICROPYTHON", str(program))
    assert find_micropython() == str(program)
    with pytest.raises(SimError, match="ended with status 3"):
        VirtualBoard(tmp_path / "board").start()


def test_a_name_that_is_no_program_is_refused(monkeypatch, tmp_path):
    monkeypatch.setenv("MICROPYTHON", str(tmp_path / "none"))
    with pytest.raises(SimError, match="MICROPYTHON names .*none"):
        find_micropython()


def test_without_a_program_the_hint_says_how_to_get_one(monkeypatch, tmp_path):
    monkeypatch.delenv("MICROPYTHON", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    with pytest.raises(SimError) as refused:
        find_micropython()
    assert "tinyseal-host[sim]" in refused.value.hint


def test_a_working_program_named_by_micropython_runs_the_board(monkeypatch, tmp_path):
    monkeypatch.setenv("MICROPYTHON", find_micropython())
    monkeypatch.setenv("MICROPYINSPECT", "1")
    with VirtualBoard(tmp_path) as board:
        assert board.vm_pid
