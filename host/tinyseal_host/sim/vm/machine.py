"""The VM's `machine` with what an ESP32 has and the VM has not: identity, resets, clock, memory, timers."""

import time as _time

import control as _control
import settings as _settings
import uctypes as _uctypes
from timer import Timer  # noqa: F401 - for the board
from umachine import *  # noqa: F403 - whatever the VM has

# ports/esp32/modmachine.c
PWRON_RESET, HARD_RESET, WDT_RESET, DEEPSLEEP_RESET, SOFT_RESET = 1, 2, 3, 4, 5


class _Memory:
    """The process's own memory by address, as `mem32` is a chip's. The VM's own goes to the host's /dev/mem."""

    def __init__(self, kind):
        self._layout = {"value": kind | 0}

    def __getitem__(self, address):
        return _uctypes.struct(address, self._layout).value

    def __setitem__(self, address, value):
        _uctypes.struct(address, self._layout).value = value


mem8, mem16, mem32 = _Memory(_uctypes.UINT8), _Memory(_uctypes.UINT16), _Memory(_uctypes.UINT32)
if _settings.HAS_REGISTERS:
    import efuses as _efuses

    mem8, mem16, mem32 = _efuses.with_registers(mem8, mem16, mem32)


def unique_id():
    """Six bytes like a MAC address; the board keeps them."""
    return _settings.UNIQUE_ID


def reset_cause():
    """Why this life began: PWRON_RESET, HARD_RESET or SOFT_RESET."""
    return _settings.RESET_CAUSE


def reset():
    """Reset the board as its button does; does not return."""
    _control.tell(b"R")
    while True:
        _time.sleep(1)


def freq():
    """The clock in Hz that an ESP32 starts with; how fast the virtual board is has nothing to do with it."""
    return 160_000_000
