"""What passes a serial port, as it may stand in a report."""

from __future__ import annotations

import re

_LIMIT = 16 << 10  # bytes of the end that are kept
_LONG, _HEAD, _TAIL = 1000, 400, 300  # bytes of a piece, and of its ends when it is longer: files are sent in such
_FLOW_CONTROL = b"\x01"  # raw paste's "go on", which comes alone in the middle of what is sent
# A device key, which `provision` sends, has 64 hexadecimal digits.
_SECRET = re.compile(rb"[0-9A-Fa-f]{64,}")
_CUT_SECRET = re.compile(rb"\A[0-9A-Fa-f]+")


class Transcript:
    """Collects pieces of bytes; `text` has their end, without the keys."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Begin anew."""
        self._pieces: list[tuple[bytearray, bool]] = []
        self._size = self._dropped = 0

    def note(self, data: bytes, sent: bool) -> None:
        """A piece, sent by the host or by the board."""
        if data == _FLOW_CONTROL and not sent:
            return
        if self._pieces and self._pieces[-1][1] is sent:
            self._pieces[-1][0].extend(data)
        elif data:
            self._pieces.append((bytearray(data), sent))
        self._size += len(data)
        while self._size > _LIMIT:
            first = self._pieces[0][0]
            drop = min(len(first), self._size - _LIMIT)
            del first[:drop]
            self._size -= drop
            self._dropped += drop
            if not first:
                self._pieces.pop(0)

    def text(self) -> str:
        """A line a line, `> ` before the host's and `< ` before the board's; empty when nothing has passed."""
        lines = [f"({self._dropped} bytes before)"] if self._dropped else []
        for number, (data, sent) in enumerate(self._pieces):
            piece = bytes(data)
            if self._dropped and not number:
                piece = _CUT_SECRET.sub(b"", piece)
            piece = _SECRET.sub(lambda found: b"(%d hexadecimal digits)" % len(found[0]), piece)
            if len(piece) > _LONG:
                left_out = len(piece) - _HEAD - _TAIL
                piece = b"%b\n(%d bytes)\n%b" % (piece[:_HEAD], left_out, piece[-_TAIL:])
            lines += [("> " if sent else "< ") + _printable(line) for line in piece.splitlines()]
        return "\n".join(lines)


def _printable(line: bytes) -> str:
    text = line.decode(errors="backslashreplace")
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)
