"""The faults do what they say, the adversary keeps to its rules, and README.md's table is what comes out."""

import re
from pathlib import Path

import numpy as np
import pytest
from faults import __main__ as program
from faults.adversary import attack
from faults.injections import FAULTS, Scene
from faults.network import FOLDER, Classifier
from faults.trial import Trial
from tinyseal_host.contract import Contract
from tinyseal_host.errors import Status
from tinyseal_host.example import expected_outputs

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
FRAMES = np.load(FOLDER / "frames.npy").reshape(40, 100, 6)
BY_LEVEL = {(fault.kind, fault.level): fault for fault in FAULTS}


def scene(number=15):
    return Scene(
        FRAMES[number],
        FRAMES[number - 1],
        FRAMES.min(axis=(0, 1)),
        FRAMES.max(axis=(0, 1)),
        FRAMES.std(axis=(0, 1)),
        np.random.default_rng(1),
    )


def variants(kind, level, number=15):
    """All variants of one fault in one frame, and the frame."""
    faulty = list(BY_LEVEL[kind, level].variants(scene(number)))
    return np.array(faulty), FRAMES[number]


def changed(faulty, frame):
    """How many values of each channel are not the frame's."""
    return (faulty != frame).sum(axis=0).tolist()


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.kind}, {fault.level}")
def test_every_fault_changes_every_frame_and_is_seeded(fault):
    for number in (0, 15, 39):
        faulty = np.array(list(fault.variants(scene(number))))
        assert faulty.shape[1:] == (100, 6)
        again = np.array(list(fault.variants(scene(number))))
        np.testing.assert_array_equal(faulty, again)
        assert all((one != FRAMES[number]).any() for one in faulty)


@pytest.mark.parametrize(
    ("kind", "level"),
    [
        (fault.kind, fault.level)
        for fault in FAULTS
        if fault.kind in ("dead channel", "stuck value", "NaN burst", "spikes")
    ]
    + [("gain", "x10, one channel"), ("sign flip", "one channel"), ("saturation", "at the end for 5 %")],
)
def test_each_channel_has_its_turn_and_the_others_stay(kind, level):
    faulty, frame = variants(kind, level)
    assert len(faulty) == 6
    for channel, one in enumerate(faulty):
        touched = changed(one, frame)
        assert touched[channel] > 0
        assert sum(touched) == touched[channel]


def test_dead_stuck_and_pinned_channels():
    faulty, frame = variants("dead channel", "zero")
    assert not faulty[2, :, 2].any()
    faulty, _ = variants("stuck value", "last quarter")
    assert np.ptp(faulty[1, 75:, 1]) == 0 < np.ptp(frame[75:, 1])
    faulty, _ = variants("saturation", "at the end for 30 %")
    assert faulty[4, :, 4].tolist() == [FRAMES[:, :, 4].max()] * 30 + frame[30:, 4].tolist()
    faulty, _ = variants("saturation", "clipped at 50 %")
    assert np.ptp(faulty[0, :, 0]) == pytest.approx(np.ptp(frame[:, 0]) / 2, rel=1e-5)


def test_dropout_loses_whole_samples():
    for level, count in (("10 %", 10), ("30 %", 30), ("50 %", 50)):
        (one,), frame = variants("dropout", level)
        lost = (one == 0).all(axis=1)
        assert lost.sum() == count
        assert (one[~lost] == frame[~lost]).all()


def test_gain_offset_and_sign():
    faulty, frame = variants("gain", "/10, all")
    np.testing.assert_allclose(faulty[0], frame / 10, rtol=1e-6)
    faulty, _ = variants("offset", "10 % of the span")
    assert len(faulty) == 12
    by = 0.1 * np.ptp(FRAMES[:, :, 5])
    np.testing.assert_allclose(faulty[10, :, 5] - frame[:, 5], by, rtol=1e-4)
    np.testing.assert_allclose(faulty[11, :, 5] - frame[:, 5], -by, rtol=1e-4)
    np.testing.assert_array_equal(variants("sign flip", "all")[0][0], -frame)


def test_swaps_copies_and_replays():
    faulty, frame = variants("swapped channels", "every pair")
    assert len(faulty) == 15
    assert sorted(tuple(np.flatnonzero(changed(one, frame))) for one in faulty) == [
        (a, b) for a in range(6) for b in range(a + 1, 6)
    ]
    np.testing.assert_array_equal(faulty[0], frame[:, [1, 0, 2, 3, 4, 5]])
    faulty, _ = variants("time-shifted copy", "5 samples")
    np.testing.assert_array_equal(faulty[5, 5:, 5], frame[:-5, 0])
    np.testing.assert_array_equal(variants("replay", "the frame before")[0][0], FRAMES[14])
    assert (variants("replay", "one sample, constant")[0][0] == frame[0]).all()


