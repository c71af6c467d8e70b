"""Messages to the relay, on a socket that keeps their bounds: one write there is one message."""

from settings import CONTROL

_sequence = 0
_waiting = []  # what is asked and not answered yet, by its byte


def tell(kind, data=b""):
    """Send one message: a letter and what belongs to it, as bytes."""
    CONTROL.write(kind + data)


def wait():
    """Let the relay do what it was told."""
    CONTROL.read(1)


def ask(kind, data=b""):
    """Send one message and wait until the relay has done what it asks for."""
    # The answer repeats this byte: one that Ctrl-C has kept from being read is told from the next.
    global _sequence  # noqa: PLW0603 - a module is the one object of its kind
    _sequence = (_sequence + 1) & 0xFF
    mine = bytes((_sequence,))
    # While this waits, a scheduled function can run and ask as well, and is then the one who reads the answer to this.
    others = b""
    _waiting.append(mine)
    try:
        CONTROL.write(kind + mine + data)
        answer = CONTROL.read(1)
        while answer != mine:
            if answer in _waiting:
                others += answer
            answer = CONTROL.read(1)
    finally:
        _waiting.remove(mine)
        if others:
            tell(b"A", others)
