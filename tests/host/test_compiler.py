"""Compiled programs, run as FORMAT.md says, against TensorFlow Lite Micro; and every refusal in its own words."""

import os
from pathlib import Path

import numpy as np
import pytest
from compiling import FLOAT_MODELS, SUPPORTED_MODELS, compile_bytes, contract_for, entry_of, frames_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from program_interpreter import Interpreter
from tflite_strategies import STRATEGIES, run_tflm
from tflite_writer import TfliteWriter, options
from tinyseal_host import example, gate
from tinyseal_host.contract import Contract
from tinyseal_host.contract_toml import read_contract
from tinyseal_host.errors import Status
from tinyseal_host.formats import SIGNATURE_LEN, parse_release
from tinyseal_host.model import reference
from tinyseal_host.model.compiler import compile_model
from tinyseal_host.model.network import read_network
from tinyseal_host.model.tflite_reader import read_model

FOLDER = Path(example.__file__).parent
MODEL = FOLDER / "motion.tflite"


def run_program(data, inputs):
    program = Interpreter(compile_bytes(data))
    return np.array([program.run(frame, seed=i) for i, frame in enumerate(frames_of(data, inputs))])


@pytest.fixture(scope="module")
def motion():
    body = compile_model(MODEL.read_bytes(), MODEL, read_contract(FOLDER / "motion.toml"), name="motion", version=1)
    return parse_release(body + bytes(SIGNATURE_LEN)), Interpreter(body)


def test_example_s_program_gives_tflm_s_bytes(motion):
    outputs = np.array([motion[1].run(frame) for frame in np.load(FOLDER / "frames.npy")])
    assert outputs.tobytes() == example.expected_outputs().tobytes()


def test_example_s_steps(motion):
    """RESHAPE makes no step; the convolution without padding is a ROWS whose step is stride 2 of 16 channels."""
    steps = motion[0].program.steps
    assert [step.name for step in steps] == ["CONV", "ROWS", "CONV", "MEAN", "ROWS", "SOFTMAX"]
    assert {name: steps[1].operands[name] for name in ("step", "pixels", "k", "m")} == {
        "step": 32,
        "pixels": 23,
        "k": 80,
        "m": 24,
    }
    assert motion[0].program.macs == 50 * 480 + 23 * 1920 + 12 * 2304 + 4 * 32


def test_example_s_arena_is_no_larger_than_its_largest_step_needs(motion):
    """Input, output and, as FORMAT.md counts it, scratch: units, sums, and what a CONV copies for one pixel."""
    first = 100 * 6 + 50 * 16 + 36 * 32 // 8 + 32
    second = 50 * 16 + 36 * 64 // 8 + 4 * 24  # the output, 23 * 24 bytes, begins where the input does
    third = 50 * 16 + 12 * 32 + 36 * 64 // 8 + 4 * 32 + 80  # and keeps all of its place
    assert motion[0].program.arena_len == max(first, second, third)


@pytest.mark.parametrize("kind", STRATEGIES)
def test_random_model_gives_tflm_s_bytes(kind):
    @settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(STRATEGIES[kind])
    def check(layer):
        np.testing.assert_array_equal(run_program(layer.data, layer.inputs), layer.expected())

    check()


@pytest.mark.parametrize("name", SUPPORTED_MODELS + FLOAT_MODELS)
def test_public_model_gives_tflm_s_bytes(name):
    folder = os.environ.get("TINYSEAL_MODELS")
    if not folder:
        pytest.skip("TINYSEAL_MODELS names no folder of public models")
    data = (Path(folder) / name).read_bytes()
    inputs = np.random.default_rng(7).integers(-128, 128, (3, *entry_of(data).shape), dtype=np.int8)
    if name in FLOAT_MODELS:
        model = read_network(read_model(data, Path(name)))
        expected = [reference.run(model, frame) for frame in frames_of(data, inputs)]
    else:
        expected = run_tflm(data, inputs)
    np.testing.assert_array_equal(run_program(data, inputs), expected)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.floats(-69, 69).map(np.exp).map(np.float32), st.integers(-128, 127), st.integers(0, 2**32 - 1))
