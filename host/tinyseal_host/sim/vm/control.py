"""Messages to the relay, on a socket that keeps their bounds: one write there is one message."""

from settings import CONTROL

_sequence = 0


def tell(kind, data=b""):
    """Send one message: a letter and what belongs to it, as bytes."""
    CONTROL.write(kind + data)


def ask(kind, data=b""):
    """Send one message and wait until the relay has done what it asks for."""
    # The answer repeats this byte: one that Ctrl-C has kept from being read is told from the next.
    global _sequence  # noqa: PLW0603 - a module is the one object of its kind
    _sequence = (_sequence + 1) & 0xFF
    CONTROL.write(kind + bytes((_sequence,)) + data)
    while CONTROL.read(1) != bytes((_sequence,)):
        pass
