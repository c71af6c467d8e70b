"""The contract from TOML: what each key becomes, and one fault at a time with its exact line."""

import struct
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tinyseal_host.contract import Contract
from tinyseal_host.contract_toml import read_contract
from tinyseal_host.errors import TinysealError
from toml_contracts import RANGE_WANTED, fault

TYPE_WANTED = '"float32" or "int16" or "int8" or "uint8"'
LENGTH_WANTED = "a whole number from 1 to 1073741823"
LABEL_WANTED = "printable strings of 1 to 255 bytes"


def test_reads_a_contract(toml):
    assert read_contract(toml()) == Contract.simple(600, -20.0, 20.0, 180, ("on", "off"))


def test_labels_may_be_left_out(toml):
    assert read_contract(toml(labels=None)).labels == ()
    assert read_contract(toml(labels="[]")).labels == ()


@pytest.mark.parametrize(
    ("key", "example"),
    [
        ("type", 'type = "float32"'),
        ("length", "length = 600"),
        ("range", "range = [-20.0, 20.0]"),
        ("zero_ratio", "zero_ratio = 0.3"),
    ],
)
def test_a_missing_key_comes_with_an_example(toml, key, example):
    path = toml(**{key: None})
    with pytest.raises(TinysealError) as caught:
        read_contract(path)
    assert str(caught.value) == f"{path}: key {key} is missing"
    assert caught.value.hint == f"for example: {example}"


@pytest.mark.parametrize(("key", "shown"), [("lenght", '"lenght"'), ('"a\\nb"', "'a\\nb'")])
def test_an_unknown_key_comes_with_the_known_ones(toml, key, shown):
    path = toml(**{key: "1"})
    with pytest.raises(TinysealError) as caught:
        read_contract(path)
    assert str(caught.value) == f"{path}: unknown key {shown}"
    assert caught.value.hint == (
        "the keys are type, length, range, zero_ratio, channels, scale, offset, saturated_ratio, rails, "
        "least_movement, largest_step, mean, deviation, sensor_failure, labels"
    )


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("type", '"int32"', f'type is "int32", wanted {TYPE_WANTED}'),
        ("type", '"float32\\n"', f"type is 'float32\\n', wanted {TYPE_WANTED}"),
        ("type", "1", f"type is 1, wanted {TYPE_WANTED}"),
        ("type", '["float32"]', f'type is ["float32"], wanted {TYPE_WANTED}'),
        ("type", "{a = 1}", f"type is a table, wanted {TYPE_WANTED}"),
        ("length", "0", f"length is 0, wanted {LENGTH_WANTED}"),
        ("length", "-1", f"length is -1, wanted {LENGTH_WANTED}"),
        ("length", "1073741824", f"length is 1073741824, wanted {LENGTH_WANTED}"),
        ("length", "600.0", f"length is 600.0, wanted {LENGTH_WANTED}"),
        ("length", "true", f"length is true, wanted {LENGTH_WANTED}"),
        ("length", '"600"', f'length is "600", wanted {LENGTH_WANTED}'),
        ("length", "1" + "0" * 50, f"length is a very large number, wanted {LENGTH_WANTED}"),
        ("range", "20.0", f"range is 20.0, wanted {RANGE_WANTED}"),
        ("range", "[]", f"range is [], wanted {RANGE_WANTED}"),
        ("range", "[1]", f"range is [1], wanted {RANGE_WANTED}"),
        ("range", "[1, 2, 3]", f"range is [1, 2, 3], wanted {RANGE_WANTED}"),
        ("range", "[1, 2, 3, 4, 5]", f"range is [1, 2, 3, 4, ...], wanted {RANGE_WANTED}"),
        ("range", "[2, 1]", f"range is [2, 1], wanted {RANGE_WANTED}"),
        ("range", "[1, 1]", f"range is [1, 1], wanted {RANGE_WANTED}"),
        ("range", "[-0.0, 0.0]", f"range is [-0.0, 0.0], wanted {RANGE_WANTED}"),
        ("range", "[1, 1.00000001]", f"range is [1, 1.00000001], wanted {RANGE_WANTED}"),
        ("range", "[nan, 1]", f"range is [NaN, 1], wanted {RANGE_WANTED}"),
        ("range", "[-inf, 1]", f"range is [-Infinity, 1], wanted {RANGE_WANTED}"),
        ("range", "[0, 3.5e38]", f"range is [0, 3.5E+38], wanted {RANGE_WANTED}"),
        ("range", "[0, 1e400]", f"range is [0, 1E+400], wanted {RANGE_WANTED}"),
        ("range", "[false, true]", f"range is [false, true], wanted {RANGE_WANTED}"),
        ("range", '["0", "1"]', f'range is ["0", "1"], wanted {RANGE_WANTED}'),
        ("zero_ratio", "-0.1", "zero_ratio is -0.1, wanted a number from 0 to 1"),
        (
            "zero_ratio",
            "1.0000000000000000000001",
            "zero_ratio is 1.0000000000000000000001, wanted a number from 0 to 1",
        ),
        ("zero_ratio", "nan", "zero_ratio is NaN, wanted a number from 0 to 1"),
        ("zero_ratio", "true", "zero_ratio is true, wanted a number from 0 to 1"),
        ("zero_ratio", '"0.3"', 'zero_ratio is "0.3", wanted a number from 0 to 1'),
        ("labels", '"on"', 'labels is "on", wanted a list of at most 255 strings'),
        ("labels", "{a = 1}", "labels is a table, wanted a list of at most 255 strings"),
        ("labels", '["on", 1]', f"labels is 1, wanted {LABEL_WANTED}"),
        ("labels", '[""]', f'labels is "", wanted {LABEL_WANTED}'),
        ("labels", '["a\\tb"]', f"labels is 'a\\tb', wanted {LABEL_WANTED}"),
        ("labels", '["\\u001B[2J"]', f"labels is '\\x1b[2J', wanted {LABEL_WANTED}"),
        ("labels", f'["{"x" * 256}"]', f'labels is "{"x" * 56}..., wanted {LABEL_WANTED}'),
        ("labels", f'["{"ä" * 128}"]', f'labels is "{"ä" * 56}..., wanted {LABEL_WANTED}'),
    ],
)
def test_a_wrong_value_is_told_in_one_line(toml, key, value, message):
    assert fault(toml(**{key: value})) == message


