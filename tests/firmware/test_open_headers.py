"""Releases that are signed and wrong: what only the signer himself could do to a board is refused all the same."""

import struct

import tiny_release
from compiling import PATH
from opening import VERSION, board_verdicts, same_verdicts, seal_anything, signed
from tflite_writer import TfliteWriter
from tinyseal_host.contract import Channel, Contract
from tinyseal_host.formats import parse_release
from tinyseal_host.model.compiler import compile_model

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


def test_channels_of_raw_integers(identity):
    """One field of a channel at a time, in a release that opens as it stands; then the end of its quantise table."""
    wrong = [  # word of the second channel's record, struct code, values
        (0, "i", [100, 101, -32769]),
        (1, "i", [-50, 32768]),
        (2, "f", [0.0, -0.0, -1.0, float("inf"), float("nan")]),
        (3, "f", [float("inf"), float("nan")]),
        (4, "i", [32768, -32769, 65537]),
        (5, "I", [1 << 31]),
        (15, "I", [1 << 31]),
    ]
    writer = TfliteWriter()
    entry, result = writer.tensor((1, 4, 2), scale=0.1), writer.tensor((1, 4, 2), scale=0.05)
    writer.operator("QUANTIZE", [entry], [result])
    data = writer.finish([entry], [result])
    contract = Contract("int16", 8, (Channel(-50, 100, 0.5, 0.0, 0), Channel(-50, 100, 0.25, 0.0, 65536)), 8)
    body = compile_model(data, PATH, contract, name="raw", version=VERSION)
    bodies = {"good": body}
    for word, code, values in wrong:
        for number, value in enumerate(values):
            altered = bytearray(body)
            struct.pack_into("<" + code, altered, 64 + 28 + 64 + 4 * word, value)
            bodies[f"word{word}_{number}"] = bytes(altered)
    places = parse_release(body + bytes(384)).header.layout()
    end = places["tables"][0] + 2 * 772
    for name, at in (("first table", end - 772 - 2), ("second table", end - 1)):
        altered = bytearray(body)
        altered[at] = 0xFE
        bodies[name] = bytes(altered)
    files = {name: seal_anything(signed(altered, identity), identity) for name, altered in bodies.items()}
    found = same_verdicts(files, identity)
    assert found.pop("good") == "OK"
    assert set(found.values()) == {"RELEASE"}
