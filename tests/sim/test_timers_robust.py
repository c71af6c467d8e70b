"""`machine.Timer`: what timers must not break, and what must not break them."""

import signal
import time
from pathlib import Path

import pytest
from sim.terminal import RAW_PROMPT, SOFT_REBOOT

SIGNALS = {signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2}


def test_one_that_finds_the_queue_of_the_vm_full_runs_later(counting):
    source = """
import micropython
def fill(timer):
    global filled
    filled = 0
    try:
        while True:
            micropython.schedule(lambda _: None, 0)
            filled += 1
    except RuntimeError:
        spend(50)
        print(filled > 1, count)
Timer(0).init(mode=Timer.ONE_SHOT, period=30, callback=fill)
Timer(1).init(mode=Timer.ONE_SHOT, period=40, callback=tick)
time.sleep_ms(200)
print(count)
"""
    assert counting.value(source) == "True 0\n1"


def test_ctrl_c_stops_the_code_and_not_the_timer(counting):
    counting.send(b"Timer(0).init(period=20, callback=tick)\nprint('go')\nwhile True: time.sleep_ms(50)\x04")
    counting.until(b"go\r\n")
    counting.send(b"\x03")
    assert b"KeyboardInterrupt" in counting.until(b"\x04>")
    assert counting.value("n = count; time.sleep_ms(200); print(count > n)") == "True"


def test_signals_are_for_the_thread_of_the_vm_alone(board, terminal):
    blocked = {}
    for status in Path(f"/proc/{board.vm_pid}/task").glob("*/status"):
        fields = dict(line.split(":", 1) for line in status.read_text().splitlines())
        mask = int(fields["SigBlk"], 16)
        blocked[int(fields["Pid"])] = {number for number in SIGNALS if mask >> (number - 1) & 1}
    assert blocked.pop(board.vm_pid) == set()
    assert list(blocked.values()) == [SIGNALS]


def test_collecting_garbage_for_two_seconds_with_four_timers_does_no_harm(board, counting):
    source = """
def allocate(timer):
    global count, kept
    kept = [bytearray(32) for _ in range(8)]
    count += 1
for n in range(4): Timer(n).init(period=1 + n, callback=allocate)
end = time.ticks_ms() + 2000
while time.ticks_ms() < end:
    pieces = [bytes([n & 255]) * 150 for n in range(150)]
    gc.collect()
    if any(len(p) != 150 or set(p) != {n} for n, p in enumerate(pieces)): print('overwritten')
for n in range(4): Timer(n).deinit()
gc.collect()
print(count > 100, len(bytearray(100_000)))
"""
    vm = board.vm_pid
    out, err = counting.execute(source, timeout_s=30)
    assert (out, err) == ("True 100000\n", "")
    assert board.vm_pid == vm


def test_callbacks_write_files_while_the_program_does(counting):
    source = """
def log(timer):
    global count
    with open('log', 'a') as file: file.write('%d\\n' % count)
    count += 1
Timer(0).init(period=2, callback=log)
for n in range(60):
    with open('f', 'w') as file: file.write(str(n % 10) * 5000)
    with open('f') as file:
        if file.read() != str(n % 10) * 5000: print('not as written')
Timer(0).deinit()
with open('log') as file: print(count > 5, [int(line) for line in file] == list(range(count)))
"""
    assert counting.value(source) == "True True"


def test_callbacks_write_bytes_to_the_host_while_the_program_does(counting):
    source = """
out = sys.stdout.buffer
def write(timer):
    global count
    count += 1
    out.write(b't\\n')
Timer(0).init(period=1, callback=write)
while count < 50: out.write(b'm\\n')
Timer(0).deinit()
print('end')
"""
    got = counting.execute(source)[0]
    assert got.endswith("t\nend\n") or got.endswith("m\nend\n")
    assert got.count("t\n") >= 50
    assert set(got.splitlines()) == {"m", "t", "end"}


def test_no_output_is_lost_to_a_reader_who_is_slow(counting):
    # More than all the pipes between take, so that timers are due while the VM is in the middle of a write. `print`
    # goes on where it was cut, but of a traceback the VM would drop the rest.
    text = b"0123456789" * 10000
    source = "Timer(0).init(period=1, callback=tick)\nfor _ in range(3): print('0123456789' * 10000)\n"
    counting.send(source.encode() + b"raise ValueError('0123456789' * 10000)\x04")
    time.sleep(0.5)
    wanted = b"OK" + (text + b"\r\n") * 3 + b"\x04Traceback (most recent call last):\r\n"
    wanted += b'  File "<stdin>", line 3, in <module>\r\nValueError: ' + text + b"\r\n\x04>"
    got = b""
    while len(got) < len(wanted):
        got += counting.exactly(min(4096, len(wanted) - len(got)))
        time.sleep(0.002)
    assert got == wanted


RESETS = {
    "ctrl-d": (b"\x04", SOFT_REBOOT, RAW_PROMPT),
    "sys.exit": (b"sys.exit()\x04", SOFT_REBOOT, RAW_PROMPT),
    "machine.reset": (b"machine.reset()\x04", b"hard reset", b">>> "),
}


@pytest.mark.parametrize(("leave", "announced", "prompt"), RESETS.values(), ids=RESETS.keys())
def test_none_outlives_a_reset(counting, leave, announced, prompt):
    counting.value("for n in range(4): Timer(n).init(period=1 + n, callback=lambda timer: print('tick'))\nprint()")
    counting.until(b"tick")
    counting.send(leave)
    counting.until(announced)
    counting.until(prompt)
    time.sleep(0.1)
    counting.raw()
    assert counting.value("import time; time.sleep_ms(100); print('quiet')") == "quiet"
    assert "not set" in counting.execute("import machine; machine.Timer(0).value()")[1]


def test_the_vm_ends_cleanly_under_fast_timers(counting):
    for _ in range(8):
        counting.value("from machine import Timer\nfor n in range(4): Timer(n).init(period=1, callback=id)\nprint()")
        counting.send(b"\x04")
        assert b"died" not in counting.until(RAW_PROMPT)


def test_an_armed_timer_lives_though_nothing_names_it(counting):
    counting.value("Timer(0).init(period=10, callback=tick); modules = sys.modules.copy(); print()")
    source = "sys.modules.clear(); modules.clear(); del machine, Timer\n"
    source += "for _ in range(5): gc.collect(); a = [bytearray(50) for _ in range(2000)]; a = None\n"
    assert counting.value(source + "n = count; time.sleep_ms(200); print(count - n > 5)") == "True"
