"""Line endings and the REPL's mode, however the output is cut into pieces."""

import pytest
from tinyseal_host.sim.console import Console

RAW = b"\r\nraw REPL; CTRL-B to exit\r\n>"
FRIENDLY = b'MicroPython v1 on today\r\nType "help()" for more information.\r\n>>> '


def in_pieces(console, data, size):
    return b"".join(console.cook(data[at : at + size]) for at in range(0, len(data), size))


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize(
    ("printed", "shown"),
    [
        (b"a\nb\n", b"a\r\nb\r\n"),
        (b"a\r\nb\r\n", b"a\r\nb\r\n"),
        (b"\n\n\n", b"\r\n\r\n\r\n"),
        (b"\r\n\n\r\n", b"\r\n\r\n\r\n"),
        (b"a\rb", b"a\rb"),
    ],
)
def test_a_lone_line_feed_gets_its_return(printed, shown, size):
    assert in_pieces(Console(raw=False), printed, size) == shown


def test_a_return_that_went_past_counts():
    console = Console(raw=False)
    console.passed(b"x\r")
    assert console.cook(b"\n") == b"\n"
    console.passed(b"x")
    assert console.cook(b"\n") == b"\r\n"


@pytest.mark.parametrize("size", [1, 5, 1000])
def test_the_banners_tell_the_mode(size):
    console = Console(raw=False)
    in_pieces(console, FRIENDLY + RAW, size)
    assert console.raw
    in_pieces(console, FRIENDLY, size)
    assert not console.raw


@pytest.mark.parametrize("size", [1, 5, 1000])
def test_hiding_ends_with_the_raw_banner(size):
    console = Console(raw=True)
    console.hide_until_raw()
    assert in_pieces(console, FRIENDLY + RAW + b"x", size) == RAW[2:] + b"x"
