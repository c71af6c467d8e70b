"""Releases that are signed and wrong: what only the signer himself could do to a board is refused all the same."""

import struct

import pytest
import tiny_release
from opening import VERSION, board_verdicts, same_verdicts, seal_anything, signed, verdict

FIELDS = [  # offset, struct code, wrong values, of a release's header and contract
    (0, "4s", [b"TSM2"]),
    (4, "I", [0, 1 << 20]),
    (8, "H", [0, 2]),
    (10, "H", [1]),
    (12, "I", [0, VERSION + 1]),
    (16, "16s", [b"\xff\xfe", b"a\0b"]),
    (32, "I", [0, 88, 93, 96, 0xFFFFFFFF]),
    (36, "I", [0, 1, 400, 0xFFFFFFFF]),
    (40, "I", [0, 3, 4, 1 << 31]),
    (44, "I", [0, 5, 0x7FFFFFFF]),
    (48, "I", [0, 2, 16, 400]),
    (52, "12s", [b"\1"]),
    (64, "I", [0, 5, 1 << 31]),
    (68, "I", [0, 3, 5, 1 << 30]),
    (72, "I", [0, 2, 3, 1 << 31]),
    (76, "I", [32, 1 << 31]),
    (80, "I", [5, 0xFFFFFFFF]),
    (88, "I", [1]),
    (92, "f", [float("nan"), float("-inf"), 8.0, 9.0]),
    (96, "f", [float("nan"), float("inf"), -4.5]),
    (100, "f", [0.0, 2.0, float("nan")]),
    (104, "f", [-0.0, 1.0]),
    (108, "i", [1, -1]),
    *((at, "I", [1 << 31]) for at in range(112, 140, 4)),
    (140, "Q", [1 << 63]),
    (148, "Q", [1 << 63]),
    (156, "B", [0, 1, 3, 255]),
    (157, "B", [0, 255]),
]


def test_signed_but_wrong_structures(identity):
    """What only the signer himself could do to a board: refused all the same, before anything is run."""
    body = tiny_release.body(VERSION)
    files = {}
    for offset, code, values in FIELDS:
        for number, value in enumerate(values):
            altered = bytearray(body)
            struct.pack_into("<" + code, altered, offset, value)
            files[f"at{offset}_{number}"] = seal_anything(signed(bytes(altered), identity), identity)
    assert set(same_verdicts(files, identity).values()) == {"RELEASE"}


