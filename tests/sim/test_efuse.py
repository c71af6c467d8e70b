"""A board that is a chip: its name, its registers in `mem32`, its virtual eFuse in the state directory."""

import hmac
import json

import efuse_chip as chips
import pytest
from efuse_chip import CHIPS, EFUSE
from tinyseal_host.sim import SimError, VirtualBoard, set_chip

KEY = bytes(range(1, 33))

# What espefuse 5.6.0 wrote with --virt for `burn-key BLOCK_KEY2 K.bin HMAC_UP`, K.bin being 01 02 .. 20: of 512 bytes
# those of the read registers that are not zeros, by place in the file. They are the same for all five chips.
BURNED = {0x1C7: "08", 0x1CF: "04", 0x1D0: "02000400"}
# With --no-read-protect and BLOCK_KEY0.
READABLE = {0x144: bytes(reversed(KEY)).hex(), 0x1C8: "08", 0x1D0: "00800100"}

PLAY = """
import machine
registers = machine.mem32
for kind, *rest in {accesses}:
    if kind == "write":
        registers[rest[0]] = rest[1]
    elif kind == "set":
        registers[rest[0]] |= rest[1]
    elif kind == "clear":
        registers[rest[0]] &= ~rest[1]
    elif kind == "wait":
        while registers[{base} + 0x6C]:
            pass
    elif kind == "result":
        print(b"".join([registers[{base} + at].to_bytes(4, "little") for at in range(0xC0, 0xE0, 4)]).hex())
"""


