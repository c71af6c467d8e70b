"""The chapter that counts what passes on the cable, and the figures of README.md."""

import os
import re
import tty
from pathlib import Path

from bench import chapter_wire
from tinyseal_host.sim import VirtualBoard

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def test_what_the_readme_quotes_is_what_passes():
    """Bytes differ by what a random ciphertext needs of escapes; seconds are the machine's, and only there."""
    (block,) = re.findall(r"^```\nwire\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    quoted = {line.split()[0]: line.split() for line in block.splitlines()}
    printed = {line.name: line for line in chapter_wire.lines()}
    assert set(quoted) == set(printed)
    for name, line in printed.items():
        assert not line.fault
        if line.unit == "bytes":
            assert abs(line.figure / int(quoted[name][1]) - 1) < 0.1, line
            if "goal" in line.note:
                assert (line.note[-5:], quoted[name][-1]) == (": yes", "yes")
        else:
            assert 0 < line.figure < 60
    for name in ("provision", "push", "update"):
        assert "goal" in printed[name].note
        assert printed[f"{name}_again"].figure < printed[name].figure / 5


def test_the_cable_counts_every_byte_of_both_ways(tmp_path):
    with VirtualBoard(tmp_path / "board") as board:
        cable = chapter_wire.Cable(board.port)
        try:
            host = os.open(cable.port, os.O_RDWR | os.O_NOCTTY)
            tty.setraw(host)
            os.write(host, b"\r\x03\x01")
            heard = b""
            while not heard.endswith(b"CTRL-B to exit\r\n>"):
                heard += os.read(host, 4096)
            before = cable.bytes
            assert before >= len(heard) + 3
            os.write(host, b"print('x' * 1000)\x04")
            heard = b""
            while not heard.endswith(b"\x04\x04>"):
                heard += os.read(host, 4096)
            assert heard == b"OK" + b"x" * 1000 + b"\r\n\x04\x04>"
            assert cable.bytes - before == len(b"print('x' * 1000)\x04") + len(heard)
            os.close(host)
        finally:
            cable.close()
