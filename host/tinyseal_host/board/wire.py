"""The serial port under a link: mpremote's transport, quiet and interruptible, and why a port does not open or answer.

mpremote prints what it could not read, and drops the reason why a port does not open. Several links can be up at once,
each in a thread of its own, so nothing here is changed for the whole process.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import serial.tools.list_ports
from mpremote import transport_serial
from mpremote.transport import TransportError

from ..errors import BoardError, quoted
from ..files import reason

_BAUD = 115200
_BYTE_S = 5.0
_WRITE_S = 20.0  # a port that takes no bytes for so long is dead: USB has no other way of saying it
_CONNECT_S = 5.0
_HEARD_LEN = 2048  # bytes of the board's last words that are kept
_ENTER_S = (2.0, 4.0)  # a chip that the opened port has reset takes a second or two to boot
_ENTER_BYTE_S = 0.5
_TRIES, _SYNCHRONISE_S = 3, 10.0
_INTERRUPTS = 10
_QUIET_S, _SETTLE_S = 0.3, 3.0
_PRINTABLE_SHARE = 0.7

_BUSY_HINT = "close what else uses the port (a serial monitor, another mpremote), or name another with --port"
_NO_ANSWER_HINT = "press the board's reset button and try again; MicroPython must be on it, with its REPL open"
_FLASH_HINT = "write MicroPython to it: https://micropython.org/download, and esptool"
_SERVER_HINT = "end the other connection, or let ser2net end it: kickolduser: true"
_SERVERS = ("socket://", "rfc2217://")
_CLOSED = ("disconnected", "Broken pipe", "reset by peer")

# What is heard instead of a raw REPL: a pattern, what that means, and what can be done about it.
_LAST_WORDS = (
    (
        rb"waiting for download|DOWNLOAD_BOOT|DOWNLOAD\(",
        "is in download mode, wanted MicroPython running",
        "press reset without holding BOOT (GPIO0 low is what brings it there)",
    ),
    (rb"invalid header: 0x|flash read err|No bootable app|csum err", "has no MicroPython in its flash", _FLASH_HINT),
    (rb"CircuitPython", "runs CircuitPython, wanted MicroPython", _FLASH_HINT),
    (
        rb"Port already in use|in use by",
        "is in use, says the server",
        _SERVER_HINT,
    ),
    (rb"(?i)(login|password): *$", "is a login prompt, wanted a board's REPL", "name another with --port"),
)

Tap = Callable[[bytes, bool], None]
"""Told every piece of bytes, and whether the host has sent it."""


class Wire(transport_serial.SerialTransport):  # type: ignore[misc]
    """mpremote's transport on a port that is open; TransportError and OSError as there.

    Once `stop` is set, the next use of the port raises KeyboardInterrupt, as Ctrl-C does in the main thread; what the
    port is used for after that, to leave the board in order, is let through.
    """

    def __init__(self, device: str, stop: threading.Event | None = None) -> None:
        super().__init__(device, baudrate=_BAUD, timeout=_BYTE_S)
        if "://" not in device:  # pyserial has no time-out for what it writes to a server
            self.serial.write_timeout = _WRITE_S
        self.heard = b""
        self.tap: Tap | None = None
        self._stop = stop
        self.serial.inWaiting = self._checked(self.serial.inWaiting)
        self.serial.write = self._speaking(self._checked(self.serial.write))
        self.serial.read = self._listening(self._checked(self.serial.read))

    def _checked(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def checked(*arguments: Any) -> Any:
            if self._stop is not None and self._stop.is_set():
                self._stop = None
                raise KeyboardInterrupt
            return function(*arguments)

        return checked

    def _listening(self, read: Callable[..., bytes]) -> Callable[..., bytes]:
        def listening(size: int = 1) -> bytes:
            data = read(size)
            self.heard = (self.heard + data)[-_HEARD_LEN:]
            if self.tap is not None:
                self.tap(data, False)
            return data

        return listening

    def _speaking(self, write: Callable[..., Any]) -> Callable[..., Any]:
        def speaking(data: bytes) -> Any:
            if self.tap is not None:
                self.tap(bytes(data), True)
            return write(data)

        return speaking

    def read_until(self, min_num_bytes: int, ending: bytes, *arguments: Any, **options: Any) -> bytes:
        """As in mpremote, but what does not end so is a TransportError here, before mpremote prints it."""
        data: bytes = super().read_until(min_num_bytes, ending, *arguments, **options)
        if not data.endswith(ending):
            raise TransportError(f"no {ending!r}")
        return data

    def enter(self, *, soft_reset: bool) -> None:
        """Into the raw REPL, whatever runs there: a program that catches Ctrl-C gets more of them."""
        first, *others = _ENTER_S
        with self._patient_for(_ENTER_BYTE_S):
            try:
                self.enter_raw_repl(soft_reset=soft_reset, timeout_overall=first)
            except TransportError:
                for timeout_s in others:
                    for _ in range(_INTERRUPTS):
                        self.serial.write(b"\x03")
                        _clock().sleep(_QUIET_S / _INTERRUPTS)  # several at once count as one
                    with contextlib.suppress(TransportError):
                        self.enter_raw_repl(soft_reset=False, timeout_overall=timeout_s)
                        break
                else:
                    raise
                # What was typed in vain may all be answered now, and must not be taken for the answer to what follows.
                self._settle()
                self.enter_raw_repl(soft_reset=soft_reset, timeout_overall=first)

    @contextlib.contextmanager
    def _patient_for(self, byte_s: float) -> Iterator[None]:
        """Where mpremote waits inside of a read, as on pseudo-terminals, it cannot look at its clock for that long."""
        if not getattr(self, "is_pty", False):
            yield
            return
        self.serial.timeout = byte_s
        try:
            yield
        finally:
            with contextlib.suppress(OSError):  # it may be gone
                self.serial.timeout = _BYTE_S

    def _settle(self) -> None:
        """Read until the board is quiet."""
        clock = _clock()
        quiet_at = end = clock.monotonic()
        end += _SETTLE_S
        while clock.monotonic() < min(quiet_at + _QUIET_S, end):
            if waiting := self.serial.inWaiting():
                self.serial.read(waiting)
                quiet_at = clock.monotonic()
            clock.sleep(0.01)

    def synchronise(self) -> None:
        """Make sure that what the board says is the answer to what it was asked; TransportError if it never is.

        A session that was cut may have left code in the board's hands, and what it prints of that comes late.
        """
        for tries_left in reversed(range(_TRIES)):
            mark, raised = secrets.token_hex(4), b""
            self.use_raw_paste = True  # mpremote gives it up when it gets another answer than it has expected
            try:
                output, raised = self.exec_raw(f"print({mark!r})", timeout=_SYNCHRONISE_S)
                if output.strip() == mark.encode() and (self.use_raw_paste or not tries_left):
                    return
            except (TransportError, struct.error):  # struct.error: it went quiet in the middle of a handshake
                if not tries_left:
                    raise
            self.enter(soft_reset=b"MemoryError" in raised)  # of what ran there, and has left nothing for us
        raise TransportError("the answers are to other questions")

    def leave(self, *, restart: bool, broken: bool) -> None:
        """Give the board back: its program started anew, or at the REPL's prompt. `broken`: it may be at anything."""
        if broken:
            self.serial.write(b"\r\x03\x03")  # out of a half-sent program, and out of one that runs
        self.exit_raw_repl()
        if restart:
            self.serial.write(b"\x04")  # soft reset: boot.py and main.py run as after power-on


