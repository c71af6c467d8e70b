"""The port by itself: both ways, nobody there, a reader who stalls."""

import select
import time

import pytest
import serial
from tinyseal_host.sim.hostport import HostPort


@pytest.fixture
def port():
    return HostPort()


@pytest.fixture
def reader(port):
    with serial.Serial(port.path, timeout=1) as opened:
        yield opened


def woken(port, timeout_s=1):
    assert select.select([port], [], [], timeout_s)[0]
    port.woken()


def test_bytes_go_both_ways_unchanged(port, reader):
    every = bytes(range(256)) * 8
    port.write(every)
    port.flush()
    assert reader.read(len(every)) == every
    port.read()
    reader.write(every)
    got = b""
    while len(got) < len(every):
        woken(port)
        got += port.read()
    assert got == every
    assert port.read() == b""
    assert not port.readable


def test_it_knows_whether_somebody_is_there(port):
    assert not port.attached
    with serial.Serial(port.path):
        assert port.attached
    assert not port.attached


def test_output_to_nobody_is_dropped(port):
    port.write(b"early")
    port.flush()
    assert not port.pending
    with serial.Serial(port.path, timeout=0.1) as late:
        assert late.read(1) == b""


def test_a_port_at_rest_does_not_wake_its_owner(port):
    for attached in (False, True):
        reader = serial.Serial(port.path) if attached else None
        while select.select([port], [], [], 0.05)[0]:
            port.woken()
            port.read()
        assert not select.select([port], [], [], 0.2)[0]
        if reader:
            reader.close()


def test_a_slow_reader_gets_everything(port, reader):
    data = b"".join(b"%06d\n" % number for number in range(8000))  # 56 KB: within what is kept
    port.write(data)
    got = b""
    while len(got) < len(data):
        port.flush()
        got += reader.read(min(500, len(data) - len(got)))
    assert got == data


def test_the_oldest_goes_when_a_reader_has_stalled(port, reader, monkeypatch):
    monkeypatch.setattr("tinyseal_host.sim.hostport._STALL_S", 0.1)
    port.write(b"old" * 60000)  # more than the kernel's buffers and what is kept
    port.flush()
    assert port.full
    deadline = time.monotonic() + 5
    while port.full:
        assert time.monotonic() < deadline
        time.sleep(0.02)
        port.flush()
    port.write(b"newest")
    got = b""
    while not got.endswith(b"newest"):
        assert time.monotonic() < deadline
        port.flush()
        got += reader.read(max(1, reader.in_waiting))
    assert len(got) < 180000
