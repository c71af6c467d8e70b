"""The state directory: identity, lock, the running board's port, and what is refused."""

import json
import subprocess
import sys

import pytest
from tinyseal_host.errors import BoardError
from tinyseal_host.sim import SimError, VirtualBoard, running_port


def unique_id(terminal):
    return terminal.value("import machine; print(machine.unique_id().hex())")


def test_identity_is_kept_and_differs_between_boards(tmp_path, open_terminal):
    seen = []
    for name in ("a", "b", "a"):
        with VirtualBoard(tmp_path / name) as board:
            terminal = open_terminal(board)
            terminal.raw()
            seen.append(unique_id(terminal))
    assert seen[0] == seen[2] != seen[1]
    assert json.loads((tmp_path / "a" / "board.json").read_text())["unique_id"] == seen[0]
    assert bytes.fromhex(seen[0])[0] & 3 == 2  # IEEE 802: locally administered, not a group


def test_two_boards_run_at_once(tmp_path, open_terminal):
    with VirtualBoard(tmp_path / "a") as a, VirtualBoard(tmp_path / "b") as b:
        first, second = open_terminal(a), open_terminal(b)
        first.raw()
        second.raw()
        first.value("x = 1; open('only-here', 'w').close(); print()")
        assert second.value("import os; print('x' in globals(), 'only-here' in os.listdir())") == "False False"
        assert unique_id(first) != unique_id(second)


def test_a_directory_has_one_board_and_the_refusal_names_its_port(board):
    with pytest.raises(SimError, match="already runs") as refused:
        VirtualBoard(board.state_dir).start()
    assert board.port in refused.value.hint
    assert isinstance(refused.value, BoardError)
    assert refused.value.exit_status == 4
    assert "\n" not in refused.value.message


def test_the_port_of_a_running_board_is_found_by_another_process(board):
    code = "import sys; from tinyseal_host.sim import running_port; print(running_port(sys.argv[1]))"
    found = subprocess.run([sys.executable, "-c", code, board.state_dir], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == board.port


def test_no_port_before_and_after(tmp_path):
    directory = tmp_path / "board"
    assert running_port(directory) is None
    with VirtualBoard(directory) as board:
        assert running_port(directory) == board.port
    assert running_port(directory) is None
    assert sorted(path.name for path in directory.iterdir()) == ["board.json", "flash.bin", "lock"]


def test_what_a_killed_relay_has_left_is_not_a_running_board(tmp_path):
    with VirtualBoard(tmp_path) as board:
        port, pid = (tmp_path / "port").read_text(), (tmp_path / "vm.pid").read_text()
        assert port.strip() == board.port
    (tmp_path / "port").write_text(port)
    (tmp_path / "vm.pid").write_text(pid)
    assert running_port(tmp_path) is None
    with VirtualBoard(tmp_path) as board:
        assert running_port(tmp_path) == board.port
        assert board.vm_pid != int(pid)


def test_looking_for_the_port_does_not_keep_a_board_from_starting(tmp_path):
    code = "import sys\nfrom tinyseal_host.sim import running_port\nprint()\nwhile True: running_port(sys.argv[1])"
    VirtualBoard(tmp_path).start().stop()
    watcher = subprocess.Popen([sys.executable, "-u", "-c", code, tmp_path], stdout=subprocess.PIPE)
    try:
        watcher.stdout.readline()
        for _ in range(5):
            with VirtualBoard(tmp_path) as board:
                assert running_port(tmp_path) == board.port
    finally:
        watcher.kill()
        watcher.wait()
        watcher.stdout.close()


@pytest.mark.parametrize("content", ["", "{}", '{"unique_id": "12"}', '{"unique_id": 5}', "[]"])
def test_a_damaged_identity_is_refused_by_name(tmp_path, content):
    (tmp_path / "board.json").write_text(content)
    with pytest.raises(SimError, match=r"board\.json holds .* wanted 12 hex digits"):
        VirtualBoard(tmp_path).start()


@pytest.mark.parametrize("size", [0, 4095, 5000])
def test_a_flash_of_broken_size_is_refused_by_name(tmp_path, size):
    (tmp_path / "flash.bin").write_bytes(b"\xff" * size)
    with pytest.raises(SimError, match=rf"flash\.bin has {size} bytes"):
        VirtualBoard(tmp_path).start()


def test_a_directory_that_cannot_be_made_is_a_sim_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SimError, match="Not a directory"):
        VirtualBoard(tmp_path / "file" / "board").start()
