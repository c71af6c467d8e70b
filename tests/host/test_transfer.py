"""Files on their way to a board: every byte arrives, and what travels beside them is little."""

import os
import random

import pytest
from powercut import protocol_bench
from tinyseal_host.board import transfer
from tinyseal_host.board.transport import connect
from tinyseal_host.sim import VirtualBoard
from tinyseal_host.sim.cable import Cable


@pytest.fixture
def board(tmp_path, monkeypatch):
    """A fresh board in this process, with a cable that counts."""
    protocol_bench.install()
    monkeypatch.setattr(protocol_bench.transport_serial, "time", protocol_bench.Clock)
    with VirtualBoard(tmp_path):
        pass
    with protocol_bench.Bench(tmp_path, cable=Cable()) as bench, connect(bench.url) as link:
        yield bench, link


def test_a_literal_is_what_python_reads():
    """All bytes, each before a digit, before another and at the end; CPython takes fewer bytes as they are."""
    data = b"".join(bytes((value,)) + behind for value in range(256) for behind in (b"7", b"x", b"\0", b'"'))
    text = transfer.literal(data)
    assert eval(b'b"""' + text.decode("latin-1").encode("unicode_escape").replace(b"\\\\", b"\\") + b'"""') == data
    assert not set(text) & {0, 3, 4, 13}


def test_every_byte_arrives(board):
    """On the VM, whose compiler and REPL it is for: what deflates and what does not, in pieces and of no length."""
    _, link = board
    files = {
        "all": bytes(range(256)) * 40,
        "random": random.Random(5).randbytes(10_000),
        "short": b"\0",
        "quotes": b'"' * 7 + b'\n"" "',
        "before digits": b"".join(bytes((value, 0x37)) for value in range(256)),
    }
    assert transfer.look(link, "/new").files is None
    link.run("import uos;uos.mkdir('/new')")
    transfer.send(link, "/new", files)
    digests = {name: transfer.digest(data) for name, data in files.items()}
    assert transfer.holds(link, "/new", digests)
    found = transfer.look(link, "/new").files
    assert found == {name: transfer.Stored(len(data), transfer.digest(data)) for name, data in files.items()}
    transfer.send(link, "/new", {"all": files["all"] + b"more"}, at=len(files["all"]))
    files["all"] += b"more"
    assert transfer.look(link, "/new").files["all"] == transfer.Stored(len(files["all"]), transfer.digest(files["all"]))
    assert not transfer.holds(link, "/new", digests)  # a file is another
    digests["all"] = transfer.digest(files["all"])
    assert transfer.holds(link, "/new", digests)
    assert not transfer.holds(link, "/new", digests | {"none": digests["all"]})
    del digests["all"]
    assert not transfer.holds(link, "/new", digests)
    assert not transfer.holds(link, "/nowhere", digests)


@pytest.mark.parametrize("size", [13_192, 100_000])
def test_what_travels_beside_a_sealed_file_is_at_most_a_tenth_of_it(board, size):
    bench, link = board
    before = bench.port.wire.carried
    transfer.send(link, "", {"file": os.urandom(size)})
    assert size < bench.port.wire.carried - before < 1.1 * size
