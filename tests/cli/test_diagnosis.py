"""What answers instead of a board's MicroPython, played by this process on a pseudo-terminal: each is recognised."""

import contextlib
import json
import os
import re
import select
import threading
import tty

import pytest


@contextlib.contextmanager
def playing(reply):
    """A port behind which `reply(bytes read) -> bytes` answers."""
    master, slave = os.openpty()
    tty.setraw(slave)
    ended = threading.Event()

    def serve():
        while not ended.is_set():
            if select.select([master], [], [], 0.1)[0]:
                os.write(master, reply(os.read(master, 4096)))

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield os.ttyname(slave)
    finally:
        ended.set()
        thread.join()
        os.close(master)
        os.close(slave)


ROM = b"ESP-ROM:esp32c3-api1-20210207\r\nrst:0x1 (POWERON),boot:0x5 (DOWNLOAD(USB/UART0/1))\r\nwaiting for download\r\n"
SAID = {
    "download mode": (ROM, "is in download mode", "without holding BOOT"),
    "empty flash": (b"invalid header: 0xffffffff\r\n" * 3, "no MicroPython in its flash", "micropython.org"),
    "another Python": (b"Adafruit CircuitPython 9.2.1 on 2024-11-20\r\n>>> ", "runs CircuitPython", "micropython.org"),
    "a login": (b"\r\nraspberrypi login: ", "is a login prompt", "--port"),
    "another speed": (bytes(range(128, 250)), "bytes of no text came", "115200 baud"),
    "an application": (b"temperature 21.5\r\n", 'its last words are "', "reset button"),
}


@pytest.mark.parametrize("what", SAID)
def test_what_is_no_micropython_is_recognised(tinyseal, here, what):
    words, said, hint = SAID[what]
    with playing(lambda _: words) as port:
        found = tinyseal(f"status --port {port}")
        looked = tinyseal(f"doctor --port {port} --json")
    assert (found.status, port in found.error, said in found.error, hint in found.hint) == (4, True, True, True), found
    (check,) = looked.json["checks"]
    assert (looked.status, check["check"], said in check["error"], hint in check["hint"]) == (
        4, "connection", True, True
    )  # fmt: skip


class RawRepl:
    """A raw REPL without raw paste, as MicroPython's pyexec.c answers: one thing for all but a word to be printed."""

    def __init__(self, printed, error=b""):
        self.printed, self.error = printed, error
        self.code = b""

    def __call__(self, data):
        return b"".join(map(self.answer, data))

    def answer(self, byte):
        self.code += bytes([byte])
        if self.code.endswith(b"\x05A\x01"):
            self.code = b""
            return b"R\x00"
        if byte == 1:
            self.code = b""
            return b"raw REPL; CTRL-B to exit\r\n>"
        if byte != 4:
            return b""
        code, self.code = self.code.strip(b"\r\x03\x04"), b""
        if mark := re.search(rb"print\('(\w+)'\)", code):
            return b"OK" + mark[1] + b"\r\n\x04\x04>"
        if code:
            return b"OK" + self.printed + b"\x04" + self.error + b"\x04>"
        return b"OK\r\nMPY: soft reboot\r\nraw REPL; CTRL-B to exit\r\n>"


def about(mpy):
    return json.dumps(["24dcc3a1b2c4", "Generic ESP32 module with ESP32", [1, 20, 0], mpy]).encode() + b"\r\n"


@pytest.mark.parametrize(
    ("printed", "error", "said"),
    [
        (about(6 | 1 << 8 | 10 << 10), b"", "loads .mpy version 6.1, wanted 6.3"),
        (about(6 | 3 << 8 | 4 << 10), b"", "native code architecture 4, wanted"),
        (b"", b"ImportError: no module named 'umachine'\r\n", "no module named 'umachine'"),
        (b"\x00\xffhello\r\n", b"", "wanted JSON"),
    ],
    ids=["too old", "another architecture", "another Python", "nonsense"],
)
def test_a_micropython_that_will_not_do(tinyseal, here, printed, error, said):
    with playing(RawRepl(printed, error)) as port:
        found = tinyseal(f"provision --port {port} --keys", make_keys(tinyseal, here))
        looked = tinyseal(f"doctor --port {port} --json")
    assert (found.status, said in found.error) == (4, True), found.err
    assert found.hint
    assert said in looked.json["checks"][-1]["error"]


def make_keys(tinyseal, here):
    assert tinyseal("keygen keys").status == 0
    return here / "keys"
