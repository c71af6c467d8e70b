"""What a program finds on the board: its modules, and nothing of the host's."""

import ast

import pytest
from tinyseal_host.sim import VirtualBoard


def test_machine_has_what_the_vm_has_and_what_a_chip_adds(terminal):
    names = set(terminal.value("import machine; print(*dir(machine))").split())
    assert {"idle", "time_pulse_us", "mem8", "mem32", "soft_reset", "reset", "unique_id", "freq"} <= names
    assert terminal.value("import machine as m; print(m.PWRON_RESET, m.HARD_RESET, m.SOFT_RESET)") == "1 2 5"
    assert not {name for name in names if "settings" in name and not name.startswith("_")}


def test_the_first_life_comes_from_power_on(terminal):
    assert terminal.value("import machine; print(machine.reset_cause())") == "1"


def test_the_u_names_give_the_same_modules(terminal):
    assert terminal.value("import machine, umachine; print(machine is umachine)") == "True"
    assert terminal.value("import os, uos; print(os is uos)") == "True"
    assert terminal.value("import sys, usys; print(sys is usys)") == "True"


@pytest.mark.parametrize("name", ["machine", "os", "esp32", "sys", "vfs"])
def test_a_file_does_not_stand_in_for_a_module_of_the_board(terminal, name):
    terminal.value(f"with open('{name}.py', 'w') as f: f.write('fake = 1')\nprint()")
    assert terminal.value(f"import {name}; print(hasattr({name}, 'fake'))") == "False"


@pytest.mark.parametrize("name", ["flash", "nvs", "control", "settings", "power", "scripts"])
def test_programs_may_have_modules_of_any_other_name(terminal, name):
    terminal.value(f"with open('{name}.py', 'w') as f: f.write('mine = 1')\nprint()")
    assert terminal.value(f"import {name}; print({name}.mine)") == "1"


def test_memory_is_read_and_written_by_address(terminal):
    source = """
import machine, uctypes
b = bytearray(8)
at = uctypes.addressof(b)
machine.mem32[at] = 0x80112233
machine.mem16[at + 4] = 0x4455
machine.mem8[at + 6] = 0x66
print(b.hex(), machine.mem32[at] == 0x80112233, machine.mem8[at + 3])
"""
    assert terminal.value(source) == "3322118055446600 True 128"


def test_the_host_is_not_in_sight(terminal):
    assert terminal.value("import os; print(os.listdir('/'), os.getcwd())") == "['boot.py'] /"
    assert terminal.value("import vfs; print(vfs.mount())") == "[(<VfsLfs2>, '/')]"
    assert terminal.value("import sys; print(sys.path, sys.argv)") == "['', '.frozen', '/lib'] []"
    found = "print([n for m in (os, vfs) for n in ('VfsPosix', 'system', 'getenv', 'putenv') if hasattr(m, n)])"
    assert terminal.value("import os, vfs; " + found) == "[]"
    assert "ENOENT" in terminal.execute("open('/etc/passwd')")[1]


def test_lib_is_searched_for_modules(terminal):
    terminal.value("import os; os.mkdir('/lib')\nwith open('/lib/mine.py', 'w') as f: f.write('x = 7')\nprint()")
    assert terminal.value("import mine; print(mine.x, mine.__file__)") == "7 /lib/mine.py"


def test_random_bytes_are_not_the_same_twice(terminal):
    first, second = terminal.value("import os; print(os.urandom(16).hex(), os.urandom(16).hex())").split()
    assert first != second
    assert len(first) == len(second) == 32


def test_the_board_says_that_it_is_virtual(terminal):
    assert terminal.value("import os; print(os.uname().machine)") == "tinyseal virtual board"
    assert terminal.value("import sys; print(sys.implementation._machine)") == "tinyseal virtual board"


def test_sys_behaves_as_the_module_otherwise(terminal):
    version = terminal.value("import sys; print(sys.implementation.name, sys.implementation.version[0])")
    assert version.split()[0] == "micropython"
    source = "import sys; sys.ps1 = '% '; sys.path.append('/x'); from sys import path; print(sys.ps1, path[-1])"
    assert terminal.value(source) == "%  /x"
    assert terminal.value("import sys; print('to', 'stdout', file=sys.stdout); print(sys.stdout.write('x\\n'))") == (
        "to stdout\nx\n2"
    )
    assert ast.literal_eval(terminal.value("import sys; print(sys.implementation._mpy & 0xff)")) == 6
    assert ast.literal_eval(terminal.value("print(sys.implementation._mpy >> 10)")) == 2  # x64


def test_a_board_without_the_native_emitter(tmp_path, open_terminal):
    """It says so in every life, and has the same version of `.mpy` files."""
    with VirtualBoard(tmp_path, native=False) as board:
        terminal = open_terminal(board)
        terminal.raw()
        for _ in range(2):
            assert ast.literal_eval(terminal.value("import sys; print(sys.implementation._mpy)")) == 6 | 3 << 8
            terminal.send(b"\x04")
            terminal.until(b"raw REPL; CTRL-B to exit\r\n>")


@pytest.mark.parametrize(
    ("call", "sent", "count"),
    [
        ("b'ab\\ncd'", b"ab\ncd", 5),
        ("b'ab\\ncd', 3", b"ab\n", 3),
        ("b'ab\\ncd', 1, 3", b"b\nc", 3),
        ("memoryview(b'ab\\ncd')[2:]", b"\ncd", 3),
        ("array.array('H', [0x0a61, 0x620a])", b"a\n\nb", 4),
        ("'text\\n'", b"text\n", 5),
    ],
)
def test_writing_to_the_buffer_takes_what_streams_take(terminal, call, sent, count):
    terminal.send(f"import array, sys\nn = sys.stdout.buffer.write({call})\nprint(n)".encode() + b"\x04")
    assert terminal.until(b"\x04>") == b"OK" + sent + b"%d\r\n\x04\x04>" % count
