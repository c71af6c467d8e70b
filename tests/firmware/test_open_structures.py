"""Programs that are signed and wrong: no operator can be led out of arena or tables by the signer himself."""

import struct

import pytest
import tiny_release
from opening import VERSION, board_verdicts, same_verdicts, seal_anything, signed, verdict

SIZE = 64  # bytes of arena: 4 of input, 2 of output behind them, scratch from 16 on
SIZES = {"ROWS": 164, "ROWS with sums": 196, "CONV": 178, "RING_CONV": 176}  # to the end of a dot product's scratch
_POOL = [0, 1, 2, 2, 1, 2, 1, 1, 0, 0, 1, 1, 4, 0, 255]  # what MAX_POOL and AVERAGE_POOL share
_POOL_WRONG = {
    1: [61, -1], 2: [0, 17, 65536], 3: [0, 33, 65536], 4: [0, 33, 65536], 5: [0, 8193, 65536], 6: [0, 16385, 65536],
    7: [0, 65536], 8: [0, 65536], 9: [1, 65536], 10: [2, 65536], 11: [0, 2, 32768], 12: [0, 3, 32768], 13: [63, -1],
    14: [256], 15: [256],
}  # fmt: skip
_PAIR = [0, 0, 0, 4, 2, 4]  # what the operators of two operands share
_PAIR_WRONG = {1: [61, -1], 2: [63, -1], 3: [1, 2], 4: [0, 3, 64], 5: [0, 3, 8], 6: [61, -1]}
STEPS = {  # operator: its operands when all is well, with `None` for the table; by place, what a board refuses
    "ROWS": (  # 2 pixels of 2 values, of which 16 are read; 2 * 72 bytes of scratch
        [1, 0, 1, 2, 2, 2, None, 1, 1, 20, 4, 128, 0, 255],
        {1: [148, -1], 2: [149, -1], 3: [0, 1, 161, 1 << 24], 4: [0, 3, -1], 5: [0, 17, 16385], 6: [2, -4],
         7: [0, 2, 1 << 20], 8: [0, 2], 9: [18, 24, -4], 10: [163, -1], 11: [256], 12: [256], 13: [256]},
    ),
    "ROWS with sums": (  # the widest block of 48 weights is one of 32: 4 * 36 bytes of units, and a sum
        [1, 0, 1, 1, 1, 48, None, 1, 0, 48, 4, 128, 0, 255],
        {1: [149, -1], 3: [0, 150], 4: [0, 2], 5: [0, 49, 65, 16385], 6: [2, -4], 7: [0, 2, 1 << 20], 8: [1, 2],
         9: [46, 52, -4], 10: [196, -1]},
    ),
    "CONV": (  # 2 * 72 bytes of units, then 2 + 16 under the kernel
        [2, 0, 1, 4, 1, 1, 2, 1, 1, 1, 1, 0, 0, 128, 2, 1, 2, 2, None, 1, 1, 16, 4, 128, 0, 255],
        {1: [175, -1], 2: [0, 45, 65536], 3: [0, 179, 65536], 4: [0, 2], 5: [0, 2], 6: [0, 3], 7: [0, 65536],
         8: [0, 65536], 9: [0, 65536], 10: [0, 65536], 11: [65536], 12: [65536], 13: [256], 14: [0, 3, -1],
         15: [0, 88, 32768], 16: [0, 1, 32768], 17: [0, 1, 3, 16385], 18: [2, -4], 19: [0, 2, 1 << 20], 20: [0, 2],
         21: [15, 20, -4], 22: [177, -1], 23: [256], 24: [256], 25: [256]},
    ),
    "RING_CONV": (  # a ring of 2 rows of 2 pixels, a unit each
        [15, 0, 2, 2, 8, 2, 1, 1, 1, 1, 1, 0, 0, 128, 1, 2, 16, None, 1, 1, 32, 4, 128, 0, 255],
        {1: [145, -1], 2: [0, 12, 65536], 3: [0, 12, 65536], 4: [0, 4, 16], 5: [0, 1, 3], 6: [0, 2], 7: [0, 65536],
         8: [0, 3, 65536], 9: [0, 2, 65536], 10: [0, 65536], 11: [65536], 12: [65536], 13: [256], 14: [0, 87, 32768],
         15: [0, 3, 32768], 16: [0, 8, 24, 16385], 17: [2, -4], 18: [0, 2, 1 << 20], 19: [0, 2], 20: [31, 36, -4],
         21: [175, -1], 22: [256], 23: [256], 24: [256]},
    ),
    "DEPTHWISE3X3": (
        [16, 0, 1, 4, 1, 4, 1, 1, 1, 0, 0, 128, 16, 1, 2, 2, 1, None, 4, 128, 0, 255],
        {1: [61, -1], 2: [0, 17, 65536], 3: [0, 65, 65536], 4: [0, 2, 65536], 5: [1 << 24], 6: [22, 1 << 24],
         7: [0, 65536], 8: [0, 14, 65536], 9: [65536], 10: [65536], 11: [256], 12: [53, -1], 13: [0, 31, 32768],
         14: [0, 15, 32768], 15: [1 << 24], 16: [60, 1 << 24], 17: [2, -4], 18: [63, -1], 19: [256], 20: [256, 129],
         21: [256]},
    ),
    "MEAN": (
        [3, 0, 2, 2, 16, 4, 0, 0x4000, 0, 0, 0, 128, 0, 255],
        {1: [61, -1], 2: [0, 33, 1 << 24], 3: [0, 33, -1], 4: [17, 60, -4], 5: [63, -1], 7: [0x8000], 8: [0x10000],
         9: [29], 10: [32], 11: [256], 12: [256], 13: [256]},
    ),
    "SOFTMAX": (
        [4, 0, 1, 2, 4, None],
        {1: [63, -1], 2: [0, 33, -1], 3: [0, 65, 256], 4: [63, -1], 5: [2, -4]},
    ),
    "DEPTHWISE": (
        [5, 0, 1, 2, 2, 1, 1, 1, 1, 1, 1, 0, 0, 128, 1, 1, 1, 1, None, 2, 16, 4, 128, 0, 255],
        {1: [61, -1], 2: [0, 17, 65536], 3: [0, 33, 65536], 4: [0, 1, 3], 5: [0, 2], 6: [0, 2], 7: [0, 65536],
         8: [0, 65536], 9: [0, 65536], 10: [0, 65536], 11: [65536], 12: [65536], 13: [256], 14: [0, 2],
         15: [0, 31, 32768], 16: [0, 31, 32768], 17: [0, 2, 16385], 18: [2, -4], 19: [0, 1, 3, 1 << 20],
         20: [17, 60, -4], 21: [63, -1], 22: [256], 23: [256], 24: [256]},
    ),
    "MAX_POOL": ([6, *_POOL], _POOL_WRONG),
    "AVERAGE_POOL": ([7, *_POOL], _POOL_WRONG),
    "MAP": ([8, 0, 4, 4, None], {1: [61, -1], 2: [0, 61, -1], 3: [61, -1], 4: [2, -4]}),
    "ADD": (
        [9, *_PAIR, None, None, 1 << 30, 0x4000, 0, 1, 17, 128, 0, 255],
        _PAIR_WRONG | {7: [2, 4, -4], 8: [2, 4, -4], 10: [0x8000], 11: [0x10000], 13: [32], 14: [256], 15: [256],
                       16: [256]},
    ),
    "MUL": (
        [10, *_PAIR, 128, 128, 0, 0x4000, 0, 1, 8, 128, 0, 255],
        _PAIR_WRONG | {7: [256], 8: [256], 9: [29], 10: [0x8000], 11: [0x10000], 13: [32], 14: [256], 15: [256],
                       16: [256]},
    ),
    "MINIMUM": ([11, *_PAIR], _PAIR_WRONG),
    "MAXIMUM": ([12, *_PAIR], _PAIR_WRONG),
    "MINIMUM of a constant": (
        [11, 0, None, 1, 8, 4, 8],
        {1: [57, -1], 2: [0, 2, -4], 3: [0, 2], 4: [0, 6, 64], 5: [0, 3, 8], 6: [57, -1]},
    ),
    "FILL": ([13, 4, 2, 128], {1: [63, -1], 2: [0, 61, -1], 3: [256]}),
    "COPY": (
        [14, 0, 4, 1, 1, 1, 1, 2, 0, 0, 0, 1, 0, 0, 0, 1],
        {1: [63, -1], 2: [63, -1], 3: [0, 60, 1 << 24], 4: [0, 1 << 24], 5: [0, 1 << 24], 6: [0, 1 << 24],
         7: [0, 61, 1 << 24], 8: [1 << 24, -1 << 24, 1 << 31], 9: [1 << 24, -1 << 24, 1 << 31],
         10: [1 << 24, -1 << 24, 1 << 31], 11: [64, -1, 1 << 24, 1 << 31], 12: [1 << 24, -1 << 24, 1 << 31],
         13: [1 << 24, -1 << 24, 1 << 31], 14: [1 << 24, -1 << 24, 1 << 31], 15: [60, -5, 1 << 24, 1 << 31]},
    ),
}  # fmt: skip


