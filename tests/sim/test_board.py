"""Power: on, off, and what is left of it when a process dies."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tinyseal_host.sim import SimError, VirtualBoard

CPU_TICKS = os.sysconf("SC_CLK_TCK")


def stat_fields(pid):
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def parent(pid):
    return int(stat_fields(pid)[1])


def cpu_s(pid):
    return sum(int(field) for field in stat_fields(pid)[11:13]) / CPU_TICKS


def gone(pid):
    return not Path(f"/proc/{pid}").exists() or stat_fields(pid)[0] == "Z"


def wait_until(condition, timeout_s=5):
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_it_is_off_before_and_after(tmp_path):
    board = VirtualBoard(tmp_path)
    with pytest.raises(SimError, match="is off"):
        _ = board.port
    with board:
        assert Path(board.port).is_char_device()
        vm, relay = board.vm_pid, parent(board.vm_pid)
    assert gone(vm)
    assert gone(relay)
    for name in ("port", "vm_pid"):
        with pytest.raises(SimError, match="is off"):
            getattr(board, name)
    board.stop()


def test_it_can_be_switched_on_again_but_not_twice(tmp_path):
    board = VirtualBoard(tmp_path)
    for _ in range(2):
        with board, pytest.raises(SimError, match="already on"):
            board.start()


def test_the_first_answer_comes_within_a_second(tmp_path, open_terminal):
    began = time.monotonic()
    with VirtualBoard(tmp_path) as board:
        terminal = open_terminal(board)
        terminal.raw()
        assert terminal.value("print(1)") == "1"
    # Measured 0.25 s on an idle machine; the bound is for a busy one.
    assert time.monotonic() - began < 2


def test_an_idle_board_uses_no_processor_time(board, terminal):
    vm = board.vm_pid
    pids = vm, parent(vm)
    for attached in (True, False):
        if not attached:
            terminal.close()
        before = [cpu_s(pid) for pid in pids]
        time.sleep(1)
        assert [cpu_s(pid) - was for pid, was in zip(pids, before, strict=True)] == pytest.approx([0, 0], abs=0.021)


@pytest.mark.parametrize("who", ["owner", "relay"])
def test_nothing_survives_a_kill(tmp_path, who):
    code = """
import sys
from tinyseal_host.sim import VirtualBoard
board = VirtualBoard(sys.argv[1]).start()
print(board.vm_pid, flush=True)
sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-c", code, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as owner:
        vm = int(owner.stdout.readline())
        relay = parent(vm)
        os.kill(owner.pid if who == "owner" else relay, signal.SIGKILL)
        wait_until(lambda: gone(vm) and gone(relay))
    VirtualBoard(tmp_path).start().stop()  # the directory is free again


def test_a_crash_of_the_vm_restarts_the_board_with_a_line(board, terminal):
    vm = board.vm_pid
    os.kill(vm, signal.SIGSEGV)
    assert b"virtual board: the VM died of SIGSEGV\r\n" in terminal.until(b">>> ")
    assert board.vm_pid != vm
    terminal.raw()
    assert terminal.value("import machine; print(machine.reset_cause())") == "2"


def test_the_vm_is_another_process_after_a_reset(board, terminal):
    vm = board.vm_pid
    terminal.send(b"\x04")
    terminal.until(b"soft reboot")
    terminal.until(b">")
    assert board.vm_pid != vm
    wait_until(lambda: gone(vm))


@pytest.mark.parametrize("heap_kib", [192, 320])
def test_the_heap_is_limited_in_every_life(tmp_path, open_terminal, heap_kib):
    with VirtualBoard(tmp_path, heap_kib) as board:
        terminal = open_terminal(board)
        terminal.raw()
        for _ in range(2):
            size = int(terminal.value("import gc; gc.collect(); print(gc.mem_free() + gc.mem_alloc())"))
            # The allocation table takes 1/65 of it, and a block is 32 bytes.
            assert 0.96 * heap_kib * 1024 < size <= heap_kib * 1024
            assert "MemoryError" in terminal.execute(f"b = bytearray({heap_kib * 1024})")[1]
            terminal.send(b"\x04")
            terminal.until(b"raw REPL; CTRL-B to exit\r\n>")


def test_the_board_itself_takes_little_of_the_heap(terminal):
    # Measured 26 KiB: what a program gets of 320 KiB must stay near what twice an ESP32's 134 KB free are.
    used = int(terminal.value("import gc; gc.collect(); print(gc.mem_alloc())"))
    assert used < 40 * 1024


def test_a_heap_too_small_for_the_board_is_a_sim_error(tmp_path):
    with pytest.raises(SimError) as refused:
        VirtualBoard(tmp_path, heap_kib=8).start()
    assert "does not start" in refused.value.message
    assert "\n" not in refused.value.message
