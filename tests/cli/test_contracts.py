"""`tinyseal contract` and `tinyseal check`: what they write and say, and what they refuse."""

import struct
import tomllib
from pathlib import Path

import numpy as np
import pytest

FLOATS = np.random.default_rng(7).normal(0, 1, (20, 60)).astype(np.float32)


@pytest.fixture
def frames(here):
    """Twenty clean frames in two channels, and the contract that they give."""
    np.save("frames.npy", FLOATS)
    return "frames.npy"


def test_contract_then_check_as_the_example_does_it(tinyseal, shared, here):
    found = tinyseal("contract --channels 6 -o c.toml", shared / "training.npy")
    assert (found.status, found.err) == (0, "")
    head, *rows = found.out.splitlines()
    assert head.split() == ["limit", "channel", "seen", "allowed", "refused", "left", "out"]
    named = [row.split()[0] for row in rows[:37]]
    assert {name: named.count(name) for name in named} == {
        "zero_ratio": 1,
        **dict.fromkeys(("range", "saturated_ratio", "least_movement", "largest_step", "mean", "deviation"), 6),
    }
    assert rows[0].split() == ["range", "0", "-22.46", "to", "29.36", "-27.7", "to", "34.6", "0", "0"]
    assert rows[-2] == "c.toml: refuses 0 of these 40 frames"
    assert rows[-1] == "made without the frame that it is held against, it would refuse 6 of 40"
    found = tinyseal("check --contract c.toml --plot frames.png", shared / "frames.npy")
    assert (found.status, found.err) == (0, "")
    assert [line.split() for line in found.out.splitlines()] == [
        ["frames.npy:", "40", "frames,", "37", "pass,", "3", "refused"],
        ["refused", "for", "channel", "frames", "first"],
        ["flat", "5", "1", "6"],
        ["mean", "1", "1", "15"],
        ["mean", "4", "1", "38"],
        ["drawn", "in", "frames.png"],
    ]
    picture = Path("frames.png").read_bytes()
    assert picture[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", picture[16:24]) == (1200, 1030)


def test_json_says_the_same(tinyseal, frames):
    about = tinyseal("contract frames.npy --channels 2 --quantile 0.05 -o c.toml --json").json
    assert (about["file"], about["frames"]) == ("c.toml", 20)
    assert [limit["channel"] for limit in about["limits"] if limit["key"] == "mean"] == [0, 1]
    made = tomllib.loads(Path("c.toml").read_text())
    low, high = made["range"][1]
    (limit,) = [limit for limit in about["limits"] if (limit["key"], limit["channel"]) == ("range", 1)]
    assert (limit["low"], limit["high"]) == (low, high)
    about = tinyseal("check frames.npy --contract c.toml --json").json
    assert about["frames"] == 20
    refused = [row for row in about["verdicts"] if row["status"]]
    assert len(refused) == about["refused"] == sum(row["frames"] for row in about["counts"] if row["status"])
    assert refused
    assert {(row["reason"], row["channel"]) for row in refused} == {
        (row["reason"], row["channel"]) for row in about["counts"] if row["status"]
    }


def test_check_names_every_reason(tinyseal, frames):
    tinyseal("contract frames.npy --channels 2 -o c.toml")
    bad = FLOATS.copy()
    bad[3, 1] = np.nan
    bad[5, 0] = bad[9, 2] = 1e6
    bad[11] = 0
    np.save("bad.npy", bad)
    found = tinyseal("check bad.npy --contract c.toml")
    assert found.status == 0
    assert [line.split() for line in found.out.splitlines()[2:]] == [
        ["nan", "1", "1", "3"],
        ["range", "0", "2", "5"],
        ["zeros", "-", "1", "11"],
    ]


@pytest.mark.parametrize("name", ["int16", "int8", "uint8"])
def test_raw_integers(tinyseal, here, name):
    limits = np.iinfo(name)
    frames = np.random.default_rng(2).integers(limits.min, limits.max, (10, 90), endpoint=True).astype(name)
    np.save("raw.npy", frames)
    assert tinyseal("contract raw.npy --channels 3 -o c.toml").status == 0
    assert tomllib.loads(Path("c.toml").read_text())["type"] == name
    assert tinyseal("check raw.npy --contract c.toml --plot raw.png").out.startswith("raw.npy: 10 frames, 10 pass")


def test_numbers_as_text_are_float32(tinyseal, frames):
    Path("frames.csv").write_text("\n".join(",".join(map(repr, row)) for row in FLOATS.tolist()))
    tinyseal("contract frames.csv --channels 2 -o a.toml")
    tinyseal("contract frames.npy --channels 2 -o b.toml")
    assert Path("a.toml").read_text().replace("frames.csv", "frames.npy") == Path("b.toml").read_text()
    assert tinyseal("check frames.csv --contract a.toml").out == "frames.csv: 20 frames, 20 pass, 0 refused\n"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("contract none.npy -o c.toml", "none.npy: no such file or directory"),
        ("contract frames.npy --channels 7 -o c.toml",
         "frames.npy: has 60 values a frame, wanted a multiple of 7 channels"),
        ("contract one.npy -o c.toml", "one.npy: has 1 frame, wanted 2 or more clean ones"),
        ("contract empty.npy -o c.toml", "empty.npy: has no frames in it, its shape is (0, 60)"),
        ("contract flat.npy -o c.toml", "flat.npy: has shape (60,), wanted frames first: (frames, values)"),
        ("contract double.npy -o c.toml", "double.npy: holds float64, wanted float32 or int16 or int8 or uint8"),
        ("contract nan.npy -o c.toml", "nan.npy: frame 4 has NaN or infinity in 2 of its values, wanted clean frames"),
        ("contract dead.npy --channels 2 -o c.toml",
         "dead.npy: channel 1 is 0 throughout, wanted frames of a sensor that works"),
        ("contract frames.npy -o no/c.toml", "no/c.toml: its folder does not exist"),
        ("check frames.npy --contract none.toml", "none.toml: no such file or directory"),
        ("check int.npy --contract ok.toml", "int.npy: holds int16, the model's contract wants float32"),
        ("check one.npy --contract ok.toml --plot no/x.png", "no/x.png: its folder does not exist"),
        ("check short.npy --contract ok.toml --plot x.png",
         "nothing to draw: frames have 58 values, the contract wants 60"),
        ("check wide.npy --contract wide.toml --plot x.png",
         "nothing to draw: 65 channels, wanted at most 64 in a picture"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_in_one_line_and_nothing_is_written(tinyseal, frames, line, said):
    with_nan = FLOATS.copy()
    with_nan[4, 7:9] = np.nan, np.inf
    for name, array in {
        "one": FLOATS[:1],
        "empty": FLOATS[:0],
        "flat": FLOATS[0],
        "double": FLOATS.astype(float),
        "nan": with_nan,
        "dead": FLOATS * (np.arange(60) % 2 == 0).astype(np.float32),
        "int": FLOATS.astype(np.int16),
        "short": FLOATS[:, :58],
        "wide": FLOATS[:, np.arange(65) % 60],
    }.items():
        np.save(f"{name}.npy", array)
    Path("ok.toml").write_text('type = "float32"\nlength = 60\nrange = [-9, 9]\nzero_ratio = 1\n')
    Path("wide.toml").write_text('type = "float32"\nlength = 65\nchannels = 65\nrange = [-9, 9]\nzero_ratio = 1\n')
    before = {path.name for path in Path().iterdir()}
    found = tinyseal(line)
    assert (found.status, found.error, found.out) == (1, said, "")
    assert {path.name for path in Path().iterdir()} == before


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("contract frames.npy", "the following arguments are required: -o/--output"),
        (
            "contract frames.npy --channels 0 -o c.toml",
            "argument --channels: got '0', wanted a whole number from 1 to 256",
        ),
        ("contract frames.npy --margin -1 -o c.toml", "argument --margin: got '-1', wanted a number from 0 to 10"),
        ("contract frames.npy --margin nan -o c.toml", "argument --margin: got 'nan', wanted a number from 0 to 10"),
        (
            "contract frames.npy --quantile 0.5 -o c.toml",
            "argument --quantile: got '0.5', wanted a number from 0 to 0.49",
        ),
        ("contract frames.npy -o frames.npy", "frames.npy: is the input, wanted another output"),
        ("check frames.npy", "the following arguments are required: --contract"),
    ],
)
def test_a_command_line_that_cannot_be_meant(tinyseal, frames, line, said):
    found = tinyseal(line)
    assert (found.status, found.error) == (2, said)


def test_frames_of_the_wrong_length_are_counted_as_the_gate_would(tinyseal, frames):
    Path("ok.toml").write_text('type = "float32"\nlength = 61\nrange = [-9, 9]\nzero_ratio = 1\n')
    assert tinyseal("check frames.npy --contract ok.toml").out.splitlines()[2].split() == ["size", "-", "20", "0"]
