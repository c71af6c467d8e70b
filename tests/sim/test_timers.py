"""`machine.Timer`: when callbacks run, when they do not, and what they must not break."""

import shutil
import sys
import time
from pathlib import Path

import pytest
from sim.terminal import RAW_PROMPT, SOFT_REBOOT
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
def counting(terminal):
    """A terminal on a board on which `tick` counts, and `spend` takes time in bytecode alone."""
    assert terminal.execute(COUNTER) == ("", "")
    return terminal


PASSING = {
    "sleep_ms": "time.sleep_ms(300)",
    "sleep": "time.sleep(0.3)",
    "a tight loop": "spend(300)",
    "poll": "poll = select.poll(); poll.register(sys.stdin, select.POLLIN); poll.poll(300)",
    "garbage collection": "for _ in range(100):\n spend(3)\n a = [bytearray(99) for _ in range(200)]",
}


@pytest.mark.parametrize("passing", PASSING.values(), ids=PASSING.keys())
def test_a_periodic_callback_runs_during(counting, passing):
    source = f"""
began = time.ticks_ms()
Timer(0).init(period=5, callback=tick)
{passing}
counted, passed = count, time.ticks_diff(time.ticks_ms(), began)
Timer(0).deinit()
print(counted, passed)
"""
    counted, passed = map(int, counting.value(source).split())
    assert 300 <= passed < 2000
    # Never more than are due; a busy machine may be late, and what was missed is not made up for.
    assert passed // 5 // 4 < counted <= passed // 5


def test_it_runs_while_code_reads_the_input(counting):
    counting.send(
        b"Timer(0).init(period=5, callback=tick)\nprint('go')\nc = sys.stdin.read(1)\nprint(c, count > 9)\x04"
    )
    counting.until(b"go\r\n")
    time.sleep(0.3)
    counting.send(b"x")
    assert counting.until(b"\x04>") == b"x True\r\n\x04\x04>"


@pytest.mark.parametrize("mode", [b"", b"\x02"], ids=["raw", "friendly"])
def test_it_runs_while_the_repl_waits(counting, mode):
    counting.value("Timer(0).init(period=40, callback=lambda timer: print('tick', timer))\nprint()")
    counting.send(mode)
    for _ in range(4):
        counting.until(b"tick Timer(0, mode=PERIODIC, period=40)\r\n", timeout_s=3)


def test_a_one_shot_runs_once_and_not_early(counting):
    source = """
def note(timer):
    ran.append((timer is alarm, time.ticks_diff(time.ticks_us(), began)))
ran = []
began = time.ticks_us()
alarm = Timer(1, mode=Timer.ONE_SHOT, period=20, callback=note)
time.sleep_ms(150)
print(len(ran), *ran[0])
"""
    times, same, after_us = counting.value(source).split()
    assert (times, same) == ("1", "True")
    assert int(after_us) >= 20_000


def test_none_runs_after_deinit(counting):
    source = """
alarm = Timer(0, period=1, callback=tick)
early = []
for _ in range(50):
    alarm.init(period=1, callback=tick)
    spend(4)
    alarm.deinit()
    early.append(count)
    spend(2)
    early[-1] -= count
print(count > 50, any(early))
"""
    assert counting.value(source) == "True False"


def test_what_is_set_anew_does_not_get_the_tick_of_what_was_set_before(counting):
    source = """
def late(timer):
    # The other is due now, and waits for this to end.
    spend(15)
    Timer(1).init(mode=Timer.ONE_SHOT, period=60000, callback=tick)
Timer(1).init(mode=Timer.ONE_SHOT, period=20, callback=tick)
Timer(0).init(mode=Timer.ONE_SHOT, period=10, callback=late)
time.sleep_ms(200)
print(count)
"""
    assert counting.value(source) == "0"


