"""`machine.Timer`. The program that hosts the VM keeps the time, and schedules `_ring` when a timer is due."""

import builtins
import struct
import time

import settings
import uctypes
from report import report

_COUNT = 4
_NUMBER_BITS = 2
_ALARM = "<QIQBB"  # interpreter.py says what they are
_OFF = -1
_LONGEST_MS = 0xFFFFFFFF

_timers = [None] * _COUNT
_commands = _queued = None


class Timer:
    """One of four timers, the same object for the same number, as on an ESP32.

    Its callback gets the Timer. It runs between two bytecodes of whatever runs, or while the REPL waits for input.
    """

    ONE_SHOT, PERIODIC = 0, 1

    def __new__(cls, id, **_):
        """Timer number `id`, 0 to 3; ValueError for another."""
        if _commands is None:
            raise NotImplementedError("no timers with a VM that MICROPYTHON names")
        if not 0 <= id < _COUNT:
            raise ValueError(f"invalid Timer number, max {_COUNT}")
        if _timers[id] is None:
            _timers[id] = object.__new__(cls)
        return _timers[id]

    def __init__(self, id, **options):
        """Take the timer as it is, or set it with the options of `init`."""
        if not hasattr(self, "_id"):
            self._id = id
            self._serial = 0  # a new one whenever it is stopped or set
            self._mode, self._period_us, self._callback, self._since_us = self.PERIODIC, _OFF, None, 0
        if options:
            self.init(**options)

    def __repr__(self):
        """As a chip's prints itself."""
        mode = "PERIODIC" if self._mode else "ONE_SHOT"
        return f"Timer({self._id}, mode={mode}, period={max(0, self._period_us) // 1000})"

    def init(self, *, mode=PERIODIC, callback=None, period=_LONGEST_MS, tick_hz=1000, freq=None, hard=False):
        """Start: `period` is in units of 1/`tick_hz` s, `freq` in Hz; ValueError when it is not 1 to 2^32 - 1 ms."""
        self.deinit()
        if hard:
            raise ValueError("hard Timers are not implemented")
        period_us = int(1_000_000 / freq) if freq is not None else period * 1_000_000 // tick_hz
        if not 1000 <= period_us <= _LONGEST_MS * 1000:
            raise ValueError(f"period is not 1 to {_LONGEST_MS} ms")
        self._mode, self._callback, self._period_us = mode, callback, period_us
        self._since_us = time.ticks_us()
        self._command(period_us)

    def deinit(self):
        """Stop; its callback does not run any more."""
        self._serial = self._serial + 1 & 0xFFFFFF
        self._period_us = _OFF
        self._command(0)

    def value(self):
        """Milliseconds since it was started or was last due; ValueError when it is not set."""
        if self._period_us == _OFF:
            raise ValueError("timer not set")
        passed_us = time.ticks_diff(time.ticks_us(), self._since_us)
        return (passed_us % self._period_us if self._mode else passed_us) // 1000

    def _command(self, period_us):
        argument = self._serial << _NUMBER_BITS | self._id
        _commands.write(struct.pack(_ALARM, id(_ring), argument, period_us, bool(self._mode), self._id))


def _ring(argument):
    """Run the callback of a timer; an exception is printed, as the VM does with what was scheduled."""
    number = argument & _COUNT - 1
    # First of all and without a jump, at which the VM raises a Ctrl-C: else the timer would wait for this for ever.
    _queued[number] = 0
    timer = _timers[number]
    if timer._serial != argument >> _NUMBER_BITS:  # stopped or set anew since it was due
        return
    try:
        timer._callback(timer)
    except BaseException as error:  # noqa: BLE001 - as the VM itself does, KeyboardInterrupt too
        report(error, __file__)


if settings.TIMERS:
    _fd, _address = settings.TIMERS
    _commands = open(int(_fd), "wb")  # noqa: SIM115 - open for as long as the VM lives
    _queued = uctypes.bytearray_at(int(_address), _COUNT)
    # What the other thread may schedule at any moment must never be collected, whatever a program does to its modules.
    # This is one of the few places that the collector starts from and that nobody empties.
    builtins.__machine_timer__ = _ring
