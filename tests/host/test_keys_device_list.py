"""A file of device ids: what is taken, and that whatever is not is said with its line."""

import pytest
from tinyseal_host import keys
from tinyseal_host.errors import TinysealError, UsageError


def read(tmp_path, data):
    path = tmp_path / "boards.txt"
    path.write_bytes(data)
    return [device_id.hex() for device_id in keys.read_device_list(path)]


def message(tmp_path, data):
    with pytest.raises(TinysealError) as caught:
        read(tmp_path, data)
    assert not isinstance(caught.value, UsageError)
    assert str(caught.value).isprintable()
    return str(caught.value).removeprefix(str(tmp_path / "boards.txt"))


@pytest.mark.parametrize(
    "data",
    [
        b"7cdfa1e0c3b4\n01\n",
        b"7cdfa1e0c3b4\n01",
        b"7c:df:a1:e0:c3:b4\r\n01\r\n",
        b"\xef\xbb\xbf7CDFA1E0C3B4\n01\n",
        b"# first run\n\n  7cdfa1e0c3b4\t# on the bench\n\t01 #\n#02\n\n",
    ],
    ids=["lines", "no last line end", "MACs and CRLF", "byte order mark", "comments and blanks"],
)
def test_what_is_taken(tmp_path, data):
    assert read(tmp_path, data) == ["7cdfa1e0c3b4", "01"]


def test_the_order_is_the_files(tmp_path):
    ids = [f"{number * 7919 % 10007:012x}" for number in range(10000)]
    assert read(tmp_path, "\n".join(ids).encode()) == ids


def test_a_board_that_is_named_twice_is_refused_with_both_lines(tmp_path):
    for second in (b"0a0b", b"0A:0B"):
        assert message(tmp_path, b"0a0b\n# more\n0c\n" + second) == ", line 4: 0a0b stands in line 1 already"


@pytest.mark.parametrize("line", [b"0a0b 0c0d", b"0a0b,0c0d", b"board7", b"0a0", b"\x1b[31m", "０７".encode()])
def test_a_line_that_is_no_id(tmp_path, line):
    found = message(tmp_path, b"01\n\n" + line + b"\n02\n")
    assert found.startswith(", line 3: device id is ")
    assert found.endswith(", wanted 1 to 16 bytes in hexadecimal")


@pytest.mark.parametrize("data", [b"", b"\n\n", b"# nothing\n", b"\xef\xbb\xbf"])
def test_a_list_of_nothing(tmp_path, data):
    assert message(tmp_path, data) == ": names no board, wanted one device id a line"


def test_what_is_no_text(tmp_path):
    assert message(tmp_path, b"01\n\xff\xfe") == ": not UTF-8 text at byte 3, wanted one device id a line"
