"""The process between the port and the VM: moves bytes both ways, and does what a board does at a reset.

Nothing of the REPL is imitated here. Three things that the unix VM leaves to a terminal are added: Ctrl-C, line
endings, and a life after the program's end, which on a board is a soft reset.

Messages from the VM on its control socket: `H` the filesystem is mounted, `E` why it could not be, `M` main.py starts,
`P` the REPL comes next (answered), `R` hard reset, `C` the power has failed, `W` bytes for the host that must not be
translated (answered), `A` answers that another than the one who waits for them has read, to be sent again.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import sys
import time
from pathlib import Path

from .cable import Cable, Fault
from .console import Console
from .errors import SimError
from .hostport import HostPort
from .process import HARD_RESET, PWRON_RESET, SOFT_RESET, VmConfig, VmProcess
from .state import open_state, power_on, replace

_INPUT_LIMIT = 1 << 20  # bytes from the host that wait for the VM before the host is made to wait
_CTRL_A, _CTRL_C = b"\x01", b"\x03"
_BOOT_HOLD_S = 0.3  # how long boot.py can keep the host's input waiting
_CRASH_PAUSE_S = 0.2  # a main.py that always crashes the VM must not keep the machine busy


class Relay:
    """One board under power."""

    def __init__(self, config: VmConfig, port: HostPort) -> None:
        """Start the VM as after power-on."""
        self._config = config
        power_on(config.state_dir, bool(config.cut))
        self._pid_file = config.state_dir / "vm.pid"
        self._port_file = config.state_dir / "port"
        self.port = port
        # One pipe for all lives of the VM, so that what the host has typed ahead survives a soft reset.
        self._vm_stdin, self._to_vm = os.pipe()
        os.set_blocking(self._to_vm, False)
        self._input = bytearray()
        self._power_failed = False
        self._begin_life(PWRON_RESET, raw=False)
        self._publish_port()

    def _publish_port(self) -> None:
        replace(self._port_file, f"{self.port.path}\n".encode())

    def _begin_life(self, cause: int, raw: bool) -> None:
        self._vm = VmProcess(self._config, self._vm_stdin, cause, raw)
        replace(self._pid_file, f"{self._vm.pid}\n".encode())
        self._console = Console(raw)
        self._control_open = True
        self._complaint = ""
        self._gate_open = False  # the host's input waits until there is code or a REPL to take it
        self._gate_deadline = float("inf")
        self.mounted = False

    def run(self, lifeline: int, ready: int) -> None:
        """Serve until `lifeline` ends; say on `ready` when the board is up. SimError when the VM does not start."""
        announced = False
        while self._wait(lifeline) and self.step():
            if self.mounted and not announced:
                announced = True
                _say(ready, {"port": self.port.path})

    def step(self) -> bool:
        """Move what can be moved; False when the power has failed."""
        self._take_host_input()
        self._feed_vm()
        self._take_control()
        self._take_output()
        if self._power_failed:
            return False
        self.port.flush()
        self._mend_cable()
        return True

    def close(self) -> None:
        """Cut the power."""
        self._vm.end()
        self._port_file.unlink(missing_ok=True)
        self._pid_file.unlink(missing_ok=True)

    def _wait(self, lifeline: int) -> bool:
        """Sleep until there is something to do; False when the owner of the board has gone."""
        poll = select.poll()
        poll.register(lifeline, select.POLLIN)
        poll.register(self.port, select.POLLIN)
        if not self.port.full:
            poll.register(self._vm.stdout, select.POLLIN)
            if self._control_open:
                poll.register(self._vm.control, select.POLLIN)
        if self._input and self._gate_open:
            poll.register(self._to_vm, select.POLLOUT)
        timeout_ms: float | None = None
        if self.port.pending:
            timeout_ms = 50  # an edge may have been missed, and a stalled reader has to be noticed
        if not self._gate_open and self.mounted:
            timeout_ms = 20
        if self.port.readable and self._wants_input:
            timeout_ms = 0
        events = dict(poll.poll(timeout_ms))
        if self.port.fileno() in events:
            self.port.woken()
        if time.monotonic() > self._gate_deadline:
            self._gate_open = True
        return lifeline not in events

    @property
    def _wants_input(self) -> bool:
        return self._gate_open and len(self._input) < _INPUT_LIMIT

    def _mend_cable(self) -> None:
        """Plug in another: at once where it was pulled out, as another port; after a hang when nobody waits."""
        broken = self.port.cable.broken
        if broken is Fault.DROP and not self.port.pending:
            self.port.close()
            self.port = HostPort()
            self._publish_port()
        elif broken is Fault.HANG and not self.port.attached:
            self.port.cable = Cable()

    # from the host to the VM

    def _take_host_input(self) -> None:
        while self.port.readable and self._wants_input:
            data = self.port.read()
            while _CTRL_C in data:
                before, _, data = data.partition(_CTRL_C)
                self._input += before
                if not self._vm.interrupt():
                    self._input += _CTRL_C
            self._input += data

    def _feed_vm(self) -> None:
        if not self._gate_open:
            return
        with contextlib.suppress(BlockingIOError):
            while self._input:
                del self._input[: os.write(self._to_vm, bytes(self._input[:4096]))]

    def _take_back_input(self) -> None:
        """Fetch what the VM has not read out of the pipe again; only while it cannot be reading."""
        unread = bytearray()
        poll = select.poll()
        poll.register(self._vm_stdin, select.POLLIN)
        while poll.poll(0):
            unread += os.read(self._vm_stdin, 65536)
        self._input[:0] = unread

    # from the VM to the host

    def _take_control(self) -> None:
        while self._control_open and not self.port.full:
            try:
                message = self._vm.control.recv(65536)
            except BlockingIOError:
                return
            except ConnectionResetError:
                message = b""
            kind = message[:1]
            if kind == b"":
                self._control_open = False
            elif kind == b"H":
                self.mounted = True
                self._gate_deadline = time.monotonic() + _BOOT_HOLD_S
            elif kind == b"E":
                self._complaint = message[1:].decode(errors="replace")
            elif kind == b"M":
                self._gate_open = True
            elif kind == b"P":
                self._before_prompt()
                self._answer(message[1:2])
            elif kind == b"W":
                self._drain_output()
                self.port.write(message[2:])
                self._console.passed(message[2:])
                self._answer(message[1:2])
            elif kind == b"A":
                self._answer(message[1:])
            elif kind == b"C":
                self._power_failed = True
                return
            elif kind == b"R":
                self._drain_output()
                self._hard_reset("virtual board: hard reset")
                return

    def _answer(self, marks: bytes) -> None:
        with contextlib.suppress(OSError):  # it may have been interrupted, and not be waiting any more
            for mark in marks:
                self._vm.control.send(bytes((mark,)))

    def _before_prompt(self) -> None:
        self._drain_output()
        if self._vm.raw:
            # A board stays in the raw REPL over a soft reset. The VM starts in the friendly one: switch it before it
            # sees anything of the host's, and keep its first banner from the host.
            self._take_back_input()
            self._input[:0] = _CTRL_A
            self._console.hide_until_raw()
        self._gate_open = True

    def _take_output(self) -> None:
        while not self.port.full:
            try:
                data = os.read(self._vm.stdout, 65536)
            except BlockingIOError:
                return
            if not data:
                self._vm_ended()
                return
            self._vm.has_printed()
            self.port.write(self._console.cook(data))

    def _drain_output(self) -> None:
        """All that the VM has printed before the message at hand."""
        with contextlib.suppress(BlockingIOError):
            while data := os.read(self._vm.stdout, 65536):
                self.port.write(self._console.cook(data))

    # resets

    def _vm_ended(self) -> None:
        """The program has come to its end: Ctrl-D, sys.exit(), machine.soft_reset(), or a crash."""
        if not self.mounted:
            self._take_control()  # its last words
        status = self._vm.end()
        if not self.mounted:
            why = self._complaint or f"{self._config.command[-1]} ended with status {status}"
            hint = None if self._complaint else "run it by hand, or raise the heap limit"
            raise SimError(f"the virtual board on {self._config.state_dir} does not start: {why}", hint=hint)
        if status < 0:
            time.sleep(_CRASH_PAUSE_S)
            self._restart_hard(f"virtual board: the VM died of {signal.Signals(-status).name}")
            return
        self.port.write(b"MPY: soft reboot\r\n")
        self._take_back_input()
        self._begin_life(SOFT_RESET, self._console.raw)

    def _hard_reset(self, reason: str) -> None:
        self._vm.end()
        self._restart_hard(reason)

    def _restart_hard(self, reason: str) -> None:
        self.port.write(f"\r\n{reason}\r\n".encode())
        self._take_back_input()
        self._input.clear()  # a UART forgets what it has received
        self._begin_life(HARD_RESET, raw=False)


def _say(ready: int, what: dict[str, str | None]) -> None:
    with contextlib.suppress(OSError):  # who started the board need not be listening any more
        os.write(ready, json.dumps(what).encode() + b"\n")


def main() -> int:
    """Run one board; argument: a JSON object. Stdin is the lifeline, stdout says in one line of JSON how it went."""
    options = json.loads(sys.argv[1])
    lifeline, ready = sys.stdin.fileno(), sys.stdout.fileno()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        state_dir = Path(options["state_dir"])
        lock, identity = open_state(state_dir, options["chip"])
        try:
            config = VmConfig(
                options["command"], state_dir, identity, options["heap_kib"], options["native"], options["cut"]
            )
            after, fault = options["cable"]
            relay = Relay(config, HostPort(Cable(after, fault and Fault(fault))))
            try:
                relay.run(lifeline, ready)
            finally:
                relay.close()
        finally:
            os.close(lock)
    except SimError as error:
        _say(ready, {"error": error.message, "hint": error.hint})
        return 1
    except OSError as error:
        _say(ready, {"error": f"the virtual board does not start: {error}", "hint": None})
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
