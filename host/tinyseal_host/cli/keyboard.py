"""Keys as they are pressed, without Enter, where stdin is a terminal."""

from __future__ import annotations

import contextlib
import os
import select
import sys
from collections.abc import Iterator

try:
    import termios
    import tty
except ImportError:  # Windows: Ctrl-C is all there is
    HAS_KEYS = False
else:
    HAS_KEYS = True


class Keyboard:
    """`pressed()` gives the keys since the last time, "" for none."""

    def __init__(self, reads: bool) -> None:
        self.reads = reads

    def pressed(self) -> str:
        """Without waiting."""
        found = ""
        while self.reads and select.select([sys.stdin], [], [], 0)[0]:
            keys = os.read(sys.stdin.fileno(), 64)
            if not keys:  # the terminal is gone
                self.reads = False
            found += keys.decode(errors="replace")
        return found


@contextlib.contextmanager
def keyboard() -> Iterator[Keyboard]:
    """The terminal gives keys one by one, and is as before afterwards; Ctrl-C stays what it is."""
    if not HAS_KEYS or not sys.stdin.isatty():
        yield Keyboard(False)
        return
    before = termios.tcgetattr(sys.stdin)
    tty.setcbreak(sys.stdin)
    try:
        yield Keyboard(True)
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
