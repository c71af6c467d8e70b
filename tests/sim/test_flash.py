"""The littlefs in `flash.bin`: fresh, kept, full, damaged."""

import pytest
from sim.terminal import RAW_PROMPT
from tinyseal_host.sim import SimError, VirtualBoard


def test_a_fresh_flash_is_formatted_and_gets_a_boot_py_that_does_nothing(terminal):
    assert terminal.value("import os; print(os.listdir())") == "['boot.py']"
    lines = terminal.value("print(open('boot.py').read())").splitlines()
    assert lines
    assert all(line.startswith("#") for line in lines)


def test_its_size_is_that_of_a_4_mib_esp32(terminal):
    assert terminal.value("import os; s = os.statvfs('/'); print(s[0], s[0] * s[2])") == "4096 2097152"


def test_files_survive_resets_and_power_off(tmp_path, open_terminal):
    with VirtualBoard(tmp_path) as board:
        terminal = open_terminal(board)
        terminal.raw()
        terminal.value(
            "import os; os.mkdir('d')\nwith open('d/f', 'wb') as f: f.write(bytes(range(256)) * 100)\nprint()"
        )
        terminal.send(b"\x04")
        terminal.until(RAW_PROMPT)
        assert terminal.value("print(open('d/f', 'rb').read() == bytes(range(256)) * 100)") == "True"
    with VirtualBoard(tmp_path) as board:
        terminal = open_terminal(board)
        terminal.raw()
        assert terminal.value("print(open('d/f', 'rb').read() == bytes(range(256)) * 100)") == "True"


def test_a_power_cut_between_write_and_rename_leaves_the_old_file(tmp_path, open_terminal):
    with VirtualBoard(tmp_path) as board:
        terminal = open_terminal(board)
        terminal.raw()
        terminal.value("with open('f', 'w') as f: f.write('old')\nprint()")
        terminal.send(b"with open('f.new', 'w') as f: f.write('new' * 2000)\nprint('go')\nwhile True: pass\x04")
        terminal.until(b"go")
    with VirtualBoard(tmp_path) as board:
        terminal = open_terminal(board)
        terminal.raw()
        assert terminal.value("import os; print(open('f').read(), os.stat('f.new')[6])") == "old 6000"


def test_a_full_flash_says_so(terminal):
    source = "try:\n with open('f', 'wb') as f:\n  for _ in range(600): f.write(bytes(4096))\n"
    source += "except OSError as e: print(e)"
    assert "28" in terminal.value(source)  # ENOSPC
    assert terminal.value("import os; os.remove('f'); print(os.listdir())") == "['boot.py']"


def test_what_is_no_littlefs_is_refused_by_name(tmp_path):
    (tmp_path / "flash.bin").write_bytes(b"x" * 65536)
    with pytest.raises(SimError, match=r"flash\.bin is neither erased nor a littlefs"):
        VirtualBoard(tmp_path).start()