def test_a_list_of_256_labels_is_too_long(toml):
    assert read_contract(toml(labels=str(["x"] * 255))).labels == ("x",) * 255
    assert fault(toml(labels=str(["x"] * 256))).endswith("wanted a list of at most 255 strings")


@pytest.mark.parametrize(
    ("text", "beginning"),
    [
        (b"type = ", "not TOML: Invalid value"),
        (b"a = 1\na = 2\n", "not TOML: Cannot overwrite a value"),
        (b"range = [1,\n", "not TOML: "),
        (b'type = "\xff"', "not UTF-8 text at byte 8, wanted TOML"),
        (b"length = 1" + b"0" * 5000, "not TOML: a number out of reach"),
        (b"zero_ratio = 1e99999999999999999999", "not TOML: a number out of reach"),
        (b"range = " + b"[" * 5000, "not TOML: "),
        (b"\0", "not TOML: "),
        (b"", "key type is missing"),
    ],
)
def test_what_is_not_a_contract_at_all(tmp_path, text, beginning):
    path = tmp_path / "c.toml"
    path.write_bytes(text)
    assert fault(path).startswith(beginning)


def test_a_file_that_is_too_large_or_missing(tmp_path):
    (tmp_path / "c.toml").write_bytes(b"#" * ((1 << 20) + 1))
    assert fault(tmp_path / "c.toml") == "has 1048577 bytes, wanted at most 1048576"
    assert fault(tmp_path / "none.toml") == "no such file or directory"


def test_the_range_is_what_float32_makes_of_it(toml):
    contract = read_contract(toml(range="[0.1, 3.4028234663852886e38]"))
    (channel,) = contract.channels
    assert struct.pack("<ff", channel.low, channel.high) == bytes.fromhex("cdcccc3d ffff7f7f")
    assert (channel.low, channel.high) == struct.unpack("<ff", bytes.fromhex("cdcccc3d ffff7f7f"))


@pytest.mark.parametrize(
    ("ratio", "length", "zeros"),
    [
        ("0", 600, 0),
        ("1", 600, 600),
        ("1.0", 1, 1),
        ("-0.0", 600, 0),
        ("0.29", 100, 29),  # 28.999999999999996 in binary floating point
        ("0.57", 100, 57),
        ("0.7", 10, 7),
        ("0.1", 9, 0),
        ("0.333333333333333333333333333333333333333334", 3, 1),
        ("0.333333333333333333333333333333333333333333", 3, 0),
        ("0.99999999999999999999999999999999999999999", 1073741823, 1073741822),
        ("1e-999999", 1073741823, 0),
    ],
)
def test_max_zeros_is_the_exact_floor(toml, ratio, length, zeros):
    assert read_contract(toml(zero_ratio=ratio, length=str(length))).max_zeros == zeros


@settings(deadline=None)  # the machine may be busy
@given(digits=st.integers(0, 10**34), scale=st.integers(34, 60), length=st.integers(1, (1 << 30) - 1))
def test_max_zeros_is_the_exact_floor_of_any_product(tmp_path_factory, digits, scale, length):
    path = tmp_path_factory.mktemp("toml") / "c.toml"
    ratio = f"{Decimal(digits).scaleb(-scale):f}"
    ratio = ratio if "." in ratio else ratio + ".0"
    path.write_text(f'type = "float32"\nlength = {length}\nrange = [0, 1]\nzero_ratio = {ratio}\n')
    assert read_contract(path).max_zeros == Fraction(ratio) * length // 1
