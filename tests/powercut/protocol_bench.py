"""A serial port for pyserial, `bench://NAME`, with a virtual board behind it that lives in this process.

The VM is the virtual board's own, and so is what stands between it and the port; only the pseudo-terminal is left out,
and the waiting: the host's clock runs while the VM waits for the host, and then by leaps. So a time-out takes no time,
and a busy computer makes none.
"""

import fcntl
import os
import select
import struct
import termios
import time
from pathlib import Path
from typing import ClassVar

import serial
from mpremote import transport_serial
from tinyseal_host.sim.cable import Cable, Fault
from tinyseal_host.sim.process import VmConfig, find_micropython
from tinyseal_host.sim.relay import Relay
from tinyseal_host.sim.state import Identity

DEVICE_ID = "020304050607"
_HEAP_KIB = 320
_TURN_MS = 20
_READS_STDIN = (["0", "0x0"], ["63", "0x0"])  # number and first argument of the system call, on x86-64 and AArch64
_PATIENCE_S = 120  # for a VM that is at work


class Clock:
    """What mpremote takes for the module `time`."""

    now_s = 0.0

    @classmethod
    def monotonic(cls):
        return cls.now_s

    @staticmethod
    def sleep(seconds):
        """Let the boards work; what nobody works in is skipped."""
        for bench in list(Bench.by_name.values()):
            if not bench.work():
                Clock.now_s += max(seconds, 0.1)


class _Port:
    """What the relay takes for its end of the pseudo-terminal."""

    path = "bench"
    attached = True
    full = pending = False

    def __init__(self, cable):
        self._to_board, self.to_host = bytearray(), bytearray()
        self.wire, self.cable = cable, Cable()  # the relay has nothing to mend
        self.readable = False

    def send(self, data):
        self._to_board += self.wire.carry(bytes(data))
        self.readable = True

    def read(self):
        data = bytes(self._to_board)
        self._to_board.clear()
        self.readable = bool(data)
        return data

    def write(self, data):
        self.to_host += self.wire.carry(bytes(data))

    def flush(self):
        pass

    def replug(self):
        """Another cable; what was on its way is gone."""
        self.wire = Cable()
        self.to_host.clear()


class Bench(Relay):
    """A board under power on a state directory that is there; `cut` as in the virtual board's VmConfig."""

    by_name: ClassVar[dict[str, "Bench"]] = {}

    def __init__(self, folder: Path, cut="", cable=None):
        self.name = str(folder.absolute()).strip("/").replace("/", "-")
        self.on = True
        super().__init__(
            VmConfig(find_micropython(), folder, Identity(DEVICE_ID, None), _HEAP_KIB, True, cut),
            _Port(cable or Cable()),
        )
        Bench.by_name[self.name] = self

    @property
    def url(self):
        return f"bench://{self.name}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        del Bench.by_name[self.name]
        self.close()
        os.close(self._vm_stdin)
        os.close(self._to_vm)

    def work(self):
        """Let the VM go on for a moment; False when it has nothing to do, or no power."""
        deadline = time.monotonic() + _PATIENCE_S
        before = len(self.port.to_host)
        while self.on:
            self.on = self.step()
            if len(self.port.to_host) > before:
                return True
            poll = select.poll()
            poll.register(self._vm.stdout, select.POLLIN)
            if self._control_open:
                poll.register(self._vm.control, select.POLLIN)
            if not poll.poll(1 if self._idle() else _TURN_MS) and self._idle() and not poll.poll(0):
                return False  # what it said before it fell idle would be there by now
            assert time.monotonic() < deadline, "the VM is still at work"
            if time.monotonic() > self._gate_deadline:
                self._gate_open = True
        return False

    def _idle(self):
        """Whether the VM waits for the host: in a read of its pipe with nothing in that, and no reset going on."""
        (unread,) = struct.unpack("i", fcntl.ioctl(self._vm_stdin, termios.FIONREAD, bytes(4)))
        if not self.mounted or not self._gate_open or unread or self._input or self.port.readable:
            return False
        return Path(f"/proc/{self._vm.pid}/syscall").read_text().split()[:2] in _READS_STDIN


class Serial:
    """The part of `serial.Serial` that mpremote uses."""

    def __init__(self, port=None, timeout=None, **_):
        self.port, self.timeout, self._bench = port, timeout, None

    def open(self):
        self._bench = Bench.by_name[self.port.removeprefix("bench://")]

    def isOpen(self):
        return self._bench is not None

    def _look(self):
        wire = self._bench.port.wire
        if not self._bench.on or (wire.broken is Fault.DROP and not self._bench.port.to_host):
            raise serial.SerialException("device disconnected")

    def inWaiting(self):
        self._look()
        return len(self._bench.port.to_host)

    def read(self, size=1):
        got = self._bench.port.to_host
        while len(got) < size and self._bench.work():
            pass
        self._look()
        if len(got) < size:
            Clock.now_s += self.timeout
        data = bytes(got[:size])
        del got[:size]
        return data

    def write(self, data):
        self._look()
        self._bench.port.send(data)
        return len(data)

    def close(self):
        self._bench = None


def serial_class_for_url(url):
    """How pyserial asks for the class."""
    return url, Serial


def install():
    """Make `bench://` known to pyserial, and the clock to mpremote."""
    if __package__ not in serial.protocol_handler_packages:
        serial.protocol_handler_packages.append(__package__)
    transport_serial.time = Clock
