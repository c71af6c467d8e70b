"""A board that is tested: opened once, told apart, and reset when it does not answer any more."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable

import serial

from ..api import Board, Keys
from ..board.firmware import load_boards
from ..board.ports import SIM, Place, device_of
from ..errors import BoardError, TinysealError
from .transcript import Transcript

_VIRTUAL = "VIRTUAL"
_PULSE_S = 0.2  # as esptool's hard reset
_ALIVE_S = 5.0
_BACK_S, _AGAIN_S = 10.0, 0.5  # USB takes a second or two to be there again


class BoardUnderTest(Board):
    """A Board with what a test bench adds: `reset`, `chip`, and the transcript of its port.

    `resets` counts those of a board that did not answer, of which `news` are what no report has said yet; `lost` says
    of one that did not come back what happened.
    """

    def __init__(self, place: Place) -> None:
        """`place` has a state folder when it is `sim`, so that a virtual board is the same one after a reset."""
        super().__init__(place.port, state=place.state, heap_kib=place.heap_kib, native=place.native)
        self.place = place
        self.keys: Keys
        """The keys that it is provisioned with."""
        self.transcript = Transcript()
        self.resets = 0
        self.news = ""
        self.lost = ""
        self.properties: list[tuple[str, str]] = []

    def __enter__(self) -> BoardUnderTest:
        """Connect."""
        super().__enter__()
        self.link.record(self.transcript.note)
        return self

    def open(self, prepare: Callable[[], None]) -> None:
        """Connect, and `prepare`; a board that stops answering at that is reset, once, for another try. BoardError."""
        try:
            self.__enter__()
            prepare()
        except BoardError:
            self._disconnect()
            self._press_reset()
            self.__enter__()
            prepare()
            self.resets += 1
            self.news = f"board {self.label} did not answer at first, was reset, and answers"
        self._devices = [self.info.device_id]  # whatever is at that port after a reset

    def close(self) -> None:
        """Give the board back, whatever it is at; nothing when it has never answered."""
        if not hasattr(self, "link"):
            return
        with contextlib.suppress(TinysealError):
            self.link.interrupt()
        with contextlib.suppress(TinysealError):
            self.__exit__(None, None, None)

    def reset(self) -> None:
        """Hard reset, in the middle of whatever it does: what is in RAM is lost. BoardError when it does not come back.

        A virtual board that the plugin has switched on is switched off and on; a real one resets itself, or, when it
        does not listen, is reset by its port's RTS line.
        """
        if self.place.port != SIM:
            with contextlib.suppress(TinysealError):
                self.link.start("import umachine;umachine.reset()")
        self._disconnect()
        self._press_reset()
        self._reopen()

    def recover(self, when: str) -> str:
        """Make sure that it answers, after a test that failed; what had to be done, in a line, or nothing.

        A board that does not answer is reset once. When it stays silent, `lost` says so, with `when` it happened.
        """
        if self._answers():
            return ""
        self._disconnect()
        self._press_reset()
        try:
            self._reopen()
        except TinysealError as error:
            self.lost = f"board {self.label} stopped answering in {when}, and did not after a reset: {error}"
            return self.lost
        self.resets += 1
        return f"board {self.label} stopped answering, was reset, and answers again"

    @property
    def label(self) -> str:
        """Its id, or its port as long as it has said none."""
        return self.info.device_id.hex() if hasattr(self, "info") else self.place.label

    @property
    def virtual(self) -> bool:
        """Whether it is a VM on this computer, at whatever port."""
        return self.info.name == _VIRTUAL

    @property
    def chip(self) -> str:
        """As in `boards/NAME/board.json`, `esp32c3`; of a board that is not there the end of what it calls itself."""
        known = load_boards().get(self.info.name)
        return str(known["mcu"]) if known else self.info.machine.split(" ")[-1].lower()

    def learn_properties(self) -> None:
        """Ask for what a report says of it, when the package is on it."""
        package = (self.status() or {}).get("package", "none")
        self.properties = [
            ("board_id", self.info.device_id.hex()),
            ("chip", self.chip),
            ("micropython_version", self.info.version),
            ("tinyseal_version", str(package)),
        ]

    def _answers(self) -> bool:
        try:
            self.link.interrupt()
            return self.link.run("print(6 * 7)", timeout_s=_ALIVE_S).strip() == "42"
        except TinysealError:
            return False

    def _disconnect(self) -> None:
        with contextlib.suppress(TinysealError):
            self.__exit__(BoardError, BoardError("it does not answer"), None)

    def _press_reset(self) -> None:
        """Pull the chip's enable line by RTS, with DTR released, as esptool does; nothing where there are no lines."""
        if self.place.port == SIM:
            return  # opened anew, it is switched on anew
        with contextlib.suppress(TinysealError, OSError, ValueError):
            port = serial.serial_for_url(device_of(self.place.port), do_not_open=True)
            port.dtr = port.rts = False
            port.open()
            try:
                port.rts = True
                time.sleep(_PULSE_S)
                port.rts = False
            finally:
                port.close()

    def _reopen(self) -> None:
        end = time.monotonic() + _BACK_S
        while True:
            try:
                self.__enter__()
            except BoardError:
                if time.monotonic() > end:
                    raise
                time.sleep(_AGAIN_S)
            else:
                return