def _clock() -> Any:
    """The clock by which mpremote waits."""
    return transport_serial.time


def open_wire(device: str, stop: threading.Event | None = None) -> Wire:
    """The port at a device path or pyserial URL, and nobody else's; BoardError with the reason."""
    try:
        return Wire(device, stop)
    except (TransportError, OSError, ValueError) as error:
        raise _not_opened(device) from error


def no_answer(device: str, heard: bytes, error: BaseException) -> BoardError:
    """Why a board does not answer as it should, from its last words and what the port raised."""
    for pattern, meaning, hint in _LAST_WORDS:
        if re.search(pattern, heard):
            return BoardError(f"{device}: the board {meaning}", hint=hint)
    if device.startswith(_SERVERS) and any(word in str(error) for word in _CLOSED):
        why = "" if heard else ", as one does that is in use"
        return BoardError(f"{device}: the server closed the connection{why}", hint=_SERVER_HINT)
    others = holders(device)
    if others:
        return BoardError(f"{device}: the board does not answer", hint=f"{others[0]} has the port open too: end it")
    words = re.sub(rb"[\r\n\x01-\x04>]+", b" ", heard).strip()
    if not words:
        return BoardError(f"{device}: the board does not answer", hint=_NO_ANSWER_HINT)
    if sum(32 <= byte < 127 for byte in words) < _PRINTABLE_SHARE * len(words):
        return BoardError(
            f"{device}: the board does not answer, {len(words)} bytes of no text came",
            hint=f"it may speak at another speed than {_BAUD} baud, or run no MicroPython",
        )
    last = quoted(words[-40:].decode(errors="replace").strip())
    return BoardError(f"{device}: the board does not answer, its last words are {last}", hint=_NO_ANSWER_HINT)


