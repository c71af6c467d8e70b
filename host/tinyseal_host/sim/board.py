"""A virtual board to hold: switch it on, use its port, switch it off."""

import json
import os
import select
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType

from .errors import SimError
from .process import find_micropython

_START_S = 20.0


class VirtualBoard:
    """A board under power between `start` and `stop`, or inside a `with` block.

    The heap is 320 KiB unless told otherwise: an ESP32 has about 160 KB, but objects, pointers and small integers of
    a 64-bit VM take twice the room, so this is the size at which what fits here fits there.
    """

    def __init__(self, state_dir: str | os.PathLike[str], heap_kib: int = 320) -> None:
        """Name the directory that keeps flash, NVS and identity; it is made at the first start."""
        self.state_dir = Path(state_dir).absolute()
        self.heap_kib = heap_kib
        self._port: str | None = None
        self._relay: subprocess.Popen[bytes] | None = None

    @property
    def port(self) -> str:
        """Path of the pseudo-terminal, for `mpremote connect`; SimError when the board is off."""
        if self._port is None:
            raise SimError("the virtual board is off; start it first")
        return self._port

    @property
    def vm_pid(self) -> int:
        """Process id of the VM; every reset makes a new one. SimError when the board is off."""
        try:
            return int((self.state_dir / "vm.pid").read_text())
        except (OSError, ValueError):
            raise SimError("the virtual board is off; start it first") from None

    def start(self) -> "VirtualBoard":
        """Power on; returns when the filesystem is mounted, before boot.py has run. SimError when it cannot start."""
        if self._relay is not None:
            raise SimError(f"the virtual board on {self.state_dir} is already on")
        options = {"state_dir": str(self.state_dir), "heap_kib": self.heap_kib, "binary": find_micropython()}
        # Run from wherever this package is, installed or not.
        search = [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]
        try:
            self._relay = subprocess.Popen(
                [sys.executable, "-m", "tinyseal_host.sim.relay", json.dumps(options)],
                stdin=subprocess.PIPE,  # never written: the relay stops when it closes, however this process ends
                stdout=subprocess.PIPE,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, search))},
                start_new_session=True,  # Ctrl-C in the user's terminal is for this process, not for the board
            )
            self._port = self._wait_until_ready(self._relay)
        except BaseException:
            self.stop()
            raise
        return self

    @staticmethod
    def _wait_until_ready(relay: "subprocess.Popen[bytes]") -> str:
        assert relay.stdout is not None
        line = b""
        deadline = time.monotonic() + _START_S
        while not line.endswith(b"\n"):
            left_s = deadline - time.monotonic()
            if left_s <= 0 or not select.select([relay.stdout], [], [], left_s)[0]:
                raise SimError(f"the virtual board is not up after {_START_S:.0f} s")
            data = os.read(relay.stdout.fileno(), 4096)
            if not data:
                raise SimError("the virtual board's relay ended before the board was up")
            line += data
        word, _, rest = line.decode(errors="replace").strip().partition(" ")
        if word != "ready":
            raise SimError(" ".join(rest.split()))
        return rest

    def stop(self) -> None:
        """Cut the power at once, as pulling the plug does; nothing happens when the board is off."""
        relay, self._relay, self._port = self._relay, None, None
        if relay is None:
            return
        assert relay.stdin is not None and relay.stdout is not None
        relay.stdin.close()
        try:
            relay.wait(5)
        except BaseException:  # an impatient Ctrl-C too: the VM dies with its relay
            relay.kill()
            relay.wait()
            raise
        finally:
            relay.stdout.close()

    def __enter__(self) -> "VirtualBoard":
        """Power on."""
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Power off."""
        self.stop()