def program_of(step, table_of, size=SIZE):
    """A release body with that one step, whose table stands behind the quantise table, and an arena of `size` bytes.

    -1 stands for 2^32 - 1.
    """
    body = bytearray(tiny_release.body(VERSION))
    quantise = tiny_release.quantise_table()
    tables = quantise + table_of
    program_at = tiny_release.PROGRAM_AT
    tables_at = program_at + 4 * (7 + len(step))
    words = [size, 0, 4, 4, 2, tables_at, 1, *(tables_at + len(quantise) if word is None else word for word in step)]
    program = struct.pack(f"<{len(words)}I", *(word & 0xFFFFFFFF for word in words))
    selftest = bytes(body[-20:])
    parts = bytes(body[64:program_at]) + program + tables + selftest
    header = bytearray(body[:64])
    struct.pack_into("<I", header, 4, 64 + len(parts) + 384)
    struct.pack_into("<2I", header, 40, len(program), len(tables))
    return bytes(header) + parts


SHORT = bytes([129] + [128] * 15) + struct.pack("<i3I", 2 * -128 - (129 + 15 * 128), 1 << 30, 1, 1)
LONG = bytes([129] + [128] * 47) + struct.pack("<i4I", 2 * -128 - (129 + 47 * 128), 0x4000, 0, 1, 0)
TABLE_OF = {
    "ROWS": SHORT,
    "ROWS with sums": LONG,
    "CONV": SHORT,
    "RING_CONV": SHORT,
    "DEPTHWISE3X3": bytes([129] + [128] * 8 + [0] * 3) + struct.pack("<i3I", -128, 1 << 30, 1, 1),
    "SOFTMAX": struct.pack("<256i", 0x7FFFFFFF, *range(255, 0, -1)),
    "DEPTHWISE": bytes([129, 129, 0, 0]) + struct.pack("<i4I", 0, 0x4000, 0, 1, 0) * 2,
    "ADD": struct.pack("<256I", *(1 << 29 for _ in range(256))),
    "MAP": bytes(range(256)),
    "MINIMUM of a constant": bytes(4),
}


