"""The example application's sensors, on the virtual board, with stand-ins for what a chip has and it has not."""

import json
import struct
import zlib

import pytest
from tinyseal_host.board.firmware import application
from tinyseal_host.board.transfer import send
from tinyseal_host.board.transport import connect
from tinyseal_host.sim import VirtualBoard

I2C = """
class I2C:
    def __init__(self, who, samples):
        self.who, self.samples, self.written = who, samples, []
    def readfrom_mem(self, address, register, n):
        if address != 0x68: raise OSError(19)
        assert (register, n) == (0x75, 1)
        return bytes([self.who])
    def writeto_mem(self, address, register, data):
        self.written += [[register + i, value] for i, value in enumerate(data)]
    def readfrom_mem_into(self, address, register, buffer):
        assert (register, len(buffer)) == (0x3b, 14)
        buffer[:] = self.samples.pop(0)
"""
UART = """
class UART:
    def __init__(self, pieces): self.pieces = pieces
    def readinto(self, buffer):
        if not self.pieces: return None
        piece = self.pieces.pop(0)
        if piece is None: return None
        n = min(len(piece), len(buffer))
        buffer[:n] = piece[:n]
        if n < len(piece): self.pieces.insert(0, piece[n:])
        return n
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """What some code prints as JSON, and the exception it raises; the application's folder is on the board."""
    with VirtualBoard(tmp_path_factory.mktemp("app") / "board") as board, connect(board.port) as link:
        link.run("import uos\nuos.mkdir('/app')")
        send(link, "/app", application()["app"])
        link.run("import ujson, ustruct, gc")

        def run(code):
            output, raised = link.attempt(code)
            return raised or json.loads(output.splitlines()[-1])

        yield run


def imu(who=0x68, samples=(), more="", frame_bytes=24):
    return (
        f"{I2C}\nfrom app.imu import Imu\ni2c=I2C({who},{list(samples)!r})\n"
        f"frame=bytearray({frame_bytes})\nsensor=Imu(i2c,1000{more})\nsensor.fill(frame)\n"
    )


def test_an_imu_in_units(run):
    """One g, and a hundred degrees a second, by the data sheet: 2048 and 16.4 LSB at the widest ranges."""
    sample = struct.pack(">7h", 2048, -2048, 0, 999, 1640, -1640, 0)
    found = run(imu(samples=[sample]) + "print(ujson.dumps(ustruct.unpack('<6f',frame)))")
    assert found == pytest.approx([9.80665, -9.80665, 0, 1.7453293, -1.7453293, 0], rel=1e-6)


def test_an_imu_is_woken_and_set_to_its_widest_ranges(run):
    """GYRO_CONFIG and ACCEL_CONFIG have their range in bits 4:3, PWR_MGMT_1 has SLEEP in bit 6."""
    written = dict(run(imu(samples=[bytes(14)]) + "print(ujson.dumps(i2c.written))"))
    assert (written[0x1B] >> 3, written[0x1C] >> 3) == (3, 3)
    assert not written[0x6B] & 0x40


def test_a_raw_imu(run):
    """Two samples of int16; the temperature is left out."""
    samples = [struct.pack(">7h", *range(7)), struct.pack(">7h", *range(-7, 0))]
    code = imu(samples=samples, more=",raw=True") + "print(ujson.dumps(ustruct.unpack('<12h',frame)))"
    assert run(code) == [0, 1, 2, 4, 5, 6, -7, -6, -5, -3, -2, -1]


def test_another_chip_is_no_imu(run):
    assert run(imu(who=0x12)) == "ValueError: WHO_AM_I is 0x12, wanted one of 0x68, 0x70, 0x71"


def test_an_imu_that_does_not_answer(run):
    assert run(imu(more=",address=0x69")).startswith("OSError")


ADC = """
from app.adc import Analogue
class ADC:
    def __init__(self, first): self.n = first
    def read_u16(self):
        self.n += 1
        return self.n
    def read_uv(self):
        self.n += 1
        return self.n * 1000
"""


def test_voltages(run):
    """A value of each converter in turn."""
    code = f"{ADC}frame=bytearray(16)\nAnalogue([ADC(0),ADC(1000)],1000).fill(frame)\n"
    found = run(code + "print(ujson.dumps(ustruct.unpack('<4f',frame)))")
    assert found == pytest.approx([0.001, 1.001, 0.002, 1.002])


def test_raw_voltages(run):
    code = f"{ADC}frame=bytearray(4)\nAnalogue([ADC(65532)],1000,raw=True).fill(frame)\n"
    assert run(code + "print(ujson.dumps(ustruct.unpack('<2h',frame)))") == [65533 >> 1, 65534 >> 1]


def uart_message(data):
    return b"\xa5\x5a" + data + struct.pack("<I", zlib.crc32(data))


def test_frames_of_another_controller(run):
    """In pieces, behind noise and half a head, with one that is damaged between them."""
    first, second = b"\xa5abcdef\x5a", b"12345678"
    damaged = bytearray(uart_message(b"damaged!"))
    damaged[5] ^= 1
    stream = b"noise\xa5\xa5" + uart_message(first)[1:] + bytes(damaged) + uart_message(second)
    pieces = [part for i in range(0, len(stream), 3) for part in (stream[i : i + 3], None)]
    found = run(
        f"{UART}\nfrom app.uart import Frames\nsource=Frames(UART({pieces!r}),timeout_ms=500)\nframe=bytearray(8)\n"
        "got=[]\nfor _ in range(2):\n source.fill(frame)\n got.append(frame.hex())\n"
        "print(ujson.dumps([got,source.lost]))"
    )
    assert found == [[first.hex(), second.hex()], 1]


def test_a_controller_that_is_silent(run):
    code = f"{UART}\nfrom app.uart import Frames\nFrames(UART([b'\\xa5\\x5a1234']),timeout_ms=50).fill(bytearray(8))"
    assert run(code) in ("OSError: 116", "OSError: [Errno 116] ETIMEDOUT")


def replay(data, frame_bytes):
    return (
        f"from app.replay import Replay\nfile=open('/f.bin','wb')\nfile.write({data!r})\nfile.close()\n"
        f"frame=bytearray({frame_bytes})\ngot=[]\nsource=Replay('/f.bin',{frame_bytes},1000)\n"
    )


def test_a_replay_begins_again(run):
    code = replay(b"aabbcc", 2) + "for _ in range(5):\n source.fill(frame)\n got.append(frame.decode())\n"
    assert run(code + "print(ujson.dumps(got))") == ["aa", "bb", "cc", "aa", "bb"]


@pytest.mark.parametrize("data", [b"", b"aab"])
def test_what_is_not_whole_frames_is_not_replayed(run, data):
    assert run(replay(data, 2)) == f"ValueError: /f.bin: {len(data)} bytes, wanted whole frames of 2"


def test_a_rate_is_kept(run):
    """Ten periods of 20 ms, in the second of which 15 ms are lost; then it is late by five, and begins anew."""
    found = run(
        "from app.pace import Pace\nfrom utime import ticks_ms,ticks_diff,sleep_ms\npace=Pace(50)\nstart=ticks_ms()\n"
        "for i in range(10):\n pace.wait()\n if i==1:sleep_ms(15)\nten=ticks_diff(ticks_ms(),start)\nsleep_ms(100)\n"
        "start=ticks_ms()\nfor _ in range(3):pace.wait()\nprint(ujson.dumps([ten,ticks_diff(ticks_ms(),start)]))"
    )
    assert 195 <= found[0] < 400
    assert 35 <= found[1] < 200
