"""What the relay says on the command line, and the state directory, read while the host's filesystem is still there."""

import sys

import vfs


class StateError(Exception):
    """The state directory holds something that a board cannot start from."""


_, _state_dir, _fd, _unique_id, _cause, _raw, _native, CHIP, _has_registers, CUT, *_timers = sys.argv

MACHINE = "tinyseal virtual board"  # what os.uname() and sys.implementation call it
# A board that is a chip adds it as stock firmware does: MICROPY_HW_BOARD_NAME " with " MICROPY_HW_MCU_NAME.
_MCU_NAMES = {"esp32s2": "ESP32-S2"}
if CHIP:
    MACHINE += " with " + _MCU_NAMES.get(CHIP, CHIP.upper())

HOST = vfs.VfsPosix()  # no root of its own: with one, VfsPosix.rename takes both names for the second
CONTROL = open(int(_fd), "r+b")  # noqa: SIM115 - open for as long as the VM lives
UNIQUE_ID = bytes.fromhex(_unique_id)
RESET_CAUSE = int(_cause)
RAW_REPL = _raw == "1"
NATIVE = _native == "1"
HAS_REGISTERS = _has_registers == "1"
TIMERS = _timers[0].split(",") if _timers else None  # from interpreter.py, for timer.py


def state_file(name):
    """Path of a file of the state directory, for `HOST`."""
    return _state_dir + "/" + name