@pytest.mark.parametrize("operator", STEPS)
def test_no_operator_can_be_led_out_of_arena_or_tables(identity, operator):
    """Each operand in turn just beyond what it may be; the step as it stands fails the self-test at most."""
    good, wrong = STEPS[operator]
    files = {"good": good}
    for place, values in wrong.items():
        for number, value in enumerate(values):
            files[f"operand{place}_{number}"] = [*good[:place], value, *good[place + 1 :]]
    sealed = {
        name: seal_anything(
            signed(program_of(step, TABLE_OF.get(operator, b""), SIZES.get(operator, SIZE)), identity), identity
        )
        for name, step in files.items()
    }
    found = board_verdicts(sealed, identity)
    assert found.pop("good")[0] in ("OK", "SELF_TEST")
    assert verdict(sealed["good"], identity) == f"OK {VERSION}"  # the host does not run it
    assert {name: code for name, (code, *_) in found.items() if code != "RELEASE"} == {}
    for name, data in sealed.items():
        if name != "good":
            assert verdict(data, identity) == "RELEASE", name


def test_a_ring_is_of_channels_in_eights(identity):
    """Where all else fits: 4 rows of 4 channels under the kernel instead of 2 of 8."""
    step = [15, 0, 4, 2, 4, 4, 1, 1, 1, 1, 1, 0, 0, 128, 1, 2, 16, None, 1, 1, 64, 4, 128, 0, 255]
    file = seal_anything(signed(program_of(step, SHORT, 4096), identity), identity)
    assert same_verdicts({"ring": file}, identity) == {"ring": "RELEASE"}


