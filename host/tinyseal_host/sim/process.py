"""The VM process: finding the program, starting it, interrupting it, killing it."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from .errors import SimError
from .state import Identity

_VM_DIR = Path(__file__).with_name("vm")
_INTERPRETER = Path(__file__).with_name("interpreter.py")
_DOUBLE_CTRL_C_S = 0.1  # a unix VM may exit at a second SIGINT that finds the first unhandled; a board does not
_REGISTERS_KIB = 22  # of the VM's heap, what a chip has in silicon
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_LIBC = ctypes.CDLL(None)

# What machine.reset_cause() says on an ESP32 (ports/esp32/modmachine.c).
PWRON_RESET, HARD_RESET, SOFT_RESET = 1, 2, 5


def find_micropython() -> list[str]:
    """The command that runs a VM: $MICROPYTHON, else the package's, else one on PATH; SimError when there is none."""
    named = os.environ.get("MICROPYTHON")
    if named:
        found = shutil.which(named)
        if found is None:
            raise SimError(f"MICROPYTHON names {named}, which is not a program that can be run")
        return [found]
    if importlib.util.find_spec("micropython_module") is not None:
        return [sys.executable, "-P", str(_INTERPRETER)]
    found = shutil.which("micropython")
    if found is None:
        raise SimError("no micropython program found", hint="pip install 'tinyseal-host[sim]', or set MICROPYTHON")
    return [found]


@dataclass(frozen=True)
class VmConfig:
    """What every start of the VM has in common."""

    command: list[str]
    state_dir: Path
    identity: Identity
    heap_kib: int
    native: bool
    cut: str = ""  # what becomes of the power: vm/supply.py


class VmProcess:
    """One life of the VM, from start to reset.

    Its stdin is a pipe and not a terminal on purpose. The unix VM switches a terminal between raw and cooked with
    TCSAFLUSH at every prompt, which throws away what the host has already sent; on a pipe that call does nothing.
    The terminal's two other services are done elsewhere: Ctrl-C here (`interrupt`), line endings in `relay`.
    """

    def __init__(self, config: VmConfig, stdin_fd: int, cause: int, raw: bool) -> None:
        """Start the VM with its input from `stdin_fd`; OSError when the program cannot be run."""
        # SEQPACKET: one write in the VM is one message here, whole or not at all.
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        out_read, out_write = os.pipe()
        relay_pid = os.getpid()

        def die_with_relay() -> None:
            _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != relay_pid:  # the relay died before prctl could see it
                os._exit(1)

        board = config.identity
        heap_kib = config.heap_kib + (_REGISTERS_KIB if board.has_registers else 0)
        command = [*config.command, "-X", f"heapsize={heap_kib}K", str(_VM_DIR / "start.py")]
        command += [str(config.state_dir), str(theirs.fileno()), board.unique_id, str(cause), str(int(raw))]
        command += [str(int(config.native)), board.chip or "", str(int(board.has_registers)), config.cut]
        # MICROPY* would change the VM; in HOME it keeps a history of what is typed, and a board has none.
        environment = {n: v for n, v in os.environ.items() if n != "HOME" and not n.startswith("MICROPY")}
        try:
            self._process = subprocess.Popen(
                command,
                stdin=stdin_fd,
                stdout=out_write,
                stderr=out_write,
                pass_fds=[theirs.fileno()],
                preexec_fn=die_with_relay,  # noqa: PLW1509 - the relay has one thread
                env=environment,
            )
        except BaseException:
            os.close(out_read)
            self.control.close()
            raise
        finally:
            os.close(out_write)
            theirs.close()
        self.raw = raw
        self._gentle = str(_INTERPRETER) in config.command
        self._interrupted_at = float("-inf")
        self.stdout = out_read
        os.set_blocking(out_read, False)
        self.control.setblocking(False)

    @property
    def pid(self) -> int:
        """Process id of the VM itself."""
        return self._process.pid

    def interrupt(self) -> bool:
        """Deliver Ctrl-C if code is running that takes it; False when the byte is data.

        The VM tells by its signal disposition: it catches SIGINT while code runs, and has the default while the REPL
        reads or after `micropython.kbd_intr(-1)`. The default would kill it, so it is stopped while that is
        looked up: the answer cannot change before the signal is delivered.
        """
        now = time.monotonic()
        if not self._gentle and now - self._interrupted_at < _DOUBLE_CTRL_C_S and self._catches_sigint():
            return True
        os.kill(self.pid, signal.SIGSTOP)
        try:
            state = os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
            if state is None or state.si_code != os.CLD_STOPPED or not self._catches_sigint():
                return False
            os.kill(self.pid, signal.SIGUSR1 if self._gentle else signal.SIGINT)
            self._interrupted_at = now
            return True
        finally:
            os.kill(self.pid, signal.SIGCONT)

    def has_printed(self) -> None:
        """Take note that the VM is at work again after a Ctrl-C, and can be given the next."""
        self._interrupted_at = float("-inf")

    def _catches_sigint(self) -> bool:
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("SigCgt:"):
                return bool(int(line.split()[1], 16) & 1 << (signal.SIGINT - 1))
        return False

    def end(self) -> int:
        """Kill the VM if it still lives, and free what belongs to it; its exit status, negative for a signal."""
        self._process.kill()
        status = self._process.wait()
        if self.stdout >= 0:
            os.close(self.stdout)
            self.stdout = -1
        self.control.close()
        return status
