"""A virtual board to hold: switch it on, use its port, switch it off."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType

from .cable import Fault
from .errors import SimError
from .process import find_micropython

_START_S = 20.0
_STOP_S = 5.0


class VirtualBoard:
    """A board under power between `start` and `stop`, or inside a `with` block.

    The heap is 320 KiB unless told otherwise: an ESP32 has about 160 KB, but objects, pointers and small integers of
    a 64-bit VM take twice the room, so this is the size at which what fits here fits there.

    With `native` False it says that it has no native emitter, as some builds of MicroPython have none.

    With a `chip`, as `esptool --chip` calls it, it says that it is one, and has its HMAC peripheral and eFuse. The
    state directory keeps it: one chip for good.
    """

    def __init__(
        self,
        state_dir: str | os.PathLike[str],
        heap_kib: int = 320,
        native: bool = True,
        chip: str | None = None,
        *,
        cut: tuple[int, str] | None = None,
        cable: tuple[int, Fault] | None = None,
    ) -> None:
        """Name the directory that keeps flash, NVS and identity; it is made at the first start.

        `cut`: the power fails at that write of flash or NVS, counted from 1 at every start, which is done "whole", by
        "half" or not at all ("none"). `cable`: after so many bytes, both ways together, that happens to the cable.
        """
        self._cut = "{}:{}".format(*cut) if cut else ""
        self._cable = [cable[0], cable[1].value] if cable else [0, None]
        self.state_dir = Path(state_dir).absolute()
        self.heap_kib = heap_kib
        self.native = native
        self.chip = chip
        self._port: str | None = None
        self._relay: subprocess.Popen[bytes] | None = None
        self._lifeline = -1  # the relay stops when this end of a pipe closes, however this process ends

    @property
    def port(self) -> str:
        """Path of the pseudo-terminal, for `mpremote connect`; SimError when the board is off."""
        if self._port is None:
            raise _off()
        return self._port

    @property
    def vm_pid(self) -> int:
        """Process id of the VM; every reset makes a new one. SimError when the board is off."""
        try:
            return int((self.state_dir / "vm.pid").read_text())
        except (OSError, ValueError):
            raise _off() from None

    def start(self) -> VirtualBoard:
        """Power on; returns when the filesystem is mounted, before boot.py has run. SimError when it cannot start."""
        if self._relay is not None:
            raise SimError(f"the virtual board on {self.state_dir} is already on")
        options = {
            "state_dir": str(self.state_dir),
            "heap_kib": self.heap_kib,
            "native": self.native,
            "chip": self.chip,
            "command": find_micropython(),
            "cut": self._cut,
            "cable": self._cable,
        }
        # Run from wherever this package is, installed or not.
        search = [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]
        lifeline, self._lifeline = os.pipe()
        ready, ready_write = os.pipe()
        try:
            try:
                self._relay = subprocess.Popen(
                    [sys.executable, "-m", "tinyseal_host.sim.relay", json.dumps(options)],
                    stdin=lifeline,
                    stdout=ready_write,
                    env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, search))},
                    start_new_session=True,  # Ctrl-C in the user's terminal is for this process, not for the board
                )
            finally:
                os.close(lifeline)
                os.close(ready_write)
            self._port = _wait_until_ready(ready)
        except BaseException:
            self.stop()
            raise
        finally:
            os.close(ready)
        return self

    def stop(self) -> None:
        """Cut the power at once, as pulling the plug does; nothing happens when the board is off."""
        relay, self._relay, self._port = self._relay, None, None
        lifeline, self._lifeline = self._lifeline, -1
        if lifeline >= 0:
            os.close(lifeline)
        if relay is None:
            return
        try:
            relay.wait(_STOP_S)
        except BaseException:  # an impatient Ctrl-C too: the VM dies with its relay
            relay.kill()
            relay.wait()
            raise

    def __enter__(self) -> VirtualBoard:
        """Power on."""
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Power off."""
        self.stop()


def _off() -> SimError:
    return SimError("the virtual board is off", hint="start it first")


def _wait_until_ready(ready: int) -> str:
    """The port, from the one line that the relay writes: JSON, `{"port": ...}` or `{"error": ..., "hint": ...}`."""
    line = b""
    deadline = time.monotonic() + _START_S
    while not line.endswith(b"\n"):
        left_s = deadline - time.monotonic()
        if left_s <= 0 or not select.select([ready], [], [], left_s)[0]:
            raise SimError(f"the virtual board is not up after {_START_S:.0f} s")
        data = os.read(ready, 4096)
        if not data:
            raise SimError("the virtual board's relay ended before the board was up")
        line += data
    said = json.loads(line)
    if "port" not in said:
        raise SimError(" ".join(said["error"].split()), hint=said["hint"])
    return str(said["port"])
