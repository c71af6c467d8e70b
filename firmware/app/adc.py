"""Voltages."""

from ustruct import pack_into

from .pace import Pace


class Analogue:
    """Of each machine.ADC a value in turn, `rate_hz` times a second: in volts as float32.

    With `raw` int16, half of what `read_u16()` gives: 0 to 32767.
    """

    def __init__(self, adcs, rate_hz, raw=False):
        self._adcs = adcs
        self._raw = raw
        self._pace = Pace(rate_hz)

    def fill(self, frame):
        """Sample by sample, as many as fit."""
        size = 2 if self._raw else 4
        step = size * len(self._adcs)
        for at in range(0, len(frame) - step + 1, step):
            self._pace.wait()
            for i, adc in enumerate(self._adcs):
                if self._raw:
                    pack_into("<h", frame, at + size * i, adc.read_u16() >> 1)
                else:
                    pack_into("<f", frame, at + size * i, adc.read_uv() / 1000000)  # with the chip's own calibration
