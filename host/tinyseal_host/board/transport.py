"""The link to a board: mpremote's raw REPL, held to time-outs and to one kind of error.

What the board's `tinyseal.remote` answers comes back through `Link.call`. The port itself is `wire`'s.
"""

from __future__ import annotations

import base64
import contextlib
import json
import struct
import threading
from collections.abc import Callable, Iterator
from typing import Any

import serial
from mpremote.transport import TransportError

from ..errors import BoardError, Refusal, RefusedError, TinysealError
from .wire import Wire, no_answer, open_wire

Progress = Callable[[int, int], None]
"""Told the bytes done and the bytes in all."""

_LINK_ERRORS = (TransportError, OSError, serial.SerialException, ValueError)
_ANSWER_S = 60.0  # opening a model on a slow chip: RSA, GHASH and the self-test
_CHUNK = 3072  # bytes a round trip: 4 KiB of base64, which the board's compiler holds twice
_GARBLED_HINT = "try again; if it happens often, bytes are lost or changed on the way: another cable or port may help"
REMOTE = "import tinyseal.remote as _r\n"
"""Code that `Link.call` is given."""
# What MicroPython says with and without the names of errors.
_NO_ROOM = ("OSError: 28", "OSError: [Errno 28] ENOSPC")


class Link:
    """A board in the raw REPL. BoardError when it goes away, does not answer in time, or runs no MicroPython."""

    def __init__(self, device: str, transport: Wire) -> None:
        self.device = device
        self._transport = transport
        self._defined: set[str] = set()  # the code that later code builds on, since the last restart

    def attempt(self, code: str | bytes, *, given: str = "", timeout_s: float = _ANSWER_S) -> tuple[str, str]:
        """Execute `code`: what it prints, and the last line of the exception that it raised, if it did.

        `given` is what the code needs defined, and goes before it unless the board has it since its last restart.
        """
        if given not in self._defined:
            code = given.encode() + (code.encode() if isinstance(code, str) else code)
        with self._errors():
            output, error = self._transport.exec_raw(code, timeout=timeout_s)
        if error:
            return "", (error.decode(errors="replace").strip().splitlines() or ["an exception"])[-1]
        self._defined.add(given)
        return bytes(output).decode(errors="replace"), ""

    def run(self, code: str | bytes, *, given: str = "", timeout_s: float = _ANSWER_S) -> str:
        """As `attempt`; TinysealError when the board cannot do it, with the reason.

        What code of ours should never raise is the link's fault: BoardError.
        """
        output, raised = self.attempt(code, given=given, timeout_s=timeout_s)
        if raised.startswith("MemoryError"):
            raise refused(Refusal.MEMORY, raised.partition(": ")[2])
        if raised in _NO_ROOM:
            raise TinysealError(
                f"{self.device}: no room left on the board's filesystem", hint="remove files with mpremote fs rm"
            )
        if raised:
            message = f"{self.device}: the board raised {raised}"
            if raised.startswith(("OSError", "ImportError")):
                raise TinysealError(message)
            raise BoardError(message, hint=_GARBLED_HINT)
        return output

    def json(self, code: str, *, given: str = "") -> Any:
        """As `run`, and the last line that the code prints is JSON; the value."""
        lines = self.run(code, given=given).strip().splitlines()
        try:
            return json.loads(lines[-1])
        except (ValueError, IndexError):
            said = lines[-1][:80] if lines else "nothing"
            raise BoardError(f"{self.device}: the board answered {said!r}, wanted JSON", hint=_GARBLED_HINT) from None

    def call(self, name: str, *arguments: str | int | list[int]) -> Any:
        """Call a function of the board's `tinyseal.remote`; RefusedError when it raised a SealError."""
        parameters = "".join(f",{argument!r}" for argument in arguments)
        answer = self.json(f"_r.call({name!r}{parameters})", given=REMOTE)
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
            self._transport.enter(soft_reset=False)

    def restart(self) -> None:
        """Soft reset: every module is loaded anew."""
        self._defined.clear()
        with self._errors():
            self._transport.enter(soft_reset=True)

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
            yield
        except (*_LINK_ERRORS, struct.error) as error:  # struct.error: it went quiet in the middle of a handshake
            raise no_answer(self.device, self._transport.heard, error) from error


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


@contextlib.contextmanager
def connect(
    device: str, *, soft_reset: bool = True, restart: bool = True, stop: threading.Event | None = None
) -> Iterator[Link]:
    """A Link to the board at a device path or pyserial URL; afterwards, with `restart`, its program runs again.

    `soft_reset` ends what runs there and gives its memory back; without, only Ctrl-C is sent. `stop` is `Wire`'s.
    """
    wire = open_wire(device, stop)
    link = Link(device, wire)
    broken, interrupted = True, False
    try:
        with link._errors():
            wire.enter(soft_reset=soft_reset)
            wire.synchronise()
        yield link
        broken = False
    except KeyboardInterrupt:
        interrupted = True
        raise
    finally:
        with contextlib.suppress(*_LINK_ERRORS):
            if wire.in_raw_repl or interrupted:  # on the way into it the board's program has been stopped already
                wire.leave(restart=restart, broken=broken)
        with contextlib.suppress(*_LINK_ERRORS):
            wire.close()
