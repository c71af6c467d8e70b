"""Keeps a rate."""

from utime import sleep_ms, sleep_us, ticks_add, ticks_diff, ticks_us


class Pace:
    """`wait()` returns `rate_hz` times a second, 0.01 or more; who comes too late by a period starts anew."""

    def __init__(self, rate_hz):
        self._period_us = int(1000000 / rate_hz)
        self._due = ticks_us()

    def wait(self):
        self._due = ticks_add(self._due, self._period_us)
        left_us = ticks_diff(self._due, ticks_us())
        if left_us < -self._period_us:
            self._due = ticks_us()
        if left_us > 2000:
            sleep_ms(left_us // 1000 - 1)  # other tasks run, and Ctrl-C ends it
            left_us = ticks_diff(self._due, ticks_us())
        if left_us > 0:
            sleep_us(left_us)
