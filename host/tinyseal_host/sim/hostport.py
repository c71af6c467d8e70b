"""The board's end of the serial line: a pseudo-terminal whose other end mpremote opens."""

import contextlib
import os
import select
import termios
import time
import tty

from .cable import Cable

_QUEUE_LIMIT = 65536  # bytes of output kept for a slow reader before the VM is made to wait
_STALL_S = 5.0  # a reader that takes nothing for this long counts as gone


class HostPort:
    """Bytes to and from whoever has the port open.

    Output while nobody has it open is dropped, as a UART's is. While somebody has, nothing is dropped and the VM waits,
    unless that reader takes nothing for five seconds: then the oldest goes until it reads again, so that a forgotten
    terminal does not stop the board.
    """

    def __init__(self, cable: Cable | None = None) -> None:
        """Make the pseudo-terminal, with the settings that a serial port at rest has: no echo, nothing translated."""
        self.cable = cable or Cable()
        self._master, slave = os.openpty()
        tty.setraw(slave, termios.TCSANOW)
        self.path = os.ttyname(slave)
        # Linux keeps the settings while the master is open, and the master sees a hang-up whenever nobody has the
        # other end open: that is how `attached` knows. Holding the slave open here would hide it.
        os.close(slave)
        os.set_blocking(self._master, False)
        # Edge-triggered, because a hang-up would wake a level-triggered poll for ever.
        self._edges = select.epoll()
        self._edges.register(self._master, select.EPOLLIN | select.EPOLLOUT | select.EPOLLET)
        self._hangup = select.poll()
        self._hangup.register(self._master, 0)
        self._queue = bytearray()
        self._progress = time.monotonic()
        self.readable = True

    def fileno(self) -> int:
        """A descriptor that becomes readable when something happens at the port; then call `woken`."""
        return self._edges.fileno()

    def woken(self) -> None:
        """Take note of what `fileno` announced."""
        if self._edges.poll(0):
            self.readable = True

    @property
    def attached(self) -> bool:
        """Whether somebody has the port open."""
        return not any(flags & select.POLLHUP for _, flags in self._hangup.poll(0))

    @property
    def full(self) -> bool:
        """Whether the VM has to wait."""
        return len(self._queue) >= _QUEUE_LIMIT

    @property
    def pending(self) -> bool:
        """Whether output waits for the reader."""
        return bool(self._queue)

    def read(self) -> bytes:
        """What the host has sent, at most 64 KiB; empty and `readable` false when there is nothing."""
        try:
            data = os.read(self._master, 65536)
        except OSError:  # BlockingIOError: nothing there; EIO: nobody there
            self.readable = False
            return b""
        return self.cable.carry(data)

    def write(self, data: bytes) -> None:
        """Queue output for the reader; `flush` sends it."""
        if not self._queue:
            self._progress = time.monotonic()
        self._queue += self.cable.carry(data)

    def flush(self) -> None:
        """Send as much as the reader's side takes without waiting."""
        if self._queue and not self.attached:
            self._queue.clear()
        with contextlib.suppress(BlockingIOError):
            while self._queue:
                del self._queue[: os.write(self._master, memoryview(self._queue)[:16384].tobytes())]
                self._progress = time.monotonic()
        if self.full and time.monotonic() - self._progress > _STALL_S:
            del self._queue[: len(self._queue) - _QUEUE_LIMIT // 2]

    def close(self) -> None:
        """Pull the cable out: whoever has the port open has it no more."""
        self._edges.close()
        os.close(self._master)
