"""The example against TensorFlow Lite Micro, its own contract and what its README says."""

import tomllib
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
import tflite
from faults.contracts import MARGINS, contract, settings
from tflite_micro import runtime
from tinyseal_host import example, files
from tinyseal_host.contract_toml import contract_of, read_contract
from tinyseal_host.errors import Status, TinysealError
from tinyseal_host.gate import check
from tinyseal_host.screening.contract_text import contract_text
from tinyseal_host.screening.limits import Rule
from tinyseal_host.screening.proposal import propose
from tinyseal_host.screening.survey import survey

FOLDER = Path(example.__file__).parent
MODEL = (FOLDER / "motion.tflite").read_bytes()
FRAMES = np.load(FOLDER / "frames.npy")
ANSWERS = np.load(FOLDER / "labels.npy")
TRAINING = np.load(FOLDER / "training.npy")
CONTRACT = tomllib.loads((FOLDER / "motion.toml").read_text(encoding="ascii"))
EXACT = tomllib.loads((FOLDER / "motion.toml").read_text(encoding="ascii"), parse_float=Decimal)
README = (FOLDER / "README.md").read_text(encoding="utf-8")

WRITTEN = ["motion.tflite", "motion.toml", "training.npy", "frames.npy", "labels.npy"]
OPERATORS = {
    tflite.BuiltinOperator.EXPAND_DIMS,
    tflite.BuiltinOperator.CONV_2D,
    tflite.BuiltinOperator.RESHAPE,
    tflite.BuiltinOperator.MEAN,
    tflite.BuiltinOperator.FULLY_CONNECTED,
    tflite.BuiltinOperator.SOFTMAX,
}


def operators():
    """(builtin code, operator) in the order of execution, and the graph."""
    model = tflite.Model.GetRootAs(MODEL)
    assert model.SubgraphsLength() == 1
    graph = model.Subgraphs(0)
    found = []
    for i in range(graph.OperatorsLength()):
        operator = graph.Operators(i)
        code = model.OperatorCodes(operator.OpcodeIndex())
        found.append((max(code.BuiltinCode(), code.DeprecatedBuiltinCode()), operator))
    return found, graph


def convolutions():
    """The options of each CONV_2D."""
    for code, operator in operators()[0]:
        if code == tflite.BuiltinOperator.CONV_2D:
            options = tflite.Conv2DOptions()
            table = operator.BuiltinOptions()
            options.Init(table.Bytes, table.Pos)
            yield options


def macs():
    total = 0
    found, graph = operators()
    for code, operator in found:
        if code in (tflite.BuiltinOperator.CONV_2D, tflite.BuiltinOperator.FULLY_CONNECTED):
            weights = graph.Tensors(operator.Inputs(1)).ShapeAsNumpy()
            output = graph.Tensors(operator.Outputs(0)).ShapeAsNumpy()
            total += int(np.prod(output)) * int(np.prod(weights[1:]))
    return total


@pytest.fixture(scope="module")
def fresh():
    """What TensorFlow Lite Micro gives today for every frame."""
    interpreter = runtime.Interpreter.from_bytes(MODEL)
    quantisation = interpreter.get_input_details(0)["quantization_parameters"]
    quotients = FRAMES / np.float32(quantisation["scales"][0])
    assert quotients.dtype == np.float32
    outputs = []
    for row in quotients.astype(np.float64):
        away_from_zero = np.where(row < 0, np.ceil(row - 0.5), np.floor(row + 0.5))
        values = np.clip(away_from_zero + quantisation["zero_points"][0], -128, 127).astype(np.int8)
        interpreter.set_input(values.reshape(1, 100, 6), 0)
        interpreter.invoke()
        outputs.append(interpreter.get_output(0)[0].copy())
    return np.array(outputs)


def accuracy(outputs):
    return float(np.mean(outputs.argmax(axis=1) == ANSWERS))


def test_expected_bytes_are_tflm_s(fresh):
    expected = example.expected_outputs()
    assert (expected.dtype, expected.shape) == (np.int8, (40, 4))
    assert (fresh.dtype, fresh.tobytes()) == (np.int8, expected.tobytes())


