"""The VM's `sys` with a `stdout.buffer` that is not translated, as on a board, and with the board's name.

The VM writes `print` and `sys.stdout.buffer` to one descriptor, where the relay turns a line feed into CR LF. What goes
to the buffer must arrive as it is, so it takes another way.
"""

import io
import sys
from collections import namedtuple

import control
from settings import MACHINE, NATIVE

_CHUNK = 4096  # bytes of one message; the heap needs room for it
_POLL, _WRITABLE = 3, 4  # py/stream.h
_MPY_VERSION = 0x3FF  # py/persistentcode.h: the version's bits, with the architecture above them


class _Output(io.IOBase):
    def ioctl(self, request, argument):
        """Tell `select.poll` that there is always room."""
        return argument & _WRITABLE if request == _POLL else 0

    def flush(self):
        """Nothing: nothing is kept."""


class _Buffer(_Output):
    def write(self, buf, offset=None, length=None):
        """Send bytes as they are: all, the first `offset`, or `length` from `offset` on, as streams of the VM do."""
        # Anything else may have items of several bytes, which a view counts as one; a copy has them one by one.
        view = memoryview(buf if isinstance(buf, (bytes, bytearray, str)) else bytes(buf))
        if length is not None:
            view = view[offset : offset + length]
        elif offset is not None:
            view = view[:offset]
        for at in range(0, len(view), _CHUNK):
            control.ask(b"W", view[at : at + _CHUNK])
        return len(view)


class _Stdout(_Output):
    buffer = _Buffer()

    def write(self, buf, *part):
        """Send text, its line feeds as CR LF."""
        return sys.stdout.write(buf, *part)


def _named(implementation):
    """`sys.implementation` with the board's name for `_machine`, and in `_mpy` no architecture where there is none."""
    names = ("name", "version", "_machine", "_mpy", "_build", "_thread")[: len(implementation)]
    mpy = implementation[3] if NATIVE else implementation[3] & _MPY_VERSION
    return namedtuple("implementation", names)(*implementation[:2], MACHINE, mpy, *implementation[4:])


class Sys:
    """A stand-in for the module: all else is asked of it and set in it."""

    stdout = _Stdout()
    implementation = _named(sys.implementation)

    def __getattr__(self, name):
        return getattr(sys, name)

    def __setattr__(self, name, value):
        setattr(sys, name, value)
