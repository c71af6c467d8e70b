"""A terminal on a board's port: what a person or a program with the port open can do."""

import time

import serial

RAW_PROMPT = b"raw REPL; CTRL-B to exit\r\n>"
SOFT_REBOOT = b"MPY: soft reboot\r\n"


class Terminal:
    def __init__(self, port):
        self.serial = serial.Serial(port, timeout=0.05)
        self._unread = b""

    def close(self):
        self.serial.close()

    def send(self, data):
        self.serial.write(data)

    def until(self, wanted, timeout_s=10):
        """All that comes up to and with `wanted`."""
        deadline = time.monotonic() + timeout_s
        while wanted not in self._unread:
            assert time.monotonic() < deadline, f"waited for {wanted!r}, got {self._unread!r}"
            self._unread += self.serial.read(max(1, self.serial.in_waiting))
        end = self._unread.index(wanted) + len(wanted)
        got, self._unread = self._unread[:end], self._unread[end:]
        return got

    def exactly(self, count, timeout_s=10):
        """The next `count` bytes."""
        deadline = time.monotonic() + timeout_s
        while len(self._unread) < count:
            assert time.monotonic() < deadline, f"waited for {count} bytes, got {self._unread!r}"
            self._unread += self.serial.read(count - len(self._unread))
        got, self._unread = self._unread[:count], self._unread[count:]
        return got

    def raw(self):
        """Into the raw REPL, whatever runs."""
        self.send(b"\r\x03")
        time.sleep(0.05)
        self.send(b"\r\x01")
        self.until(RAW_PROMPT)

    def execute(self, source, timeout_s=10):
        """Run code in the raw REPL: what it printed and its traceback."""
        self.send(source.encode() + b"\x04")
        got = self.until(b"OK", timeout_s)
        while got.count(b"\x04") < 2 or not got.endswith(b">"):
            got += self.until(b">", timeout_s)
        out, err, _ = got.split(b"OK", 1)[1].split(b"\x04")
        return out.replace(b"\r\n", b"\n").decode(), err.replace(b"\r\n", b"\n").decode()

    def value(self, source):
        """The one line that some code prints; a traceback fails the test."""
        out, err = self.execute(source)
        assert not err, err
        return out.strip()
