"""`esp32.NVS`: what a chip's does, in this life and the next."""

import pytest
from sim.terminal import RAW_PROMPT
from tinyseal_host.sim import SimError, VirtualBoard

OPEN = "from esp32 import NVS; n = NVS('space'); b = bytearray(8)\n"


def reset(terminal):
    terminal.send(b"\x04")
    terminal.until(RAW_PROMPT)


def test_values_are_read_back_by_type(terminal):
    source = OPEN + "n.set_i32('i', -5); n.set_blob('b', b'abc'); n.set_blob('s', 'xy')\n"
    assert terminal.value(source + "print(n.get_i32('i'), n.get_blob('b', b), b[:3], n.get_blob('s', b), b[:2])") == (
        "-5 3 bytearray(b'abc') 2 bytearray(b'xy')"
    )


def test_another_object_of_the_namespace_sees_them_at_once_and_another_namespace_does_not(terminal):
    assert terminal.value(OPEN + "n.set_i32('i', 1); print(NVS('space').get_i32('i'))") == "1"
    assert "ESP_ERR_NVS_NOT_FOUND" in terminal.execute(OPEN + "NVS('other').get_i32('i')")[1]


def test_only_what_was_committed_survives_a_reset(terminal):
    terminal.value(OPEN + "n.set_i32('i', 1); n.set_blob('b', b'kept'); n.commit(); n.set_i32('i', 2); print()")
    reset(terminal)
    assert terminal.value(OPEN + "print(n.get_i32('i'), n.get_blob('b', b), b[:4])") == "1 4 bytearray(b'kept')"
    terminal.value(OPEN + "n.erase_key('i'); n.commit(); print()")
    reset(terminal)
    assert "NOT_FOUND" in terminal.execute(OPEN + "n.get_i32('i')")[1]


@pytest.mark.parametrize(
    ("call", "code"),
    [
        ("n.get_i32('none')", -0x1102),
        ("n.get_blob('none', b)", -0x1102),
        ("n.erase_key('none')", -0x1102),
        ("n.get_i32('blob')", -0x1102),
        ("n.get_blob('number', b)", -0x1102),
        ("n.get_blob('blob', bytearray(2))", -0x110C),
        ("n.set_i32('k' * 16, 1)", -0x1109),
        ("n.set_blob('', b'')", -0x1109),
        ("NVS('n' * 16)", -0x1106),
        ("n.set_blob('big', bytes(20000))", -0x1105),
    ],
)
def test_failures_have_the_numbers_of_esp_idf(terminal, call, code):
    source = OPEN + "n.set_i32('number', 1); n.set_blob('blob', b'abc')\n"
    caught = f"try: {call}\nexcept OSError as e: print(e.args[0], e.args[1][:12])"
    assert terminal.value(source + caught) == f"{code} ESP_ERR_NVS_"


def test_names_of_fifteen_characters_and_the_extreme_numbers_fit(terminal):
    source = "from esp32 import NVS; n = NVS('n' * 15)\n"
    source += "for v in (-1 << 31, (1 << 31) - 1): n.set_i32('k' * 15, v); print(n.get_i32('k' * 15))"
    assert terminal.value(source) == "-2147483648\n2147483647"
    assert "OverflowError" in terminal.execute(OPEN + "n.set_i32('k', 1 << 31)")[1]


def test_values_survive_power_off(tmp_path, open_terminal):
    for turn in range(2):
        with VirtualBoard(tmp_path) as board:
            terminal = open_terminal(board)
            terminal.raw()
            if turn == 0:
                terminal.value(OPEN + "n.set_blob('key', bytes(range(32))); n.commit(); print()")
            else:
                assert terminal.value(
                    "from esp32 import NVS; b = bytearray(32)\nprint(NVS('space').get_blob('key', b))"
                )
                assert terminal.value("print(b == bytes(range(32)))") == "True"


@pytest.mark.parametrize("content", [b"", b"NVS2", b"NVS1\x14", b"NVS1\x14\x01\x01\x04\x00ab", b"NVS1\x99\0\0\0\0"])
def test_a_damaged_file_is_refused_by_name(tmp_path, content):
    (tmp_path / "nvs.bin").write_bytes(content)
    with pytest.raises(SimError, match=r"nvs\.bin"):
        VirtualBoard(tmp_path).start()
