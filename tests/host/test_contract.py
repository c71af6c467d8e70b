"""The two sections of a release that a contract becomes, and what their parsers refuse."""

import struct
from dataclasses import replace

import pytest
from gate_cases import Case, Limits
from tinyseal_host.contract import Channel, Checks, Contract, pack_labels, parse_contract, parse_labels
from tinyseal_host.errors import Refusal, RefusedError


def section(kind="float32", length=4, limits=None, *, words=(), **fields):
    """Of channels with these limits, with some words of the section replaced, by number."""
    case = Case(kind, limits or [Limits(-1.0, 1.0) if kind == "float32" else Limits(-1, 1)], length, **fields)
    packed = bytearray(case.section())
    for number, value in words:
        struct.pack_into("<I", packed, 4 * number, value & 0xFFFFFFFF)
    return bytes(packed)


def test_the_section_is_format_md_s():
    contract = Contract.simple(4, -1.0, 1.0, 2, ("on",))
    assert contract.pack() == section(max_zeros=2)
    assert parse_contract(section(max_zeros=2)) == replace(contract, labels=())
    assert contract.frame_bytes == 16


def test_every_field_has_its_place():
    limits = Limits(-3, 100, 0.5, 2.0, 7, (1, 2), 3, 4, 5, (6, 7), (1 << 40, (1 << 63) - 1))
    packed = section("int8", 6, [limits, replace(limits, zero=65536)], max_zeros=4, checks=31, failure_after=9)
    channel = Channel(-3, 100, 0.5, 2.0, 7, 1, 2, 3, 4, 5, 6, 7, 1 << 40, (1 << 63) - 1)
    contract = Contract("int8", 6, (channel, replace(channel, zero=65536)), 4, Checks(31), 9)
    assert parse_contract(packed) == contract
    assert contract.pack() == packed
    assert (contract.samples, contract.frame_bytes, contract.section_len) == (3, 6, 28 + 2 * 64)


@pytest.mark.parametrize(
    "good",
    [
        section(max_zeros=0),
        section(max_zeros=4),
        section(length=(1 << 30) - 1),
        section(length=65535, checks=24),
        section(length=65536, checks=7),
        section(length=256, limits=[Limits(0.0, 1.0)] * 256),
        section("int16", limits=[Limits(-32768, 32767, 1e-45, -3e38, -32768)], failure_after=0xFFFFFFFF),
        section("uint8", limits=[Limits(0, 255, 3e38, 3e38, 255)]),
    ],
)
def test_the_ends_of_every_range_are_accepted(good):
    assert parse_contract(good).pack() == good


