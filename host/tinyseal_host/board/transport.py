"""The link to a board: mpremote's serial transport, held to time-outs and to one kind of error.

Every call into mpremote is in this file. What the board's `tinyseal.remote` answers comes back through `Link.call`.
"""

from __future__ import annotations

import base64
import contextlib
import io
import json
import os
import secrets
import struct
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import serial
import serial.tools.list_ports
from mpremote.transport import TransportError
from mpremote.transport_serial import SerialTransport

from ..errors import BoardError, Refusal, RefusedError, TinysealError
from ..files import reason

Progress = Callable[[int, int], None]
"""Told the bytes done and the bytes in all."""

_LINK_ERRORS = (TransportError, OSError, serial.SerialException, ValueError)
_ENTER_S = 10.0
_ANSWER_S = 60.0  # opening a model on a slow chip: RSA, GHASH and the self-test
_BYTE_S = 5.0
_TRIES = 3
_CHUNK = 3072  # bytes a round trip: 4 KiB of base64, which the board's compiler holds twice
_BUSY_HINT = "close what else uses the port (a serial monitor, another mpremote), or name another with --port"
_GARBLED_HINT = "try again; if it happens often, bytes are lost or changed on the way: another cable or port may help"
_RAW_REPL_HINT = "press the board's reset button and try again; MicroPython must be on it, with its REPL open"


class Link:
    """A board in the raw REPL. BoardError when it goes away, does not answer in time, or runs no MicroPython."""

    def __init__(self, device: str, transport: SerialTransport) -> None:
        self.device = device
        self._transport = transport

    def run(self, code: str | bytes, *, timeout_s: float = _ANSWER_S) -> str:
        """Execute `code` and return what it prints; TinysealError when the board cannot do it, with the reason.

        What code of ours should never raise is the link's fault: BoardError.
        """
        with self._errors():
            output, error = self._transport.exec_raw(code, timeout=timeout_s)
        if error:
            raised = _last_line(error)
            if raised.startswith("MemoryError"):
                raise refused(Refusal.MEMORY, raised.partition(": ")[2])
            message = f"{self.device}: the board raised {raised}"
            if raised.startswith(("OSError", "ImportError")):
                raise TinysealError(message)
            raise BoardError(message, hint=_GARBLED_HINT)
        return bytes(output).decode(errors="replace")

    def json(self, code: str) -> Any:
        """Execute `code`, whose last printed line is JSON; the value."""
        lines = self.run(code).strip().splitlines()
        try:
            return json.loads(lines[-1])
        except (ValueError, IndexError):
            said = lines[-1][:80] if lines else "nothing"
            raise BoardError(f"{self.device}: the board answered {said!r}, wanted JSON", hint=_GARBLED_HINT) from None

    def call(self, name: str, *arguments: str | int | list[int]) -> Any:
        """Call a function of the board's `tinyseal.remote`; RefusedError when it raised a SealError."""
        parameters = "".join(f", {argument!r}" for argument in arguments)
        answer = self.json(f"from tinyseal import remote; remote.call({name!r}{parameters})")
        if isinstance(answer, dict) and "result" in answer:
            return answer["result"]
        if not isinstance(answer, dict) or not isinstance(answer.get("code"), int):
            raise BoardError(
                f"{self.device}: the board answers in another protocol", hint="tinyseal provision --port ..."
            )
        raise refused(answer["code"], str(answer.get("detail", "")))

    def interrupt(self) -> None:
        """End what runs on the board, whatever became of the last call."""
        with self._errors():
            self._transport.enter_raw_repl(soft_reset=False, timeout_overall=_ENTER_S)

    def restart(self) -> None:
        """Soft reset: every module is loaded anew."""
        with self._errors():
            self._transport.enter_raw_repl(soft_reset=True, timeout_overall=_ENTER_S)

    @contextlib.contextmanager
    def understanding(self) -> Iterator[None]:
        """BoardError where an answer is taken apart and has not the shape that it should have."""
        try:
            yield
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise BoardError(f"{self.device}: the board's answer makes no sense", hint=_GARBLED_HINT) from error

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        """What mpremote, pyserial and the system raise, as a BoardError."""
        try:
            with contextlib.redirect_stdout(io.StringIO()):  # mpremote prints what it could not read
                yield
        except (*_LINK_ERRORS, struct.error) as error:  # struct.error: it went quiet in the middle of a handshake
            raise BoardError(f"{self.device}: the board does not answer", hint=_RAW_REPL_HINT) from error


def base64_chunks(data: bytes) -> Iterator[tuple[int, str]]:
    """(offset, base64 text) pieces of `data`, each small enough for one round trip."""
    for at in range(0, len(data), _CHUNK):
        yield at, base64.b64encode(data[at : at + _CHUNK]).decode()


