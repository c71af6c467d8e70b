"""Contracts from clean frames against the gate, and what is marked in frames that it refuses."""

import tomllib
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tinyseal_host import example
from tinyseal_host.contract_toml import contract_of
from tinyseal_host.errors import Status, TinysealError
from tinyseal_host.gate import Verdict, examine
from tinyseal_host.screening.contract_text import contract_text
from tinyseal_host.screening.limits import Rule
from tinyseal_host.screening.proposal import propose
from tinyseal_host.screening.screen import screen, spots
from tinyseal_host.screening.survey import survey

TRAINING = np.load(Path(example.__file__).parent / "training.npy")
KEYS = ("range", "zero_ratio", "saturated_ratio", "least_movement", "largest_step", "mean", "deviation")
REQUIRED = {"type", "length", "channels", "range", "zero_ratio"}


def proposed(frames, channels, margin=0.1, quantile=0.0):
    return propose(survey(frames, channels, "frames.npy"), frames.dtype.name, Rule(margin, quantile))


def table(proposal):
    return tomllib.loads(contract_text(proposal, "frames.npy"), parse_float=Decimal)


def contract(proposal):
    return contract_of(table(proposal), Path("c.toml"))


@st.composite
def clean_frames(draw):
    """2 to 6 frames of any type, 1 to 3 channels, of values that lie anywhere from one bit apart to far away."""
    name = draw(st.sampled_from(["float32", "int16", "int8", "uint8"]))
    shape = draw(st.integers(2, 6)), draw(st.integers(1, 12)), draw(st.integers(1, 3))
    if name == "float32":
        scale = draw(st.sampled_from([1e-20, 1e-3, 1.0, 1e4, 1e30]))
        values = st.floats(-1, 1, width=16).map(lambda value: value * scale)
    else:
        limits = np.iinfo(name)
        values = st.integers(limits.min, limits.max)
    count = int(np.prod(shape))
    frames = np.array(draw(st.lists(values, min_size=count, max_size=count)), name).reshape(shape)
    for channel in range(shape[2]):
        if frames[:, :, channel].min() == frames[:, :, channel].max():
            frames[0, 0, channel] = frames[0, 0, channel] == 0
    return frames.reshape(len(frames), -1), shape[2]


@settings(max_examples=300, deadline=None)
@given(clean_frames(), st.sampled_from([0.0, 1e-6, 0.1, 3.0]))
def test_the_gate_accepts_the_frames_that_a_contract_was_made_from(drawn, margin):
    frames, channels = drawn
    proposal = proposed(frames, channels, margin)
    made = contract(proposal)
    assert [examine(frame, made) for frame in frames] == [Verdict(Status.OK)] * len(frames)
    assert proposal.refused == 0


@pytest.mark.parametrize("key", KEYS)
def test_what_a_limit_is_said_to_refuse_is_what_the_gate_refuses(key):
    """Each key alone, of all 40 recordings with the outermost at either end disregarded."""
    proposal = proposed(TRAINING, 6, margin=0.02, quantile=0.06)
    limits = proposal.of(key)
    only = {name: value for name, value in table(proposal).items() if name in REQUIRED | {key}}
    if key == "saturated_ratio":
        only["rails"] = table(proposal)["rails"]
    if key != "range":
        only["range"] = [Decimal(-100), Decimal(100)]
    if key != "zero_ratio":
        only["zero_ratio"] = 1
    made = contract_of(only, Path("c.toml"))
    found = [examine(frame, made).status for frame in TRAINING]
    said = np.any([limit.refused for limit in limits], axis=0)
    assert [status is not Status.OK for status in found] == said.tolist()
    assert {status for status in found if status is not Status.OK} <= {limits[0].status}
    if key in ("range", "largest_step", "mean", "deviation"):
        assert said.sum() >= 2