def test_a_short_table_is_of_one_block(identity):
    """48 bytes are two; the step has a good short record where that would be."""
    step = [*STEPS["ROWS with sums"][0]]
    step[8] = 1
    table = bytes([128] * 48) + SHORT[16:]
    file = seal_anything(signed(program_of(step, table, 4096), identity), identity)
    assert same_verdicts({"short": file}, identity) == {"short": "RELEASE"}


RECORDS = {  # operator: from the table's end, words and what they may not be
    "ROWS": {-12: [1 << 31], -8: [0, 2], -4: [0, 2, 32]},
    "DEPTHWISE3X3": {-12: [1 << 31], -8: [0, 2], -4: [0, 2, 23]},
    "ROWS with sums": {-16: [0x8000], -12: [0x10000], -8: [29], -4: [32]},
    "DEPTHWISE": {-16: [0x8000], -12: [0x10000], -8: [29], -4: [32]},
}


@pytest.mark.parametrize("operator", RECORDS)
def test_multipliers_out_of_range(identity, operator):
    """In the last row of a table; of two where the operator has two."""
    sealed = {}
    for at, values in RECORDS[operator].items():
        for value in values:
            table = bytearray(TABLE_OF[operator])
            struct.pack_into("<I", table, len(table) + at, value)
            body = program_of(STEPS[operator][0], bytes(table), SIZES.get(operator, SIZE))
            sealed[f"{at}_{value}"] = seal_anything(signed(body, identity), identity)
    assert set(same_verdicts(sealed, identity).values()) == {"RELEASE"}


def test_a_right_shift_and_its_half_at_their_ends(identity):
    """Both are right only together, at 31 and for 3x3 weights at 22."""
    ends = {("ROWS", 31): True, ("ROWS", 32): False, ("DEPTHWISE3X3", 22): True, ("DEPTHWISE3X3", 23): False}
    for (operator, right), allowed in ends.items():
        table = bytearray(TABLE_OF[operator])
        struct.pack_into("<2I", table, len(table) - 8, (1 << right >> 1) & 0xFFFFFFFF, right)
        body = program_of(STEPS[operator][0], bytes(table), SIZES.get(operator, SIZE))
        file = seal_anything(signed(body, identity), identity)
        assert (board_verdicts({"file": file}, identity)["file"][0] != "RELEASE") == allowed
        assert (verdict(file, identity) != "RELEASE") == allowed


def test_tables_that_would_lead_a_kernel_astray(identity):
    """A quantise table without an end, multipliers that overflow, and an exponential table whose sum could be zero."""
    body = tiny_release.body(VERSION)
    second = tiny_release.ROWS_AT + 32 + 16
    softmax = program_of(STEPS["SOFTMAX"][0], struct.pack("<256i", 2047, *range(255, 0, -1)))
    altered = {"softmax": softmax}
    for name, at, value in (
        ("sentinel", tiny_release.TABLES_AT + 12 + 4 * 256, 0x7F800000),
        ("zero", tiny_release.TABLES_AT, 256),
        ("multiplier", second + 4, 1 << 31),
        ("half", second + 8, 2),
        ("right", second + 12, 32),
    ):
        data = bytearray(body)
        struct.pack_into("<I", data, at, value)
        altered[name] = bytes(data)
    sealed = {name: seal_anything(signed(data, identity), identity) for name, data in altered.items()}
    assert set(same_verdicts(sealed, identity).values()) == {"RELEASE"}


def test_the_longest_output(identity):
    """4096 values and no more, though the arena has room."""
    files = {}
    for length in (4096, 4097):
        body = bytearray(program_of([13, 0, 5000, 128], b""))
        program_at, selftest = tiny_release.PROGRAM_AT, tiny_release.FRAME + bytes(length)
        (tables_at,) = struct.unpack_from("<I", body, program_at + 20)
        struct.pack_into("<6I", body, program_at, 5000, 0, 4, 0, length, tables_at - 12)
        body[tiny_release.LABELS_AT : program_at] = bytes(4)  # no labels: 4 bytes instead of 16
        released = body[:-20] + selftest + bytes(-length % 4)
        struct.pack_into("<I", released, 4, len(released) + 384)
        struct.pack_into("<I", released, 36, 1)
        struct.pack_into("<I", released, 48, len(selftest))
        files[str(length)] = seal_anything(signed(bytes(released), identity), identity)
    assert same_verdicts(files, identity) == {"4096": "OK", "4097": "RELEASE"}
