"""Releases that are signed and wrong: what only the signer himself could do to a board is refused all the same."""

import struct

import tiny_release
from opening import VERSION, board_verdicts, same_verdicts, seal_anything, signed

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


PROGRAM = [  # word of the program, wrong values: the board never runs what leads out of arena or tables
    (0, [0, 87, 1 << 31]),  # arena_len
    (1, [85, 0xFFFFFFFF]),  # input_at
    (2, [0, 3, 5, 1 << 31]),  # input_len
    (3, [87, 0xFFFFFFFE]),  # output_at
    (4, [0, 1, 3, 256]),  # output_len
    (5, [0, 2, 1 << 31]),  # quantise_at
    (6, [0, 2, 1 << 31]),  # step_count
    (7, [0, 5, 17, 255]),  # operator
    (8, [73, 0xFFFFFFFF]),  # in_at
    (10, [0, 1 << 24, 1 << 30]),  # pixels
    (11, [0, 2, 1 << 31]),  # strip
    (12, [0, 17, 16385, 1 << 31]),  # k
    (13, [0, 2, 1 << 31]),  # rows_at
    (14, [0, 3, 1 << 31]),  # m
    (15, [0, 2]),  # short
    (16, [18, 20, 0xFFFFFFFC]),  # scratch_at
    (17, [87, 0xFFFFFFFC]),  # out_at
    (18, [256]),  # zero
    (19, [256]),  # low
    (20, [256]),  # high
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
