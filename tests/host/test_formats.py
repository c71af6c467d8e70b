"""Sealed header and release: parsed from bytes written here after FORMAT.md, and every field wrong in turn."""

import contextlib
import struct

import pytest
import tiny_release as tiny
from hypothesis import given, settings
from hypothesis import strategies as st
from tinyseal_host.contract import Contract, parse_contract
from tinyseal_host.errors import Refusal, RefusedError, TinysealError
from tinyseal_host.formats import KeySource, build_release, parse_release, parse_release_header, parse_sealed

DEVICE_ID = bytes.fromhex("7cdfa1e0c3b4")
NONCE = bytes(range(12))
KEY_CHECK = bytes(range(16, 32))
PAYLOAD_LEN = 448


def sealed(**changes):
    """A sealed file with a payload of zeros; the fields by name are FORMAT.md's."""
    fields = {
        "magic": b"SEAL",
        "format_version": 1,
        "key_source": 2,
        "device_id_len": 6,
        "reserved_7": 0,
        "device_id": DEVICE_ID,
        "model_version": 7,
        "payload_len": PAYLOAD_LEN,
        "nonce": NONCE,
        "reserved_44": bytes(4),
        "key_check": KEY_CHECK,
    }
    header = struct.pack("<4s4B16sII12s4s16s", *(fields | changes).values())
    return header + bytes(PAYLOAD_LEN + 16)


def test_sealed_header_both_ways():
    header = parse_sealed(sealed())
    assert header.key_source is KeySource.EFUSE
    assert (header.device_id, header.model_version, header.payload_len) == (DEVICE_ID, 7, PAYLOAD_LEN)
    assert (header.nonce, header.key_check) == (NONCE, KEY_CHECK)
    assert header.pack() == sealed()[:64]


@pytest.mark.parametrize("device_id", [b"\1", b"\1\0", bytes(range(1, 17)), bytes(16)])
def test_device_ids_of_every_length(device_id):
    data = sealed(device_id_len=len(device_id), device_id=device_id)
    assert parse_sealed(data).device_id == device_id
    assert parse_sealed(data).pack() == data[:64]


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (b"", "file has 0 bytes, wanted at least 64"),
        (sealed()[:63], "file has 63 bytes, wanted at least 64"),
        (sealed(magic=b"SEAl"), "magic is not SEAL"),
        (sealed(magic=b"TSM1"), "magic is not SEAL"),
        (sealed(format_version=0), "format version is 0, wanted 1"),
        (sealed(format_version=2), "format version is 2, wanted 1"),
        (sealed(key_source=0), "key source is 0, wanted 1 to 3"),
        (sealed(key_source=4), "key source is 4, wanted 1 to 3"),
        (sealed(device_id_len=0, device_id=b""), "device id has 0 bytes, wanted 1 to 16"),
        (sealed(device_id_len=17), "device id has 17 bytes, wanted 1 to 16"),
        (sealed(device_id_len=5), "padding or reserved bytes are not zero"),
        (sealed(device_id=DEVICE_ID + bytes(9) + b"\1"), "padding or reserved bytes are not zero"),
        (sealed(reserved_7=1), "padding or reserved bytes are not zero"),
        *((sealed(reserved_44=bytes(i) + b"\1"), "padding or reserved bytes are not zero") for i in range(4)),
        (sealed(model_version=0), "model version is 0"),
        (sealed(payload_len=0), "payload has 0 bytes, wanted at least 448"),
        (sealed(payload_len=447), "payload has 447 bytes, wanted at least 448"),
        (sealed(payload_len=449), "file has 528 bytes, wanted 529"),
        (sealed(payload_len=0xFFFFFFFF), "file has 528 bytes, wanted 4294967375"),
        (sealed()[:-1], "file has 527 bytes, wanted 528"),
        (sealed() + b"\0", "file has 529 bytes, wanted 528"),
    ],
)
def test_a_bad_sealed_file_is_refused(bad, message):
    with pytest.raises(RefusedError) as caught:
        parse_sealed(bad)
    assert (caught.value.code, str(caught.value)) == (Refusal.FORMAT, f"sealed file: {message}")


def test_release_header_both_ways():
    header = parse_release_header(tiny.unsigned())
    assert header.pack() == tiny.unsigned()[:64]
    assert (header.total_len, header.model_version, header.name) == (len(tiny.unsigned()), 7, "tiny")
    assert header.layout() == {
        "contract": (64, 92),
        "labels": (156, len(tiny.LABELS_SECTION)),
        "program": (tiny.PROGRAM_AT, tiny.PROGRAM_LEN),
        "tables": (tiny.TABLES_AT, len(tiny.TABLES)),
        "selftest": (tiny.TABLES_AT + len(tiny.TABLES), 18),
        "signature": (len(tiny.unsigned()) - 384, 384),
    }