SIZE = 64  # bytes of arena: 4 of input, 2 of output behind them, scratch from 16 on
_POOL = [0, 1, 2, 2, 1, 2, 1, 1, 0, 0, 1, 1, 4, 0, 255]  # what MAX_POOL and AVERAGE_POOL share
_POOL_WRONG = {
    1: [61, -1], 2: [0, 17, 65536], 3: [0, 33, 65536], 4: [0, 33, 65536], 5: [0, 8193, 65536], 6: [0, 16385, 65536],
    7: [0, 65536], 8: [0, 65536], 9: [1, 65536], 10: [2, 65536], 11: [0, 2, 32768], 12: [0, 3, 32768], 13: [63, -1],
    14: [256], 15: [256],
}  # fmt: skip
_PAIR = [0, 0, 0, 4, 2, 4]  # what the operators of two operands share
_PAIR_WRONG = {1: [61, -1], 2: [63, -1], 3: [1, 2], 4: [0, 3, 64], 5: [0, 3, 8], 6: [61, -1]}
STEPS = {  # operator: its operands when all is well, with `None` for the table; by place, what a board refuses
    "CONV": (
        [2, 0, 1, 4, 1, 1, 2, 1, 1, 1, 1, 0, 0, 128, 16, 1, 2, 2, None, 1, 4, 128, 0, 255],
        {1: [61, -1], 2: [0, 17, 65536], 3: [0, 65, 65536], 4: [0, 2], 5: [0, 2], 6: [0, 3], 7: [65536], 9: [65536],
         11: [65536], 13: [256], 14: [61, -1], 15: [0, 61, 32768], 16: [0, 32768], 17: [0, 1, 3, 16385], 18: [2, -4],
         19: [0, 1 << 20], 20: [63, -1], 21: [256], 22: [256], 23: [256]},
    ),
    "MEAN": (
        [3, 0, 2, 2, 4, 0, 0x4000, 0, 0, 0, 128, 0, 255],
        {1: [61, -1], 2: [0, 33, 1 << 24], 3: [0, 33, -1], 4: [63, -1], 6: [0x8000], 7: [0x10000], 8: [29], 9: [32],
         10: [256], 11: [256], 12: [256]},
    ),
    "SOFTMAX": (
        [4, 0, 1, 2, 16, 4, None],
        {1: [63, -1], 2: [0, 33, -1], 3: [0, 65, 256], 4: [17, 60, -4], 5: [63, -1], 6: [2, -4]},
    ),
    "DEPTHWISE": (
        [5, 0, 1, 2, 2, 1, 1, 1, 1, 1, 1, 0, 0, 128, 1, 1, 1, 1, None, 2, 4, 128, 0, 255],
        {1: [61, -1], 2: [0, 17, 65536], 3: [0, 33, 65536], 4: [0, 1, 3], 5: [0, 2], 6: [0, 2], 7: [0, 65536],
         8: [0, 65536], 9: [0, 65536], 10: [0, 65536], 11: [65536], 12: [65536], 13: [256], 14: [0, 2],
         15: [0, 31, 32768], 16: [0, 31, 32768], 17: [0, 2, 16385], 18: [2, -4], 19: [0, 1, 3, 1 << 20], 20: [63, -1],
         21: [256], 22: [256], 23: [256]},
    ),
    "MAX_POOL": ([6, *_POOL], _POOL_WRONG),
    "AVERAGE_POOL": ([7, *_POOL], _POOL_WRONG),
    "MAP": ([8, 0, 4, 4, None], {1: [61, -1], 2: [0, 61, -1], 3: [61, -1], 4: [2, -4]}),
    "ADD": (
        [9, *_PAIR, 128, 0x4000, 0, 0, 128, 0x4000, 0, 0, 0, 0x4000, 0, 17, 128, 0, 255],
        _PAIR_WRONG | {7: [256], 8: [0x8000], 9: [0x10000], 10: [32], 11: [256], 12: [0x8000], 13: [0x10000], 14: [32],
                       15: [2], 16: [0x8000], 17: [0x10000], 18: [32], 19: [256], 20: [256], 21: [256]},
    ),
    "MUL": (
        [10, *_PAIR, 128, 128, 0x4000, 0, 0, 8, 128, 0, 255],
        _PAIR_WRONG | {7: [256], 8: [256], 9: [0x8000], 10: [0x10000], 11: [29], 12: [32], 13: [256], 14: [256],
                       15: [256]},
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


def program_of(step, table_of):
    """A release body with that one step, whose table stands behind the quantise table; -1 stands for 2^32 - 1."""
    body = bytearray(tiny_release.body(VERSION))
    quantise = tiny_release.quantise_table()
    tables = quantise + table_of
    program_at = tiny_release.PROGRAM_AT
    tables_at = program_at + 4 * (7 + len(step))
    words = [SIZE, 0, 4, 4, 2, tables_at, 1, *(tables_at + len(quantise) if word is None else word for word in step)]
    program = struct.pack(f"<{len(words)}I", *(word & 0xFFFFFFFF for word in words))
    selftest = bytes(body[-20:])
    parts = bytes(body[64:program_at]) + program + tables + selftest
    header = bytearray(body[:64])
    struct.pack_into("<I", header, 4, 64 + len(parts) + 384)
    struct.pack_into("<2I", header, 40, len(program), len(tables))
    return bytes(header) + parts


TABLE_OF = {
    "CONV": bytes([129, 128, 128, 128]) + struct.pack("<i4I", -128, 0x4000, 0, 1, 0),
    "SOFTMAX": struct.pack("<256i", 0x7FFFFFFF, *range(255, 0, -1)),
    "DEPTHWISE": (bytes([129, 128, 128, 128]) + struct.pack("<i4I", -128, 0x4000, 0, 1, 0)) * 2,
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
        name: seal_anything(signed(program_of(step, TABLE_OF.get(operator, b"")), identity), identity)
        for name, step in files.items()
    }
    found = board_verdicts(sealed, identity)
    assert found.pop("good")[0] in ("OK", "SELF_TEST")
    assert {name: code for name, (code, *_) in found.items() if code != "RELEASE"} == {}
    for name, data in sealed.items():
        if name != "good":
            assert verdict(data, identity) == "RELEASE", name


def test_tables_that_would_lead_a_kernel_astray(identity):
    """A quantise table without an end, multipliers that overflow, and an exponential table whose sum could be zero."""
    body = tiny_release.body(VERSION)
    rows = tiny_release.ROWS_AT + 4
    softmax = program_of(STEPS["SOFTMAX"][0], struct.pack("<256i", 2047, *range(255, 0, -1)))
    altered = {"softmax": softmax}
    for name, at, value in (
        ("sentinel", tiny_release.TABLES_AT + 12 + 4 * 256, 0x7F800000),
        ("zero", tiny_release.TABLES_AT, 256),
        ("mult_hi", rows + 4, 0x8000),
        ("mult_lo", rows + 8, 0x10000),
        ("left", rows + 12, 29),
        ("right", rows + 16, 32),
    ):
        data = bytearray(body)
        struct.pack_into("<I", data, at, value)
        altered[name] = bytes(data)
    sealed = {name: seal_anything(signed(data, identity), identity) for name, data in altered.items()}
    assert set(same_verdicts(sealed, identity).values()) == {"RELEASE"}


PROGRAM = [  # word of the program, wrong values: the board never runs what leads out of arena or tables
    (0, [0, 5, 1 << 31]),  # arena_len
    (1, [5, 0xFFFFFFFF]),  # input_at
    (2, [0, 3, 5, 1 << 31]),  # input_len
    (3, [7, 0xFFFFFFFE]),  # output_at
    (4, [0, 1, 3, 256]),  # output_len
    (5, [0, 2, 1 << 31]),  # quantise_at
    (6, [0, 2, 1 << 31]),  # step_count
    (7, [0, 5, 255]),  # operator
    (8, [6, 0xFFFFFFFF]),  # in_at
    (10, [0, 1 << 30]),  # pixels
    (11, [0, 9, 16385, 1 << 31]),  # k
    (12, [0, 2, 1 << 31]),  # rows_at
    (13, [0, 5, 1 << 31]),  # m
    (14, [7, 0xFFFFFFFC]),  # out_at
    (15, [256]),  # zero
    (16, [256]),  # low
    (17, [256]),  # high
]


def test_signed_but_wrong_programs(identity):
    body = tiny_release.body(VERSION)
    files = {}
    for word, values in PROGRAM:
        for number, value in enumerate(values):
            altered = bytearray(body)
            struct.pack_into("<I", altered, tiny_release.PROGRAM_AT + 4 * word, value)
            files[f"word{word}_{number}"] = seal_anything(signed(bytes(altered), identity), identity)
    found = board_verdicts(files, identity)
    assert {name: code for name, (code, *_) in found.items() if code not in ("RELEASE", "MEMORY")} == {}
    assert [name for name, (code, *_) in found.items() if code == "MEMORY"] == ["word0_2"]


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