def test_left_out_is_what_a_contract_from_the_others_refuses():
    """With the least and the greatest figure on either side of rounding, that is what all can tell."""
    for margin, quantile in ((0.1, 0.0), (0.3, 0.0), (0.1, 0.03)):
        refused = 0
        for number in range(40):
            others = contract(proposed(np.delete(TRAINING, number, axis=0), 6, margin, quantile))
            refused += examine(TRAINING[number], others).status is not Status.OK
        assert proposed(TRAINING, 6, margin, quantile).left_out == refused


def test_a_wild_frame_is_disregarded_by_a_quantile():
    rng = np.random.default_rng(3)
    frames = rng.normal(0, 1, (50, 80)).astype(np.float32)
    frames[7] *= 50
    assert contract(proposed(frames, 2)).channels[0].high > 50
    quiet = proposed(frames, 2, quantile=0.02)
    made = contract(quiet)
    assert made.channels[0].high < 8
    assert screen(frames, made).refused == quiet.refused
    assert screen(frames, made).verdicts[7].status is Status.RANGE


def test_figures_are_those_of_numpy():
    seen = survey(TRAINING, 6, "t")
    cube = TRAINING.reshape(40, 100, 6).astype(float)
    for channel in (0, 5):
        values = cube[3, :, channel]
        assert seen.mean[3, channel] == pytest.approx(values.mean())
        assert seen.deviation[3, channel] == pytest.approx(np.sqrt(((values - values.mean()) ** 2).mean()))
        assert seen.movement[3, channel] == max(values) - min(values)
        assert seen.step[3, channel] == max(abs(b - a) for a, b in pairwise(values))
    assert seen.zeros[3, 0] == list(TRAINING[3]).count(0) / 600
    assert seen.at_rails(-1.0, 2.0, 1)[3] == np.mean([v <= -1 or v >= 2 for v in cube[3, :, 1]])


def test_raw_limits_are_whole_and_lie_in_the_type():
    frames = np.random.default_rng(1).integers(-30000, 32767, (9, 40)).astype(np.int16)
    frames[0, :2] = [-32768, 32767]
    found = table(proposed(frames, 2, margin=0.5))
    assert (found["type"], found["length"], found["channels"]) == ("int16", 40, 2)
    assert found["range"] == [Decimal(-32768), Decimal(32767)]
    assert all(step == int(step) for step in found["largest_step"])


@pytest.mark.parametrize(
    ("frames", "missing"),
    [
        (np.arange(8, dtype=np.float32).reshape(4, 2), {"least_movement", "largest_step", "deviation"}),
        (np.repeat(np.arange(4, dtype=np.int16), 6).reshape(4, 6), {"least_movement", "largest_step"}),
        (np.vstack([np.full(6, 3), np.arange(6)]).astype(np.float32), {"least_movement"}),
    ],
    ids=["one sample", "no frame moves", "one frame stands still"],
)
def test_what_cannot_be_limited_is_not_asked_and_says_why(frames, missing):
    text = contract_text(proposed(frames, 2), "frames.npy")
    assert set(KEYS) - set(tomllib.loads(text)) == missing
    assert text.count("Not asked: ") == len(missing)


def test_the_text_is_for_people():
    text = contract_text(proposed(TRAINING, 6), "training.npy")
    assert text.isascii()
    assert max(map(len, text.splitlines())) <= 100
    assert "40 clean frames, training.npy" in text.replace("\n#", "")
    assert "quantile" not in text
    assert "0.03 of the frames disregarded" in contract_text(proposed(TRAINING, 6, 0.1, 0.03), "t").replace("\n#", "")
    assert set(tomllib.loads(text)) == REQUIRED | set(KEYS) | {"rails"}
    for number in (number for pair in tomllib.loads(text)["range"] for number in pair):
        assert len(str(abs(number)).replace(".", "")) <= 3


