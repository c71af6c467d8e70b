"""The short form of `make conformance`, and what the campaign says when something differs."""

import re
from pathlib import Path

import numpy as np
import pytest
from conformance import __main__ as command
from conformance import judging, stages
from conformance.cases import case_of, draw
from conformance.stages import RANDOM, Part
from tflite_parts import RandomModel
from tflite_writer import TfliteWriter

CASES = 40  # one start of the VM
PLAIN_CASES = 4
NAMES = [(stage, name) for stage, strategies in RANDOM.items() for name in strategies]
PER_MACHINE = ["CONV_2D", "DEPTHWISE_CONV_2D", "SOFTMAX", "AVERAGE_POOL_2D", "ADD", "PAD"]  # all modules of kernels


@pytest.mark.parametrize(("stage", "name"), NAMES, ids=[" ".join(pair) for pair in NAMES])
def test_host_and_board_give_tflm_s_bytes(stage, name, tmp_path):
    tally = stages.run(Part(stage, stage, name, CASES, 11), tmp_path)
    assert tally.wrong == []
    assert tally.differ == 0
    assert tally.values >= 2 * tally.cases > CASES


@pytest.mark.parametrize("name", PER_MACHINE)
def test_machine_code_gives_tflm_s_bytes(name, tmp_path):
    tally = stages.run(Part("machine-code", "operators", name, 2, 12), tmp_path)
    assert tally.wrong == []
    assert tally.values > 0


@pytest.mark.parametrize(("stage", "name"), NAMES, ids=[" ".join(pair) for pair in NAMES])
def test_plain_kernels_give_tflm_s_bytes(stage, name, tmp_path):
    tally = stages.run(Part("plain", stage, name, PLAIN_CASES, 13), tmp_path)
    assert tally.wrong == []
    assert tally.values >= tally.cases == PLAIN_CASES


def test_models_are_run(monkeypatch, tmp_path):
    """The example, where no folder is named."""
    monkeypatch.delenv("TINYSEAL_MODELS", raising=False)
    (part,) = stages.parts("models", 1, 3)
    tally = stages.run(part, tmp_path)
    assert (tally.models, tally.cases, tally.differ, tally.wrong) == (1, 0, 0, [])
    assert tally.values == 2 * 28 * 4  # host and board, 12 + 12 + 4 frames


def test_every_stage_has_parts_and_no_two_the_same_seed():
    for stage in stages.STAGES[1:]:
        parts = list(stages.parts(stage, 100, 1))
        assert len({part.seed for part in parts}) == len(parts)
    assert sum(part.count for part in stages.parts("operators", 100, 1)) == 100 * len(RANDOM["operators"])
    for stage in ("machine-code", "plain"):
        assert {(part.kind, part.name) for part in stages.parts(stage, 20, 1)} == set(NAMES)


def test_a_seed_repeats_its_files():
    strategy = RANDOM["operators"]["CONV_2D"]
    first, again, other = ([model.data for model in draw(strategy, 10, number)] for number in (5, 5, 6))
    assert first == again != other


def one_operator(name):
    writer = TfliteWriter()
    entry, result = (writer.tensor((1, 4), scale=0.1, zero_point=0) for _ in range(2))
    writer.operator(name, [entry], [result])
    return RandomModel(name, writer.finish([entry], [result]), np.int8([[[-5, 0, 5, 127]]]))


@pytest.mark.parametrize(
    ("answer", "differ", "said"),
    [
        (np.int8([[0, 0, 6, 127]]), 1, "1 of 4 differ, frame 0 value 2 is 6, wanted 5"),
        (np.int8([[0, 0, 5]]), 4, "outputs are (1, 3), wanted (1, 4)"),
        ("status 3", 4, "status 3"),
    ],
)
def test_a_difference_is_counted_said_and_kept(monkeypatch, tmp_path, answer, differ, said):
    model = one_operator("RELU")
    monkeypatch.setitem(judging.ENGINES, "board", lambda cases: [answer for _ in cases])
    tally = judging.judge([model], ("host", "board"), tmp_path / "kept", "here")
    assert (tally.cases, tally.values, tally.differ) == (1, 8, differ)
    (line,) = tally.wrong
    assert line.startswith(f"here: board: {said}; kept as ")
    path = Path(re.search(r"kept as (\S+\.tflite)", line)[1])
    assert path.read_bytes() == model.data
    np.testing.assert_array_equal(np.load(path.with_suffix(".npy")), case_of(model).frames)


def test_a_file_that_is_refused_differs(tmp_path):
    tally = judging.judge([one_operator("GELU"), one_operator("RELU")], ("host",), tmp_path, "here")
    assert (tally.cases, tally.values, tally.differ) == (2, 4, 1)
    assert tally.wrong[0].startswith("here: refused: layer 0 (GELU): operator is not supported; kept as")


def test_the_command_ends_in_one_line(monkeypatch, capsys):
    monkeypatch.delenv("TINYSEAL_MODELS", raising=False)
    assert command.main(["models", "--seed", "4"]) == 0
    captured = capsys.readouterr()
    assert captured.out == "conformance: 1 models, 0 operator cases, 224 values compared, 0 differ\n"
    assert "seed 4\nTINYSEAL_MODELS names no folder of models: the example's alone is run\n" in captured.err
    assert "models: 1 files, 224 values compared, 0 differ" in captured.err


def test_the_command_fails_when_something_differs(monkeypatch, capsys, tmp_path):
    """A model that is refused, in a process of the campaign."""
    (tmp_path / "gelu.tflite").write_bytes(one_operator("GELU").data)
    monkeypatch.setenv("TINYSEAL_MODELS", str(tmp_path))
    assert command.main(["models"]) == 1
    captured = capsys.readouterr()
    assert captured.out == "conformance: 1 models, 0 operator cases, 0 values compared, 1 differ\n"
    assert "gelu.tflite: refused: layer 0 (GELU): operator is not supported" in captured.err


@pytest.mark.parametrize(("arguments", "said"), [(["nothing"], "no stage nothing"), (["--cases", "0"], "cases are 0")])
def test_the_command_line_that_is_wrong(arguments, said, capsys):
    with pytest.raises(SystemExit) as exit_:
        command.main(arguments)
    assert exit_.value.code == 2
    assert said in capsys.readouterr().err