def test_quantise_table_rounds_float32_quotients_half_away_from_zero(scale, zero_point, seed):
    """Against the division itself, at random numbers and one float32 either side of every half."""
    rng = np.random.default_rng(seed)
    halves = ((np.arange(-260, 260) + 0.5) * scale).astype(np.float32)
    near = np.concatenate([halves, np.nextafter(halves, np.float32(np.inf)), np.nextafter(halves, np.float32(-np.inf))])
    spread = (rng.uniform(-300, 300, 200) * scale).astype(np.float32)
    frame = np.concatenate([near, spread, np.float32([0, -0.0, 1e-45, -1e-45, 3.4e38, -3.4e38])])
    with np.errstate(over="ignore"):
        quotients = (frame / np.float32(scale)).astype(np.float64)
    rounded = np.where(quotients < 0, np.ceil(quotients - 0.5), np.floor(quotients + 0.5))
    expected = np.clip(rounded + zero_point, -128, 127) + 128
    data = identity(scale, zero_point)
    contract = contract_for(data, low=-1.0, high=1.0)
    np.testing.assert_array_equal(Interpreter(compile_bytes(data, contract)).quantise(frame), expected)


def identity(scale, zero_point):
    """A file with one FULLY_CONNECTED layer of one value."""
    writer = TfliteWriter()
    entry = writer.tensor((1, 1), scale=scale, zero_point=zero_point)
    weights = writer.constant(np.ones((1, 1), np.int8), scale=1 / 64)
    result = writer.tensor((1, 1), scale=scale, zero_point=0)
    writer.operator("FULLY_CONNECTED", [entry, weights], [result], options("FullyConnectedOptions"))
    return writer.finish([entry], [result])


def test_self_test_frame_is_accepted_and_its_output_is_tflm_s(motion):
    release = motion[0]
    frame = np.frombuffer(release.selftest_frame, "<f4")
    assert gate.check(frame, release.contract) is Status.OK
    assert len(np.unique(np.round(frame))) > 10
    entry = entry_of(MODEL.read_bytes())
    quotients = (frame / entry.scales[0]).astype(np.float64)
    values = np.where(quotients < 0, np.ceil(quotients - 0.5), np.floor(quotients + 0.5)) + entry.zero_points[0]
    expected = run_tflm(MODEL.read_bytes(), np.clip(values, -128, 127).astype(np.int8).reshape(1, 1, 100, 6))
    assert release.selftest_output == expected.tobytes()
    assert len(set(release.selftest_output) - {0x80, 0x7F}) >= 2  # not all at a limit, where errors would hide


def test_build_is_reproducible():
    data = MODEL.read_bytes()
    contract = read_contract(FOLDER / "motion.toml")
    first = compile_model(data, MODEL, contract, name="motion", version=1)
    assert compile_model(data, MODEL, contract, name="motion", version=1) == first


@pytest.mark.parametrize(("low", "high"), [(0.0, 1e-45), (-1e-45, 0.0), (5e5, 1e6), (-3e38, 3e38)])
def test_self_test_frame_in_odd_ranges_without_a_zero(low, high):
    contract = Contract.simple(600, float(np.float32(low)), float(np.float32(high)), 0)
    body = compile_model(MODEL.read_bytes(), MODEL, contract, name="odd", version=1)
    frame = np.frombuffer(parse_release(body + bytes(SIGNATURE_LEN)).selftest_frame, "<f4")
    assert gate.check(frame, contract) is Status.OK