@pytest.mark.parametrize(
    ("frames", "channels", "message"),
    [
        (TRAINING[:1], 6, "t: has 1 frame, wanted 2 or more clean ones"),
        (TRAINING[:0], 6, "t: has 0 frames, wanted 2 or more clean ones"),
        (TRAINING, 7, "t: has 600 values a frame, wanted a multiple of 7 channels"),
        (np.vstack([TRAINING[:2], np.full((1, 600), np.nan, np.float32)]), 6,
         "t: frame 2 has NaN or infinity in 600 of its values, wanted clean frames"),
        (np.where(np.arange(600) % 6 == 4, np.float32(2.5), TRAINING), 6,
         "t: channel 4 is 2.5 throughout, wanted frames of a sensor that works"),
    ],
)  # fmt: skip
def test_frames_that_are_not_clean_are_refused(frames, channels, message):
    with pytest.raises(TinysealError) as refusal:
        survey(frames, channels, "t")
    assert refusal.value.message == message


def marked(frame, made):
    verdict = examine(frame, made)
    return verdict, np.argwhere(spots(frame, made, verdict)).tolist()


def test_spots_are_what_a_frame_was_refused_for():
    """One channel of ten samples at a time, worked out by hand."""
    made = contract_of(
        {
            "type": "float32", "length": 20, "channels": 2, "range": [-9, 9], "zero_ratio": Decimal("0.1"),
            "saturated_ratio": Decimal("0.2"), "rails": [-8, 8], "least_movement": 1, "largest_step": 12,
            "mean": [-5, 5],
        },
        Path("c.toml"),
    )  # fmt: skip
    clean = np.array([[(-1.0) ** i * 3, i - 4.75] for i in range(10)], np.float32)
    assert marked(clean, made) == ((Status.OK, -1), [])

    def edited(*edits):
        frame = clean.copy()
        for sample, channel, value in edits:
            frame[sample, channel] = value
        return frame

    assert marked(edited((2, 1, np.nan), (3, 0, np.inf)), made) == ((Status.NAN, 0), [[2, 1], [3, 0]])
    assert marked(edited((9, 1, 9.5), (4, 1, -10)), made) == ((Status.RANGE, 1), [[4, 1], [9, 1]])
    zeros = [(0, 0, 0.0), (5, 0, -0.0), (5, 1, 0.0)]
    assert marked(edited(*zeros), made) == ((Status.ZEROS, -1), [[0, 0], [5, 0], [5, 1]])
    rails = [(0, 0, 8.0), (2, 0, 9.0), (5, 0, -8.5)]
    assert marked(edited(*rails), made) == ((Status.SATURATED, 0), [[0, 0], [2, 0], [5, 0]])
    flat = edited(*[(i, 0, 1.5) for i in range(10)])
    assert marked(flat, made) == ((Status.FLAT, 0), [[i, 0] for i in range(10)])
    assert marked(edited((4, 1, 7.0), (5, 1, -7.0)), made) == ((Status.STEP, 1), [[4, 1], [5, 1]])
    high = edited(*[(i, 1, 6.0 + i / 5) for i in range(10)])
    assert marked(high, made) == ((Status.MEAN, 1), [[i, 1] for i in range(10)])


def test_physical_zero_is_marked_in_raw_frames():
    made = contract_of(
        {"type": "uint8", "length": 4, "scale": Decimal("0.5"), "offset": -64, "range": [-64, 63], "zero_ratio": 0},
        Path("c.toml"),
    )
    assert marked(np.array([1, 128, 0, 200], np.uint8), made) == ((Status.ZEROS, -1), [[1, 0]])


def test_screening_counts_by_reason_and_channel():
    made = contract(proposed(TRAINING, 6))
    frames = TRAINING[:5].copy()
    frames[1, 4] = np.nan
    frames[3, 10] = np.nan
    frames[4, :] = 0
    assert screen(frames, made).counts() == [(Status.OK, -1, 2), (Status.NAN, 4, 2), (Status.ZEROS, -1, 1)]
    assert screen(frames, made).refused == 3