def test_a_release_s_parts():
    data = tiny.body() + bytes(range(256)) + bytes(128)
    release = parse_release(data)
    labels = tuple(label.decode() for label in tiny.LABELS)
    assert release.contract == Contract.simple(tiny.LENGTH, tiny.LOW, tiny.HIGH, tiny.MAX_ZEROS, labels)
    assert release.labels == release.contract.labels
    assert (release.selftest_frame, release.selftest_output) == (tiny.FRAME, tiny.OUTPUT)
    assert (release.tables, release.signature) == (tiny.TABLES, data[-384:])
    assert [step.name for step in release.program.steps] == ["ROWS"]
    assert release.program.macs == 8
    assert sum(release.sizes.values()) == len(data)
    assert list(release.sizes) == ["header", "contract", "labels", "program", "tables", "selftest", "signature"]


def release_with(at, code, value):
    """The tiny release with one field replaced."""
    data = bytearray(tiny.unsigned())
    struct.pack_into(f"<{code}", data, at, value)
    return bytes(data)


SELFTEST_AT = tiny.TABLES_AT + len(tiny.TABLES)
TOTAL = len(tiny.unsigned())
LABELS_LEN = len(tiny.LABELS_SECTION)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (b"", "has 0 bytes, wanted at least 448"),
        (tiny.unsigned()[:447], "has 447 bytes, wanted at least 448"),
        (tiny.unsigned()[:-1], f"has {TOTAL - 1} bytes, its header says {TOTAL}"),
        (tiny.unsigned() + b"\0", f"has {TOTAL + 1} bytes, its header says {TOTAL}"),
        (release_with(0, "4s", b"SEAL"), "magic is not TSM1"),
        (release_with(4, "I", TOTAL - 4), f"has {TOTAL} bytes, its header says {TOTAL - 4}"),
        (release_with(8, "H", 0), "format version is 0, wanted 1"),
        (release_with(8, "H", 2), "format version is 2, wanted 1"),
        (release_with(10, "H", 256), "reserved bytes are not zero"),
        (release_with(12, "I", 0), "model version is 0"),
        (release_with(16, "16s", b"\xff"), "name is not UTF-8"),
        (release_with(16, "16s", b"a\0b"), "name is not padded with zero bytes"),
        (release_with(32, "I", 90), "contract, program or tables are not a multiple of 4 bytes"),
        (release_with(36, "I", LABELS_LEN + 4), f"its sections make {TOTAL + 4} bytes, its header says {TOTAL}"),
        (
            release_with(36, "I", 0xFFFFFFFF),
            f"its sections make {TOTAL + (1 << 32) - 16} bytes, its header says {TOTAL}",
        ),
        (release_with(36, "I", LABELS_LEN + 1), f"labels fill {LABELS_LEN} of {LABELS_LEN + 1} bytes"),
        (release_with(40, "I", tiny.PROGRAM_LEN + 2), "contract, program or tables are not a multiple of 4 bytes"),
        (release_with(44, "I", len(tiny.TABLES) - 1), "contract, program or tables are not a multiple of 4 bytes"),
        (release_with(48, "I", 17), "padding after selftest is not zero"),
        (release_with(48, "I", 19), "self-test has 19 bytes, not a frame and an output"),
        (release_with(52, "12s", b"\1"), "reserved bytes are not zero"),
        (release_with(52, "12s", bytes(11) + b"\1"), "reserved bytes are not zero"),
        (release_with(tiny.CONTRACT_AT, "I", 5), "contract type is 5, wanted 1 to 4"),
        (release_with(tiny.CONTRACT_AT + 4, "I", 5), "contract has 5 values, the program's input 4"),
        (release_with(tiny.LABELS_AT, "B", 1), f"labels fill 6 of {LABELS_LEN} bytes"),
        (release_with(tiny.LABELS_AT + LABELS_LEN, "B", 1), "padding after labels is not zero"),
        (release_with(tiny.PROGRAM_AT, "I", 5), "program: output of 2 bytes at 4 is not in an arena of 5"),
        (release_with(tiny.PROGRAM_AT + 4, "I", 85), "program: input of 4 bytes at 85 is not in an arena of 88"),
        (release_with(tiny.PROGRAM_AT + 8, "I", 0), "program: input of 0 bytes at 0 is not in an arena of 88"),
        (release_with(tiny.PROGRAM_AT + 12, "I", 87), "program: output of 2 bytes at 87 is not in an arena of 88"),
        (release_with(tiny.PROGRAM_AT + 16, "I", 0), "program: output_len is 0, wanted 1 to 4096"),
        (release_with(tiny.PROGRAM_AT + 16, "I", 4097), "program: output_len is 4097, wanted 1 to 4096"),
        (release_with(tiny.PROGRAM_AT + 16, "I", 1), "has 2 labels, wanted none or 1"),
        (release_with(tiny.PROGRAM_AT + 24, "I", 0), "program: step_count is 0, with room for 14 words"),
        (release_with(tiny.PROGRAM_AT + 24, "I", 15), "program: step_count is 15, with room for 14 words"),
        (release_with(tiny.PROGRAM_AT + 24, "I", 2), "program: step 1 has operator 0, wanted 1 to 16"),
        (release_with(tiny.PROGRAM_AT + 28, "I", 0), "program: step 0 has operator 0, wanted 1 to 16"),
        (release_with(tiny.PROGRAM_AT + 28, "I", 17), "program: step 0 has operator 17, wanted 1 to 16"),
        (release_with(tiny.PROGRAM_AT + 28, "I", 2), "program: step 0 runs past the end of the program"),
        (release_with(tiny.PROGRAM_AT + 28, "I", 4), "program: 1 steps fill 6 of 14 words"),
    ],
)
def test_a_bad_release_is_refused(bad, message):
    with pytest.raises(RefusedError) as caught:
        parse_release(bad)
    assert (caught.value.code, str(caught.value)) == (Refusal.RELEASE, f"release: {message}")