def written(words):
    data = bytearray(512)
    for at, content in words.items():
        data[at : at + len(content) // 2] = bytes.fromhex(content)
    return bytes(data)


@pytest.fixture
def raw_terminal(tmp_path, open_terminal):
    """A terminal on a board with the chip and the files that it is asked for."""
    boards = []

    def started(chip, **files):
        for name, content in files.items():
            (tmp_path / f"efuse.{name}").write_bytes(content)
        boards.append(VirtualBoard(tmp_path, chip=chip).start())
        terminal = open_terminal(boards[-1])
        terminal.raw()
        return terminal

    yield started
    for board in boards:
        board.stop()


def result(terminal, chip, number, message):
    source = PLAY.format(accesses=chips.steps(chip, number, message), base=CHIPS[chip][0])
    return bytes.fromhex(terminal.value(source))


def machine_name(terminal):
    return terminal.value("import os, sys; print(os.uname().machine, sys.implementation._machine, sep='/')").split("/")


@pytest.mark.parametrize(
    ("chip", "name"),
    [
        ("esp32", "ESP32"),
        ("esp32s2", "ESP32-S2"),
        ("esp32s3", "ESP32S3"),
        ("esp32c3", "ESP32C3"),
        ("esp32c6", "ESP32C6"),
    ],
)
def test_it_says_which_chip_it_is_as_stock_firmware_does(raw_terminal, chip, name):
    assert machine_name(raw_terminal(chip)) == [f"tinyseal virtual board with {name}"] * 2


def test_the_chip_is_kept_and_stays(tmp_path, open_terminal):
    VirtualBoard(tmp_path, chip="esp32c3").start().stop()
    kept = json.loads((tmp_path / "board.json").read_text())
    assert kept["chip"] == "esp32c3"
    with VirtualBoard(tmp_path) as board:
        terminal = open_terminal(board)
        terminal.raw()
        assert machine_name(terminal) == ["tinyseal virtual board with ESP32C3"] * 2
        with pytest.raises(SimError, match="already runs"):
            set_chip(tmp_path, "esp32c3")
    assert json.loads((tmp_path / "board.json").read_text()) == kept
    with pytest.raises(SimError, match="is the chip esp32c3, not esp32s3"):
        VirtualBoard(tmp_path, chip="esp32s3").start()
    with pytest.raises(SimError, match="is the chip esp32c3, not esp32c6"):
        set_chip(tmp_path, "esp32c6")


def test_a_board_that_exists_can_become_a_chip(tmp_path):
    VirtualBoard(tmp_path).start().stop()
    before = json.loads((tmp_path / "board.json").read_text())
    set_chip(tmp_path, "esp32s3")
    assert json.loads((tmp_path / "board.json").read_text()) == {**before, "chip": "esp32s3"}


@pytest.mark.parametrize("chip", ["esp8266", "ESP32C3", ""])
def test_a_chip_that_nobody_knows_is_refused_by_name(tmp_path, chip):
    with pytest.raises(SimError, match=f"is the chip {chip}, wanted one of esp32, "):
        set_chip(tmp_path, chip)
    (tmp_path / "board.json").write_text(json.dumps({"unique_id": "02" * 6, "chip": chip}))
    with pytest.raises(SimError, match=r"board\.json holds chip .* wanted one of esp32, "):
        VirtualBoard(tmp_path).start()


@pytest.mark.parametrize("chip", CHIPS)
def test_the_hmac_of_a_burned_key(raw_terminal, chip):
    terminal = raw_terminal(chip, bin=written(BURNED), keys=json.dumps({"BLOCK_KEY2": KEY.hex()}).encode())
    at = EFUSE[chip]
    shown = f"import machine; print([machine.mem32[a] for a in ({at + 0x30}, {at + 0x38}, {at + 0xDC})])"
    assert terminal.value(shown) == "[4, 8, 0]"
    assert result(terminal, chip, 2, b"message") == hmac.digest(KEY, b"message", "sha256")


def test_a_key_that_can_be_read_is_in_espefuse_s_file_alone(raw_terminal):
    terminal = raw_terminal("esp32c3", bin=written(READABLE))
    assert terminal.value("import machine; print(hex(machine.mem32[0x6000889C]))") == "0x4030201"
    assert result(terminal, "esp32c3", 0, b"") == hmac.digest(KEY, b"", "sha256")


def test_without_a_file_nothing_is_burned(raw_terminal):
    terminal = raw_terminal("esp32c6")
    source = "import machine; print([machine.mem32[a] for a in range(0x600B0800, 0x600B0A00, 4)] == [0] * 128)"
    assert terminal.value(source) == "True"


def test_what_was_burned_shows_after_a_reset(raw_terminal, tmp_path):
    terminal = raw_terminal("esp32c3")
    read = "import machine; print(machine.mem32[0x60008830])"
    assert terminal.value(read) == "0"
    (tmp_path / "efuse.bin").write_bytes(written(BURNED))
    assert terminal.value(read) == "0"
    terminal.send(b"\x04")
    terminal.until(b"raw REPL; CTRL-B to exit\r\n>")
    assert terminal.value(read) == "4"


def test_memory_is_there_besides_the_registers_which_are_of_words(raw_terminal):
    terminal = raw_terminal("esp32c3")
    source = """
import machine, uctypes
b = bytearray(8)
at = uctypes.addressof(b)
machine.mem32[at] = 0x80112233
machine.mem8[at + 6] = 0x66
print(b.hex())
"""
    assert terminal.value(source) == "3322118000006600"
    for access in ("mem8[0x60008830]", "mem16[0x60008830]", "mem32[0x60000000]"):
        assert "ValueError" in terminal.execute(f"import machine; machine.{access}")[1]


@pytest.mark.parametrize(
    ("chip", "files", "complaint"),
    [
        ("esp32c3", {"bin": bytes(511)}, r"efuse\.bin has 511 bytes, wanted 512"),
        ("esp32c3", {"keys": b"{"}, r"efuse\.keys is not"),
        ("esp32c3", {"keys": b"[]"}, r"efuse\.keys is not"),
        ("esp32c3", {"keys": b'{"BLOCK_KEY6": "' + b"00" * 32 + b'"}'}, r"efuse\.keys is not"),
        ("esp32c3", {"keys": b'{"BLOCK_KEY0": "' + b"00" * 31 + b'"}'}, r"efuse\.keys is not"),
        ("esp32c3", {"keys": b'{"BLOCK_KEY0": 5}'}, r"efuse\.keys is not"),
        (None, {"bin": bytes(512)}, r"efuse\.bin is there, but the board is no chip"),
        ("esp32", {"keys": b"{}"}, r"efuse\.keys is there, but the board is no chip"),
    ],
)
def test_a_damaged_efuse_is_refused_by_name(raw_terminal, chip, files, complaint):
    with pytest.raises(SimError, match=complaint):
        raw_terminal(chip, **files)


def test_a_chip_that_its_efuse_cannot_be_is_not_kept(tmp_path):
    (tmp_path / "efuse.bin").write_bytes(bytes(512))
    with pytest.raises(SimError, match=r"efuse\.bin is there, but the board is no chip"):
        set_chip(tmp_path, "esp32")
    assert not (tmp_path / "board.json").exists()
    set_chip(tmp_path, "esp32c3")