def test_accuracy(fresh):
    assert accuracy(fresh) == accuracy(example.expected_outputs())
    assert accuracy(fresh) > 0.85


def test_expected_bytes_would_notice_a_wrong_network():
    expected = example.expected_outputs()
    assert len(np.unique(expected)) > 20  # not only 127 and -128
    assert len(np.unique(expected, axis=0)) > 20


def test_operators_are_the_wanted_ones():
    assert {code for code, _ in operators()[0]} <= OPERATORS


def test_convolutions_take_both_paddings_and_no_dilation():
    options = list(convolutions())
    assert {o.Padding() for o in options} == {tflite.Padding.SAME, tflite.Padding.VALID}
    assert {(o.DilationHFactor(), o.DilationWFactor()) for o in options} == {(1, 1)}


def test_model_is_small_and_int8_throughout():
    assert len(MODEL) <= 20 * 1024
    found, graph = operators()
    assert (graph.InputsLength(), graph.OutputsLength()) == (1, 1)
    entry, result = graph.Tensors(graph.Inputs(0)), graph.Tensors(graph.Outputs(0))
    assert (entry.Type(), entry.ShapeAsNumpy().tolist()) == (tflite.TensorType.INT8, [1, 100, 6])
    assert (result.Type(), result.ShapeAsNumpy().tolist()) == (tflite.TensorType.INT8, [1, 4])
    assert {graph.Tensors(op.Outputs(0)).Type() for _, op in found} == {tflite.TensorType.INT8}


def test_frames_and_labels():
    assert (FRAMES.dtype, FRAMES.shape) == (np.float32, (40, 600))
    assert (ANSWERS.dtype, ANSWERS.shape) == (np.uint8, (40,))
    assert np.bincount(ANSWERS).tolist() == [10, 10, 10, 10]


def test_frames_are_sample_after_sample():
    """A recording is smooth along time and not across channels: neighbours are six values apart."""
    standing = FRAMES[CONTRACT["labels"].index("standing") == ANSWERS]
    along_time = np.abs(standing[:, 6:] - standing[:, :-6]).mean()
    across_channels = np.abs(standing[:, 1:] - standing[:, :-1]).mean()
    assert along_time < across_channels / 2


def test_contract_s_limits_are_those_of_the_training_recordings():
    """Each as `tinyseal contract` proposes it, with the margin that motion.toml names."""
    made = settings(TRAINING)
    assert {key: value for key, value in EXACT.items() if key in made} == made
    assert set(CONTRACT) - set(made) == {"sensor_failure", "labels"}
    assert CONTRACT["labels"] == ["standing", "running", "walking", "badminton"]
    text = (FOLDER / "motion.toml").read_text(encoding="ascii")
    for key, margin in MARGINS.items():
        if key != "rails":
            comment = text[: text.index(f"\n{key} = ")].rpartition("\n\n")[2]
            assert f"M = {margin}." in comment.replace(";", ".")


def refused_when_left_out(rows, margins):
    """How many training recordings the contract made from the others refuses."""
    return sum(check(TRAINING[i], contract(np.delete(TRAINING, i, axis=0), margins)) is not Status.OK for i in rows)


def test_margins_are_the_smallest_that_cost_one_recording_when_left_out():
    """One step less for any key, where there is one, and two recordings are refused."""
    assert refused_when_left_out(range(40), MARGINS) == 1
    series = (0.1, 0.2, 0.3, 0.5, 0.7, 1)
    for key in ("range", "least_movement", "mean"):
        smaller = series[series.index(MARGINS[key]) - 1]
        assert refused_when_left_out(range(40), {**MARGINS, key: smaller}) > 1


def test_contract_refuses_no_recording_of_either_split():
    made = read_contract(FOLDER / "motion.toml")
    assert [check(frame, made) for frame in (*TRAINING, *FRAMES)] == [Status.OK] * 80