QUANTISE_LEN, DOTS_LEN = len(tiny.quantise_table()), len(tiny.dot_table())


@pytest.mark.parametrize("at", [0, tiny.TABLES_AT - 4, tiny.TABLES_AT + 2, SELFTEST_AT - 4, 0xFFFFFFFC])
@pytest.mark.parametrize(
    ("operand_at", "name"), [(tiny.PROGRAM_AT + 20, "quantise_at"), (tiny.PROGRAM_AT + 28 + 4 * 6, "rows_at")]
)
def test_a_table_must_lie_whole_and_aligned_in_the_tables(at, operand_at, name):
    with pytest.raises(
        RefusedError, match=rf"release: program: {name} {at} with \d+ bytes is not aligned in the tables"
    ):
        parse_release(release_with(operand_at, "I", at))


@pytest.mark.parametrize("count", [QUANTISE_LEN + DOTS_LEN, 0xFFFFFFFF])
def test_the_quantise_table_s_own_length_is_not_believed(count):
    with pytest.raises(RefusedError, match="quantise_at"):
        parse_release(release_with(tiny.TABLES_AT + 8, "I", count))


@settings(deadline=None)  # the machine may be busy
@given(st.data())
def test_no_bytes_raise_anything_but_a_refusal(data):
    """Any change of up to eight bytes of a good release, and any prefix of it."""
    changed = bytearray(tiny.unsigned())
    for _ in range(data.draw(st.integers(0, 8))):
        changed[data.draw(st.integers(0, tiny.TABLES_AT + 16))] = data.draw(st.integers(0, 255))
    cut = bytes(changed)[: data.draw(st.sampled_from([len(changed), 448, 500, 64, 8]))]
    for parse, code in ((parse_release, Refusal.RELEASE), (parse_sealed, Refusal.FORMAT)):
        with contextlib.suppress(RefusedError):
            parse(cut)
            continue
        with pytest.raises(RefusedError) as caught:
            parse(cut)
        assert (caught.value.code, str(caught.value).isprintable()) == (code, True)


def build(**changes):
    parts = {
        "name": "tiny",
        "version": 7,
        "contract": parse_contract(tiny.body()[64:156]),
        "labels": [label.decode() for label in tiny.LABELS],
        "program_for": tiny.program,
        "tables": tiny.TABLES,
        "selftest_frame": tiny.FRAME,
        "selftest_output": tiny.OUTPUT,
    }
    return build_release(**(parts | changes))


def test_builds_the_release_that_format_md_describes():
    assert build() == tiny.body()


@pytest.mark.parametrize("name", ["x", "x" * 16, "ä" * 8])
def test_names_up_to_16_bytes(name):
    assert parse_release(build(name=name) + bytes(384)).header.name == name


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("", '""'),
        ("x" * 17, '"xxxxxxxxxxxxxxxxx"'),
        ("ä" * 9, '"äääääääää"'),
        ("a\nb", "'a\\nb'"),
        ("a\0", "'a\\x00'"),
        ("\udcff", "'\\udcff'"),
    ],
)
def test_a_name_that_does_not_fit(name, shown):
    with pytest.raises(TinysealError) as caught:
        build(name=name)
    assert str(caught.value) == f"name is {shown}, wanted 1 to 16 bytes of printable text"
    assert caught.value.hint == "use --name"


@pytest.mark.parametrize("version", [1, 0xFFFFFFFF])
def test_versions_at_the_ends(version):
    assert parse_release_header(build(version=version) + bytes(384)).model_version == version


@pytest.mark.parametrize("version", [-1, 0, 1 << 32])
def test_a_version_that_does_not_fit(version):
    with pytest.raises(TinysealError) as caught:
        build(version=version)
    assert str(caught.value) == f"version is {version}, wanted 1 to 4294967295"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": ["one"]}, "release: has 1 labels, wanted none or 2"),
        ({"tables": tiny.TABLES[:-4]}, "release: program: rows_at"),
        ({"tables": tiny.TABLES + b"\0"}, "release: contract, program or tables are not a multiple of 4 bytes"),
        ({"selftest_frame": tiny.FRAME[:-4]}, "release: self-test has 14 bytes, not a frame and an output"),
        ({"selftest_output": b"\0"}, "release: self-test has 17 bytes, not a frame and an output"),
    ],
)
def test_parts_that_do_not_fit_are_refused_when_building(change, message):
    with pytest.raises(RefusedError, match=message) as caught:
        build(**change)
    assert caught.value.code == Refusal.RELEASE