def test_four_run_at_once_each_at_its_own_pace(counting):
    source = """
counts = [0] * 4
def pace(timer):
    counts[timers.index(timer)] += 1
timers = [Timer(n) for n in range(4)]
for n in range(4): timers[n].init(period=10 << n, callback=pace)
time.sleep_ms(810)
seen = counts[:]
for timer in timers: timer.deinit()
print(*seen)
"""
    counts = [int(count) for count in counting.value(source).split()]
    assert all(most // 2 <= count <= most + 1 for count, most in zip(counts, (81, 40, 20, 10), strict=True)), counts


def test_a_callback_that_fails_is_printed_and_called_again(counting):
    counting.value("def fail(timer): 1/0\nTimer(0).init(period=30, callback=fail)\nprint()")
    wanted = b'Traceback (most recent call last):\r\n  File "<stdin>", line 1, in fail\r\n'
    for _ in range(3):
        assert counting.until(b"ZeroDivisionError: divide by zero\r\n").endswith(
            wanted + b"ZeroDivisionError: divide by zero\r\n"
        )
    assert "divide" not in counting.value("Timer(0).deinit(); time.sleep_ms(100); print('quiet')").split("quiet")[1]


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
Timer(1).init(mode=Timer.ONE_SHOT, period=30, callback=tick)
Timer(0).init(mode=Timer.ONE_SHOT, period=5, callback=fill)
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
    # Far more than all the pipes between take, in one piece: the VM is in the middle of writing it when timers are due.
    source = "Timer(0).init(period=1, callback=tick)\nfor _ in range(6): print('0123456789' * 10000)\nTimer(0).deinit()"
    counting.send(source.encode() + b"\x04")
    time.sleep(0.5)
    wanted = b"OK" + (b"0123456789" * 10000 + b"\r\n") * 6 + b"\x04\x04>"
    got = b""
    while len(got) < len(wanted):
        got += counting.exactly(min(4096, len(wanted) - len(got)))
        time.sleep(0.001)
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


def test_a_number_means_one_timer_and_value_how_long_it_has_run(counting):
    assert counting.value("print(Timer(2) is Timer(2), Timer(2) is Timer(1), Timer(3))") == (
        "True False Timer(3, mode=PERIODIC, period=0)"
    )
    source = "alarm = Timer(2, period=60000, callback=tick); time.sleep_ms(50); print(alarm.value(), alarm)"
    value, printed = counting.value(source).split(maxsplit=1)
    assert 49 <= int(value) < 1000
    assert printed == "Timer(2, mode=PERIODIC, period=60000)"


@pytest.mark.parametrize(
    ("options", "period"), [("freq=20", 50), ("freq=2.5", 400), ("period=3, tick_hz=10", 300), ("period=7", 7)]
)
def test_a_period_can_be_told_in_three_ways(counting, options, period):
    assert counting.value(f"print(Timer(0, {options}, callback=tick))") == f"Timer(0, mode=PERIODIC, period={period})"


@pytest.mark.parametrize(
    ("call", "why"),
    [
        ("Timer(4)", "ValueError: invalid Timer number, max 4"),
        ("Timer(-1)", "ValueError: invalid Timer number, max 4"),
        ("Timer(0, period=0)", "ValueError: period is not 1 to 4294967295 ms"),
        ("Timer(0, period=-5)", "ValueError: period is not 1 to 4294967295 ms"),
        ("Timer(0, freq=2000)", "ValueError: period is not 1 to 4294967295 ms"),
        ("Timer(0, period=1 << 32)", "ValueError: period is not 1 to 4294967295 ms"),
        ("Timer(0, period=10, hard=True)", "ValueError: hard Timers are not implemented"),
        ("Timer(0).value()", "ValueError: timer not set"),
    ],
)
def test_what_cannot_be_set_is_refused(counting, call, why):
    assert counting.execute(call)[1].endswith(why + "\n")


def test_a_program_that_micropython_names_has_none_and_says_so(monkeypatch, tmp_path, open_terminal):
    program = shutil.which("micropython", path=str(Path(sys.executable).parent))
    assert program, "the development set-up has the program"
    monkeypatch.setenv("MICROPYTHON", program)
    with VirtualBoard(tmp_path) as board:
        terminal = open_terminal(board)
        terminal.raw()
        assert (
            "NotImplementedError: no timers with a VM that MICROPYTHON names"
            in terminal.execute("import machine; machine.Timer(0)")[1]
        )