def test_spikes_noise_and_bursts_have_their_size():
    faulty, frame = variants("spikes", "5, as high as seen")
    assert changed(faulty[3], frame) == [0, 0, 0, 5, 0, 0]
    faulty, _ = variants("NaN burst", "10 values")
    at = np.flatnonzero(np.isnan(faulty[0, :, 0]))
    assert at.tolist() == list(range(at[0], at[0] + 10))
    faulty, _ = variants("white noise", "0.5 deviations")
    np.testing.assert_allclose((faulty[0] - frame).std(axis=0), 0.5 * FRAMES.std(axis=(0, 1)), rtol=0.25)


def test_the_network_is_the_example_s():
    classifier = Classifier()
    assert [classifier.top(frame) for frame in FRAMES] == expected_outputs().argmax(axis=1).tolist()
    assert [int(np.argmax(classifier.scores(frame))) for frame in FRAMES] == expected_outputs().argmax(axis=1).tolist()


@pytest.mark.parametrize("number", [0, 12, 25, 39])
def test_the_adversary_keeps_to_its_reach_and_to_the_gate(number):
    """The gate here takes only what leaves channel 3 alone."""
    frame, reach = FRAMES[number], FRAMES.std(axis=(0, 1)).astype(np.float32)
    scores = Classifier().scores

    def passes(tried):
        return bool((tried[:, 3] == frame[:, 3]).all())

    found = attack(frame, reach, scores, passes, np.random.default_rng(number))
    assert (np.abs(found - frame) <= reach * (1 + 1e-5)).all()
    assert passes(found)
    assert (found != frame).any()
    before, after = scores(frame).astype(int), scores(found).astype(int)
    right = int(before.argmax())
    assert after[right] - np.delete(after, right).max() <= before[right] - np.delete(before, right).max()


def test_an_adversary_whom_the_gate_gives_no_way_changes_nothing():
    found = attack(FRAMES[0], np.ones(6), Classifier().scores, lambda _: False, np.random.default_rng(0))
    assert found.tobytes() == FRAMES[0].tobytes()


def test_a_trial_counts_what_is_refused_and_what_changes_class():
    """Standing, running, walking, each replaced by the one before it; the last contract accepts nothing of the kind."""
    loose, tight = Contract.simple(600, -1000.0, 1000.0, 600), Contract.simple(600, 500.0, 1000.0, 600)
    trial = Trial(FRAMES[[0, 10, 20]], [loose, loose, tight], FRAMES)
    assert trial.clean().statuses == {Status.OK: 2, Status.RANGE: 1}
    assert trial.clean().changed == 0
    outcome = trial.run(BY_LEVEL["replay", "the frame before"])
    assert (outcome.frames, outcome.refused, outcome.passed, outcome.changed) == (3, 1, 2, 2)
    assert str(outcome).split()[-6:] == ["1", "2", "of", "2", "range", "1"]


def test_the_readme_has_what_the_program_prints(capsys):
    """All of it: fourteen kinds, the adversary among them."""
    assert program.main([]) == 0
    printed = capsys.readouterr().out.splitlines()
    (block,) = re.findall(r"^```\n(fault  .*?)^```$", README, re.MULTILINE | re.DOTALL)
    assert block.splitlines() == printed
    assert printed[-1] == "faults: 14 kinds, 0 clean frames refused of 40"
    assert len(printed) == 2 + len(FAULTS) + 3 + 1


def test_the_readme_s_reasons_have_the_table_s_numbers():
    rows = re.findall(r"^(\w.{17}) (.{20}) +\d+ +\d+ +(\d+) of (\d+)", README, re.MULTILINE)
    misled = {(kind.strip(), level.strip()): (int(some), int(passed)) for kind, level, some, passed in rows}
    assert len(misled) == 1 + len(FAULTS) + 3
    harmless = [
        *(("stuck value", f"last {part}") for part in ("quarter", "half")),
        *(("saturation", level) for level in ("clipped at 50 %", "clipped at 10 %", "at the end for 5 %")),
        *(("spikes", f"{count}, as high as seen") for count in (1, 5)),
        ("gain", "/10, one channel"),
        ("dropout", "10 %"),
    ]
    some, passed = (sum(misled[fault][i] for fault in harmless) for i in range(2))
    assert f"the network is misled in {some} of {passed:,} |" in README
    assert "{} of {} are misled |".format(*misled["gain", "/10, all"]) in README
    assert f"misleads {misled['adversary', '0.1 deviations'][0]} of 40, one deviation all |" in README
    assert misled["adversary", "1 deviation"] == (40, 40)
