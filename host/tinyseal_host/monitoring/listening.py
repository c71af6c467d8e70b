"""A board's port, only read: what runs there is neither interrupted nor told that somebody listens."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import serial

from ..board.wire import Wire, open_wire
from ..errors import BoardError

_WAIT_S = 0.1


class Port:
    """Bytes as they come; BoardError when the board is gone."""

    def __init__(self, device: str, wire: Wire) -> None:
        self.device = device
        self._wire = wire
        self._wire.serial.timeout = _WAIT_S

    def read(self) -> bytes:
        """What there is, after a tenth of a second at most."""
        try:
            data: bytes = self._wire.serial.read(max(1, self._wire.serial.inWaiting()))
        except (OSError, serial.SerialException, TypeError) as error:  # TypeError: pyserial, of a port that was closed
            raise BoardError(
                f"{self.device}: the board is gone",
                hint="is the cable in, and the board under power? then the same command again",
            ) from error
        return data


@contextlib.contextmanager
def listen(device: str) -> Iterator[Port]:
    """The port at a device path or pyserial URL; BoardError when it does not open."""
    wire = open_wire(device)
    try:
        yield Port(device, wire)
    finally:
        with contextlib.suppress(OSError, serial.SerialException):
            wire.close()
