"""What the VM prints on its way to the host: line endings, and which REPL it is in."""

from __future__ import annotations

import re

_RAW_BANNER = b"raw REPL; CTRL-B to exit\r\n"  # shared/runtime/pyexec.c
_FRIENDLY_BANNER = b'Type "help()" for more information.\r\n'
_LONE_LF = re.compile(rb"(?<!\r)\n")


class Console:
    """One life of the VM as the host sees it.

    A board's `print` turns a line feed into CR LF; the unix VM leaves that to a terminal. Its REPL's own lines have
    CR LF already, and are let through.
    """

    def __init__(self, raw: bool) -> None:
        """Begin with nothing printed, in the raw REPL or the friendly one."""
        self.raw = raw
        self._cr = b""  # the last byte, if it was a CR
        self._tail = b""
        self._hiding = False

    def hide_until_raw(self) -> None:
        """Keep what comes from the host until the raw REPL says that it is there."""
        self._hiding = True

    def cook(self, data: bytes) -> bytes:
        """What the host gets for `data`, which the VM has printed."""
        cooked = _LONE_LF.sub(b"\r\n", self._cr + data)[len(self._cr) :]
        self.passed(data)
        seen = self._tail + cooked
        raw_at, friendly_at = seen.rfind(_RAW_BANNER), seen.rfind(_FRIENDLY_BANNER)
        if self._hiding:
            self._tail = seen
            if raw_at < 0:
                return b""
            self._hiding = False
            cooked = seen[raw_at:]
        if raw_at >= 0 or friendly_at >= 0:
            self.raw = raw_at > friendly_at
        self._tail = seen[-len(_FRIENDLY_BANNER) :]
        return cooked

    def passed(self, data: bytes) -> None:
        """Take note of bytes that went to the host as they are."""
        self._cr = data[-1:] if data.endswith(b"\r") else b""