def test_layer_whose_tensors_need_a_second_use_keeps_them():
    """Two readers of one tensor: its buffer must outlive the first, and the second must see it unharmed."""
    writer = TfliteWriter()
    rng = np.random.default_rng(3)
    tensors = [writer.tensor((1, 32), scale=0.1, zero_point=3) for _ in range(4)]
    for source, target in ((0, 1), (0, 2), (2, 3)):
        weights = writer.constant(rng.integers(-127, 128, (32, 32), dtype=np.int8), scale=0.001)
        writer.operator(
            "FULLY_CONNECTED", [tensors[source], weights], [tensors[target]], options("FullyConnectedOptions")
        )
    data = writer.finish([tensors[0]], [tensors[3]])
    inputs = rng.integers(-128, 128, (3, 1, 32), dtype=np.int8)
    np.testing.assert_array_equal(run_program(data, inputs), run_tflm(data, inputs))


def test_output_outlives_later_layers():
    """A layer after the one that makes the output, as converters leave behind, must not be given its place."""
    writer = TfliteWriter()
    rng = np.random.default_rng(4)
    entry, result, dead = (writer.tensor((1, 16), scale=0.1, zero_point=3) for _ in range(3))
    for target in (result, dead):
        weights = writer.constant(rng.integers(-127, 128, (16, 16), dtype=np.int8), scale=0.001)
        writer.operator("FULLY_CONNECTED", [entry, weights], [target], options("FullyConnectedOptions"))
    data = writer.finish([entry], [result])
    inputs = rng.integers(-128, 128, (3, 1, 16), dtype=np.int8)
    np.testing.assert_array_equal(run_program(data, inputs), run_tflm(data, inputs))


def test_mean_with_the_smallest_factor_keeps_its_shift_in_the_format():
    """A quotient of scales of 2^-31 leaves no room for the division by 8; the interpreter refuses shifts above 31."""
    writer = TfliteWriter()
    entry = writer.tensor((1, 8, 2), scale=2.0**-20, zero_point=0)
    result = writer.tensor((1, 2), scale=2.0**11, zero_point=5)
    axes = writer.constant(np.array([1], np.int32))
    writer.operator("MEAN", [entry, axes], [result], options("ReducerOptions"))
    data = writer.finish([entry], [result])
    inputs = np.full((1, 1, 8, 2), 127, np.int8)
    np.testing.assert_array_equal(run_program(data, inputs), run_tflm(data, inputs))


def steps_of(data):
    return [step for _, step in Interpreter(compile_bytes(data)).steps]


def test_map_and_sum_take_the_place_of_what_nobody_reads_again():
    """x -> MAP y -> ADD(y, x): y may not lie where x does, the sum may lie in either; one scratchless arena of two."""
    writer = TfliteWriter()
    x, y, z = (writer.tensor((1, 64), scale=0.1, zero_point=0) for _ in range(3))
    writer.operator("RELU", [x], [y])
    writer.operator("ADD", [y, x], [z], options("AddOptions"))
    data = writer.finish([x], [z])
    relu, add = steps_of(data)
    assert relu.in_at != relu.out_at
    assert add.out_at in (add.a_at, add.b_at)
    assert Interpreter(compile_bytes(data)).arena_len == 2 * 64


def test_map_takes_the_place_of_its_input():
    writer = TfliteWriter()
    x, y, z = (writer.tensor((1, 64), scale=0.1, zero_point=0) for _ in range(3))
    writer.operator("RELU", [x], [y])
    writer.operator("RELU6", [y], [z])
    data = writer.finish([x], [z])
    assert [step.in_at == step.out_at for step in steps_of(data)] == [True, True]
    assert Interpreter(compile_bytes(data)).arena_len == 64


def test_output_that_another_layer_reads_is_not_overwritten():
    writer = TfliteWriter()
    x, y, dead = (writer.tensor((1, 64), scale=0.1, zero_point=0) for _ in range(3))
    writer.operator("RELU", [x], [y])
    writer.operator("RELU6", [y], [dead])
    data = writer.finish([x], [y])
    inputs = np.random.default_rng(2).integers(-128, 128, (2, 1, 64), dtype=np.int8)
    np.testing.assert_array_equal(run_program(data, inputs), run_tflm(data, inputs))