def _not_opened(device: str) -> BoardError:
    """Why a port cannot be opened: mpremote does not say, so what is behind it is asked once more."""
    if "://" in device:
        return _not_connected(device)
    try:
        descriptor = os.open(device, os.O_RDWR | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_NONBLOCK", 0))
    except PermissionError as error:
        hint = "add yourself to the group that owns it (often dialout), and log in again"
        return BoardError(f"{device}: {reason(error)}", hint=hint)
    except FileNotFoundError as error:
        found = ", ".join(list_devices()) or "no board on USB"
        return BoardError(f"{device}: {reason(error)}", hint=f"found: {found}; --port sim is a virtual board")
    except OSError as error:
        return BoardError(f"{device}: {reason(error)}", hint=_BUSY_HINT)
    try:
        if _locked(descriptor):
            who = ", ".join(holders(device)) or "another program"
            return BoardError(f"{device}: {who} has the port", hint=_BUSY_HINT)
    finally:
        os.close(descriptor)
    return BoardError(f"{device}: cannot be opened as a serial port", hint=_BUSY_HINT)


def _locked(descriptor: int) -> bool:
    """Whether another program has the lock that pyserial and others take on a port."""
    try:
        import fcntl  # noqa: PLC0415 - not on Windows, where a port in use does not open at all
    except ImportError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _not_connected(url: str) -> BoardError:
    parts = urlsplit(url)
    try:
        socket.create_connection((parts.hostname, parts.port), timeout=_CONNECT_S).close()
    except OSError as error:
        return BoardError(
            f"{url}: cannot be opened, {reason(error)}", hint="is the server up, and its port the right one?"
        )
    return BoardError(
        f"{url}: cannot be opened, though somebody listens there",
        hint="is nobody else connected, and the protocol right? socket:// is raw, rfc2217:// is telnet",
    )


def holders(device: str) -> list[str]:
    """The other programs that have a device open, as `NAME (pid N)`; only those that this user may look into."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if folder.name == str(os.getpid()) or device not in map(os.readlink, (folder / "fd").iterdir()):
                continue
            found.append(f"{(folder / 'comm').read_text().strip()} (pid {folder.name})")
    return sorted(found)


def list_devices() -> Sequence[str]:
    """The serial ports with a USB device behind them, by name."""
    return sorted(port.device for port in serial.tools.list_ports.comports() if port.vid is not None)
