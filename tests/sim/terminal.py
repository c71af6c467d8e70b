"""A terminal on a board's port: what a person or a program with the port open can do."""

import time

import serial

RAW_PROMPT = b"raw REPL; CTRL-B to exit\r\n>"
SOFT_REBOOT = b"MPY: soft reboot\r\n"


class Terminal:
    def __init__(self, port):
        self.serial = serial.Serial(port, timeout=0.05)

    def close(self):
        self.serial.close()

    def send(self, data):
        self.serial.write(data)

    def until(self, wanted, timeout_s=10):
        """All that comes up to and with `wanted`."""
        got = b""
        deadline = time.monotonic() + timeout_s
        while wanted not in got:
            assert time.monotonic() < deadline, f"waited for {wanted!r}, got {got!r}"
            got += self.serial.read(max(1, self.serial.in_waiting))
        return got

    def quiet(self, for_s):
        """All that comes within a time."""
        got = b""
        deadline = time.monotonic() + for_s
        while time.monotonic() < deadline:
            got += self.serial.read(max(1, self.serial.in_waiting))
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
