"""The REPL, resets and Ctrl-C, byte for byte as a board's port shows them."""

import hashlib
import time

import pytest
from sim.terminal import RAW_PROMPT, SOFT_REBOOT

FRIENDLY = b'Type "help()" for more information.\r\n>>> '
LOOP = b"while True: pass\x04"


def write(terminal, name, text):
    terminal.value(f"with open({name!r}, 'w') as f: f.write({text!r})\nprint()")


def test_the_friendly_repl_echoes_and_answers_with_cr_lf(board, open_terminal):
    terminal = open_terminal(board)
    terminal.raw()
    terminal.send(b"\x02")
    terminal.until(FRIENDLY)
    terminal.send(b"6 * 7\r")
    assert terminal.until(b"\n>>> ") == b"6 * 7\r\n42\r\n>>> "


def test_the_raw_repl_keeps_output_and_traceback_apart(terminal):
    terminal.send(b"print('a\\nb')\n1/0\x04")
    assert terminal.until(b"\x04>") == (
        b'OKa\r\nb\r\n\x04Traceback (most recent call last):\r\n  File "<stdin>", line 2, in <module>\r\n'
        b"ZeroDivisionError: divide by zero\r\n\x04>"
    )


def test_raw_paste_announces_its_window_and_runs_what_follows(terminal):
    terminal.send(b"\x05A\x01")
    assert terminal.until(b"R\x01\x80\x00\x01")
    terminal.send(b"print(1 + 1)\x04")
    assert terminal.until(b"\x04>") == b"\x042\r\n\x04\x04>"


def test_ctrl_d_in_the_raw_repl_is_a_soft_reset_that_stays_raw_and_skips_main(terminal):
    write(terminal, "boot.py", "print('booting')")
    write(terminal, "main.py", "print('main runs')")
    terminal.send(b"\x04")
    assert terminal.until(RAW_PROMPT) == b"OK\r\n" + SOFT_REBOOT + b"booting\r\n" + RAW_PROMPT
    assert terminal.value("import machine; print(machine.reset_cause())") == "5"


def test_ctrl_d_in_the_friendly_repl_runs_boot_and_main(terminal):
    write(terminal, "boot.py", "print('booting')")
    write(terminal, "main.py", "print('main runs')")
    terminal.send(b"\x02")
    terminal.until(FRIENDLY)
    terminal.send(b"\x04")
    shown = terminal.until(FRIENDLY)
    assert shown.startswith(b"\r\n" + SOFT_REBOOT + b"booting\r\nmain runs\r\nMicroPython ")


@pytest.mark.parametrize(
    "leave", ["import sys; sys.exit()", "import machine; machine.soft_reset()", "raise SystemExit"]
)
def test_what_ends_the_program_is_a_soft_reset(terminal, leave):
    terminal.send(b"x = 1\n" + leave.encode() + b"\x04")
    terminal.until(SOFT_REBOOT)
    terminal.until(RAW_PROMPT)
    assert terminal.value("print('x' in globals())") == "False"


def test_exit_in_main_is_a_soft_reset(terminal):
    write(terminal, "boot.py", "import machine; first = machine.reset_cause() != 5")
    write(terminal, "main.py", "import sys\nif first: sys.exit()\nprint('second life')")
    terminal.send(b"import machine; machine.reset()\x04")
    terminal.until(SOFT_REBOOT)
    assert b"second life" in terminal.until(FRIENDLY)


def test_main_runs_in_the_namespace_of_the_repl_which_holds_nothing_else(terminal):
    write(terminal, "main.py", "answer = 42")
    terminal.send(b"\x02\x04")
    terminal.until(SOFT_REBOOT)
    terminal.until(FRIENDLY)
    terminal.send(b"sorted(globals())\r")
    shown = terminal.until(b"\n>>> ")
    assert b"'answer'" in shown
    assert not {b"life", b"power", b"scripts", b"settings"} & set(shown.replace(b"'", b" ").split())


def test_a_failing_boot_shows_its_own_lines_only_and_skips_main(terminal):
    write(terminal, "boot.py", "def f():\n    raise ValueError('no')\nf()")
    write(terminal, "main.py", "print('main runs')")
    terminal.send(b"\x02\x04")
    terminal.until(SOFT_REBOOT)
    shown = terminal.until(FRIENDLY)
    assert shown.startswith(
        b'Traceback (most recent call last):\r\n  File "boot.py", line 3, in <module>\r\n'
        b'  File "boot.py", line 2, in f\r\nValueError: no\r\nMicroPython '
    )


def test_a_hard_reset_begins_in_the_friendly_repl_and_runs_main(terminal):
    write(terminal, "main.py", "import machine; print('cause', machine.reset_cause())")
    terminal.send(b"import machine; machine.reset()\x04")
    shown = terminal.until(FRIENDLY)
    assert b"\r\nvirtual board: hard reset\r\ncause 2\r\nMicroPython " in shown