def test_range_reaches_beyond_the_network_s_input():
    """The recordings that gave the range gave the input scale."""
    graph = operators()[1]
    entry = graph.Tensors(graph.Inputs(0)).Quantization()
    scale, zero_point = entry.Scale(0), entry.ZeroPoint(0)
    assert TRAINING.min() == pytest.approx((-128 - zero_point) * scale, abs=scale)
    assert TRAINING.max() == pytest.approx((127 - zero_point) * scale, abs=scale)


def test_training_and_test_recordings_are_different_ones():
    assert (TRAINING.dtype, TRAINING.shape) == (np.float32, (40, 600))
    assert not {frame.tobytes() for frame in TRAINING} & {frame.tobytes() for frame in FRAMES}


def test_readme_s_numbers(fresh):
    zeros, seen = (np.mean(frames == 0, axis=1).max() for frames in (FRAMES, TRAINING))
    assert f"{len(MODEL):,} bytes, {macs():,} MACs a frame" in README
    assert f"| int8, TensorFlow Lite Micro | {accuracy(fresh):.3f} |" in README
    assert f"is {seen:.4f} in training and {zeros:.4f} in the test" in README
    default = propose(survey(TRAINING, 6, "t"), "float32", Rule(0.1, 0.0))
    made = contract_of(tomllib.loads(contract_text(default, "t"), parse_float=Decimal), Path("t"))
    refused = sum(check(frame, made) is not Status.OK for frame in FRAMES)
    assert f"it would be {default.left_out} when left out, and {refused} of the test" in README


def test_write_example_makes_the_folder(tmp_path):
    directory = tmp_path / "new" / "demo"
    paths = example.write_example(directory)
    assert paths == [directory / name for name in WRITTEN]
    assert sorted(directory.iterdir()) == sorted(paths)
    for path in paths:
        assert path.read_bytes() == (FOLDER / path.name).read_bytes()


def test_write_example_twice_changes_nothing(tmp_path):
    before = {path: path.stat().st_mtime_ns for path in example.write_example(tmp_path)}
    (tmp_path / "labels.npy").unlink()
    assert example.write_example(tmp_path) == list(before)
    for name in WRITTEN[:-1]:
        assert (tmp_path / name).stat().st_mtime_ns == before[tmp_path / name]
    assert (tmp_path / "labels.npy").read_bytes() == (FOLDER / "labels.npy").read_bytes()


@pytest.mark.parametrize("name", WRITTEN)
def test_write_example_refuses_other_content_before_writing(tmp_path, name):
    (tmp_path / name).write_bytes(b"mine")
    with pytest.raises(TinysealError) as refusal:
        example.write_example(tmp_path)
    assert str(refusal.value) == f"{tmp_path / name}: exists with other content than the example's"
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_bytes() == b"mine"


def test_write_example_refuses_a_folder_and_a_dangling_link(tmp_path):
    (tmp_path / "a" / "frames.npy").mkdir(parents=True)
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "labels.npy").symlink_to(tmp_path / "nowhere")
    for folder, name in (("a", "frames.npy"), ("b", "labels.npy")):
        with pytest.raises(TinysealError, match=rf"{name}: exists with other content"):
            example.write_example(tmp_path / folder)
        assert [path.name for path in (tmp_path / folder).iterdir()] == [name]
    assert not (tmp_path / "nowhere").exists()


def test_write_example_refuses_a_file_as_folder(tmp_path):
    (tmp_path / "demo").write_bytes(b"mine")
    with pytest.raises(TinysealError) as refusal:
        example.write_example(tmp_path / "demo")
    assert str(refusal.value) == f"{tmp_path / 'demo'}: file exists"
    assert (tmp_path / "demo").read_bytes() == b"mine"


def test_write_example_leaves_nothing_when_writing_fails(tmp_path, monkeypatch):
    def disk_full(path, data, mode):
        if path.name == "frames.npy":
            raise TinysealError(f"{path}: no space left on device")
        files.write_new(path, data, mode)

    monkeypatch.setattr(example, "write_new", disk_full)
    for folder in (tmp_path, tmp_path / "new" / "demo"):
        with pytest.raises(TinysealError, match=r"frames\.npy: no space left on device"):
            example.write_example(folder)
        assert list(tmp_path.iterdir()) == []