RANGE = "contract range is {}, wanted finite and low < high"
RAW = "contract range is {}, wanted low < high, both int8"


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (b"", "contract has 0 bytes, wanted at least 28"),
        (section()[:-1], "contract has 91 bytes, wanted 92"),
        (section() + b"\0", "contract has 93 bytes, wanted 92"),
        (section(words=[(0, 0)]), "contract type is 0, wanted 1 to 4"),
        (section(words=[(0, 5)]), "contract type is 5, wanted 1 to 4"),
        (section(length=0), "contract length is 0, wanted 1 to 1073741823"),
        (section(length=1 << 30), "contract length is 1073741824, wanted 1 to 1073741823"),
        (section(words=[(2, 0)]), "contract has 0 channels in 4 values, wanted 1 to 256 that divide them"),
        (section(words=[(2, 3)]), "contract has 3 channels in 4 values, wanted 1 to 256 that divide them"),
        (section(words=[(2, 2)]), "contract has 92 bytes, wanted 156"),
        (section(checks=32), "contract has checks 32 and reserved 0, wanted checks below 32 and 0"),
        (section(words=[(6, 1)]), "contract has checks 0 and reserved 1, wanted checks below 32 and 0"),
        (section(length=65536, checks=8), "contract has a mean of 65536 values, wanted at most 65535"),
        (section(max_zeros=5), "contract allows 5 zeros in 4 values"),
        (section(limits=[Limits(float("nan"), 1.0)]), RANGE.format("nan to 1.0")),
        (section(limits=[Limits(float("-inf"), 1.0)]), RANGE.format("-inf to 1.0")),
        (section(limits=[Limits(-1.0, float("nan"))]), RANGE.format("-1.0 to nan")),
        (section(limits=[Limits(-1.0, float("inf"))]), RANGE.format("-1.0 to inf")),
        (section(limits=[Limits(1.0, 1.0)]), RANGE.format("1.0 to 1.0")),
        (section(limits=[Limits(-0.0, 0.0)]), RANGE.format("-0.0 to 0.0")),
        (section(limits=[Limits(-1.0, 1.0), Limits(2.0, 1.0)]), RANGE.format("2.0 to 1.0")),
        (section(limits=[Limits(-1.0, 1.0, 2.0)]), "contract has a scale of 2 for float32"),
        (section(limits=[Limits(-1.0, 1.0, zero=1)]), "contract has a scale of 1 for float32"),
        (section("int8", limits=[Limits(-129, 1)]), RAW.format("-129 to 1")),
        (section("int8", limits=[Limits(-1, 128)]), RAW.format("-1 to 128")),
        (section("int8", limits=[Limits(1, 1)]), RAW.format("1 to 1")),
        (section("int8", limits=[Limits(0, 1, 0.0)]), "contract scales by 0 and adds 0, wanted positive and finite"),
        (section("int8", limits=[Limits(0, 1, -1.0)]), "contract scales by -1 and adds 0, wanted positive and finite"),
        (section("int8", limits=[Limits(0, 1, 1.0, float("nan"))]),
         "contract scales by 1 and adds nan, wanted positive and finite"),
        (section("int8", limits=[Limits(0, 1, zero=200)]), "contract has its zero at 200, wanted int8 or 65536"),
        *((section(words=[(12 + i, 1 << 31)]), "contract has a limit of 2^31 or more") for i in range(7)),
        (section(limits=[Limits(0.0, 1.0, deviation=(1 << 63, 0))]), "contract has a limit of 2^31 or more"),
        (section(limits=[Limits(0.0, 1.0, deviation=(0, 1 << 63))]), "contract has a limit of 2^31 or more"),
    ],
)  # fmt: skip
def test_a_bad_section_is_refused(bad, message):
    with pytest.raises(RefusedError) as caught:
        parse_contract(bad)
    assert (caught.value.code, str(caught.value)) == (Refusal.RELEASE, f"release: {message}")


@pytest.mark.parametrize(
    ("labels", "packed"),
    [
        ((), b"\0"),
        (("on",), b"\1\2on"),
        (("ä", "", "b"), b"\3\2\xc3\xa4\0\1b"),
        (("x" * 255,) * 255, b"\xff" + (b"\xff" + b"x" * 255) * 255),
    ],
    ids=["none", "one", "three", "all that fit"],
)
def test_labels_both_ways(labels, packed):
    assert pack_labels(labels) == packed
    assert parse_labels(packed) == labels


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (b"", "labels fill 1 of 0 bytes"),
        (b"\0\0", "labels fill 1 of 2 bytes"),
        (b"\1", "labels run past the end of their section"),
        (b"\1\2o", "labels run past the end of their section"),
        (b"\2\2on", "labels run past the end of their section"),
        (b"\1\2on\0", "labels fill 4 of 5 bytes"),
        (b"\1\1\xff", "a label is not UTF-8"),
        (b"\1\3\xed\xa0\x80", "a label is not UTF-8"),
    ],
)
def test_bad_labels_are_refused(bad, message):
    with pytest.raises(RefusedError) as caught:
        parse_labels(bad)
    assert (caught.value.code, str(caught.value)) == (Refusal.RELEASE, f"release: {message}")