@pytest.mark.parametrize("loop", ["pass", "time.sleep(60)", "sys.stdin.read(1)", "print(end='')"])
def test_ctrl_c_stops_running_code(terminal, loop):
    terminal.send(f"import sys, time\nprint('go')\nwhile True: {loop}\x04".encode())
    terminal.until(b"go\r\n")
    terminal.send(b"\x03")
    assert b"KeyboardInterrupt" in terminal.until(b"\x04>")
    assert terminal.value("print(1)") == "1"


def test_ctrl_c_stops_main_and_gives_the_repl(terminal):
    write(terminal, "main.py", "print('main runs')\nwhile True: pass")
    terminal.send(b"\x02\x04")
    terminal.until(b"main runs\r\n")
    time.sleep(0.05)
    terminal.send(b"\x03")
    assert b'  File "main.py", line 2, in <module>\r\nKeyboardInterrupt: \r\n' in terminal.until(FRIENDLY)


@pytest.mark.parametrize("delay_ms", range(0, 60, 4))
def test_ctrl_c_at_any_moment_of_a_start_stops_main(terminal, delay_ms):
    write(terminal, "main.py", "while True: pass")
    terminal.send(b"import machine; machine.reset()\x04")
    terminal.until(b"hard reset\r\n")
    time.sleep(delay_ms / 1000)
    terminal.send(b"\r\x03\r\x01")
    terminal.until(RAW_PROMPT)


def test_a_boot_that_never_ends_can_be_stopped_after_a_raw_soft_reset(terminal):
    write(terminal, "boot.py", "while True: pass")
    terminal.send(b"\x04")
    terminal.until(SOFT_REBOOT)
    terminal.send(b"\x03")
    assert b"KeyboardInterrupt" in terminal.until(RAW_PROMPT)


def test_many_ctrl_c_at_once_leave_the_board_alive(terminal):
    terminal.send(LOOP)
    time.sleep(0.1)
    terminal.send(b"\x03" * 20)
    terminal.until(b"\x04>")
    terminal.send(b"\r\x01")
    terminal.until(RAW_PROMPT)
    assert "soft reboot" not in terminal.value("print('alive')")


def test_ctrl_c_is_a_byte_for_code_that_asks_for_it(terminal):
    source = "import micropython, sys\nmicropython.kbd_intr(-1)\nprint('go')\nprint(ord(sys.stdin.read(1)))"
    terminal.send(source.encode() + b"\x04")
    terminal.until(b"go\r\n")
    terminal.send(b"\x03")
    assert terminal.until(b"\x04>") == b"3\r\n\x04\x04>"


def test_ctrl_c_while_the_flash_is_written_leaves_the_filesystem_whole(terminal):
    source = "n = 0\nwhile True:\n with open('f', 'w') as f: f.write(str(n) * 3000)\n n += 1\n if n == 3: print('go')"
    for _ in range(8):
        terminal.send(source.encode() + b"\x04")
        terminal.until(b"go\r\n")
        terminal.send(b"\x03")
        assert b"KeyboardInterrupt" in terminal.until(b"\x04>")
    assert terminal.value("import os; os.rename('f', 'g'); print(sorted(os.listdir()))") == "['boot.py', 'g']"
    assert terminal.value("print(len(set(open('g').read())) <= 10)") == "True"


def test_ctrl_c_during_garbage_collection_leaves_the_heap_usable(terminal):
    for _ in range(60):
        terminal.send(b"print('go')\nwhile True: a = [bytearray(100) for _ in range(200)]\x04")
        terminal.until(b"go\r\n")
        terminal.send(b"\x03")
        assert b"KeyboardInterrupt" in terminal.until(b"\x04>")
    assert terminal.value("print(len(bytearray(1000)))") == "1000"


def test_bytes_to_the_buffer_are_not_translated_and_keep_their_place(terminal):
    source = "import sys\nprint('a')\nsys.stdout.buffer.write(bytes(range(256)) * 40)\nprint('b')"
    terminal.send(source.encode() + b"\x04")
    wanted = b"OKa\r\n" + bytes(range(256)) * 40 + b"b\r\n\x04\x04>"
    assert terminal.exactly(len(wanted)) == wanted


def test_binary_input_arrives_as_it_was_sent(terminal):
    data = bytes(range(256)) * 256
    source = f"""
import hashlib, micropython, sys
micropython.kbd_intr(-1)
print('go')
h = hashlib.sha256()
left = {len(data)}
while left:
    part = sys.stdin.buffer.read(min(left, 1024))
    h.update(part)
    left -= len(part)
micropython.kbd_intr(3)
print(h.digest().hex())
"""
    terminal.send(source.encode() + b"\x04")
    terminal.until(b"go\r\n")
    terminal.send(data)
    assert hashlib.sha256(data).hexdigest().encode() in terminal.until(b"\x04>")


def test_what_is_typed_ahead_survives_a_soft_reset(terminal):
    terminal.send(b"\x04")
    terminal.send(b"print('early')\x04")
    terminal.until(RAW_PROMPT)
    assert b"early" in terminal.until(b"\x04>")