def refused(code: int, detail: str) -> RefusedError:
    """What a board's SealError means to a person."""
    reasons = {
        Refusal.NO_MODEL: ("no model is on the board", "tinyseal push M.seal --port ..."),
        Refusal.FORMAT: ("not a sealed file of this format", None),
        Refusal.WRONG_BOARD: ("sealed for another board", "seal it for this board's id"),
        Refusal.ROLLBACK: ("older than what the board has accepted", "build it with a higher --version"),
        Refusal.NO_KEY: ("the board has no key for it", "tinyseal provision --port ... --keys ..."),
        Refusal.ENGINE: ("the board's crypto engine gives wrong answers", "reset the board and try again"),
        Refusal.AUTHENTICATION: ("altered, damaged, or sealed with another key", None),
        Refusal.SIGNATURE: ("not signed by the board's signer", None),
        Refusal.RELEASE: (
            "signed, but not a valid release",
            "build it with the same version of tinyseal as the board's",
        ),
        Refusal.SELF_TEST: ("the network gives other bytes than it should", None),
        Refusal.MEMORY: ("not enough memory on the board", "stop what else runs there, or use a smaller model"),
        Refusal.CLOSED: ("the model was closed", None),
        Refusal.STORE: ("the board cannot read or write its own store", "tinyseal provision --port ... --keys ..."),
    }
    meaning, hint = reasons.get(code, ("for a reason that this version does not know", None))  # type: ignore[call-overload]
    name = Refusal(code).name if code in list(Refusal) else f"CODE {code}"
    message = f"the board refused it: {name}, {meaning}" + (f" ({detail})" if detail else "")
    return RefusedError(code, message, hint=hint)


def _last_line(error: bytes) -> str:
    lines = error.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "an exception"


@contextlib.contextmanager
def connect(device: str, *, soft_reset: bool = True) -> Iterator[Link]:
    """A Link to the board at a device path or pyserial URL, and the board running its program again afterwards.

    `soft_reset` ends what runs there and gives its memory back; without, only Ctrl-C is sent.
    """
    try:
        transport = SerialTransport(device, baudrate=115200, timeout=_BYTE_S)
    except _LINK_ERRORS as error:
        raise _not_opened(device) from error
    link = Link(device, transport)
    try:
        with link._errors():
            transport.enter_raw_repl(soft_reset=soft_reset, timeout_overall=_ENTER_S)
            _synchronise(transport)
        yield link
    finally:
        with contextlib.suppress(*_LINK_ERRORS):
            if transport.in_raw_repl:
                transport.exit_raw_repl()
                transport.serial.write(b"\x04")  # soft reset: boot.py and main.py run as after power-on
            transport.close()


def _synchronise(transport: SerialTransport) -> None:
    """Make sure that what the board says is the answer to what it was asked; TransportError if it never is.

    A session that was cut may have left code in the board's hands, and what it prints of that comes late.
    """
    for tries_left in reversed(range(_TRIES)):
        mark = secrets.token_hex(4)
        transport.use_raw_paste = True  # mpremote gives it up when it gets another answer than it has expected
        try:
            output, _ = transport.exec_raw(f"print({mark!r})", timeout=_ENTER_S)
            if output.strip() == mark.encode() and transport.use_raw_paste:
                return
        except (TransportError, struct.error):
            if not tries_left:
                raise
        transport.enter_raw_repl(soft_reset=False, timeout_overall=_ENTER_S)
    raise TransportError("the answers are to other questions")


def _not_opened(device: str) -> BoardError:
    """Why a port cannot be opened: mpremote does not say, so the file behind it is asked once more."""
    if "://" in device:
        return BoardError(f"{device}: cannot be opened", hint="is the server up, and nobody else connected to it?")
    try:
        os.close(os.open(device, os.O_RDWR | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_NONBLOCK", 0)))
    except PermissionError as error:
        hint = "add yourself to the group that owns it (often dialout), and log in again"
        return BoardError(f"{device}: {reason(error)}", hint=hint)
    except FileNotFoundError as error:
        found = ", ".join(list_devices()) or "no board on USB"
        return BoardError(f"{device}: {reason(error)}", hint=f"found: {found}; --port sim is a virtual board")
    except OSError as error:
        return BoardError(f"{device}: {reason(error)}", hint=_BUSY_HINT)
    return BoardError(f"{device}: cannot be opened as a serial port", hint=_BUSY_HINT)


def list_devices() -> Sequence[str]:
    """The serial ports with a USB device behind them, by name."""
    return sorted(port.device for port in serial.tools.list_ports.comports() if port.vid is not None)
