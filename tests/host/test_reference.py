"""The numpy reference against TensorFlow Lite Micro's own kernels, byte for byte."""

import os
from pathlib import Path

import numpy as np
import pytest
from compiling import FLOAT_MODELS, SUPPORTED_MODELS
from hypothesis import HealthCheck, given, settings
from tflite import TensorType
from tflite_strategies import STRATEGIES, run_tflm
from tflite_writer import TfliteWriter, options
from tinyseal_host import example
from tinyseal_host.model import reference
from tinyseal_host.model.network import Network, read_network
from tinyseal_host.model.tflite_reader import read_model

FOLDER = Path(example.__file__).parent
MODEL = FOLDER / "motion.tflite"


def network_of(data, path=Path("made.tflite")):
    network = read_network(read_model(data, path))
    assert isinstance(network, Network), network
    return network


def frame_of(network, values):
    """float32 that quantises to the int8 `values`, and well off a rounding edge."""
    entry = network.input
    return ((values.astype(np.int32) - entry.zero_points[0]) * entry.scales[0]).astype(np.float32)


def run_reference(network, inputs):
    return np.array([reference.run(network, frame_of(network, values)) for values in inputs])


def test_example_gives_the_stored_bytes_for_every_frame():
    network = network_of(MODEL.read_bytes())
    outputs = [reference.run(network, frame) for frame in np.load(FOLDER / "frames.npy")]
    assert np.array(outputs).tobytes() == example.expected_outputs().tobytes()


@pytest.mark.parametrize("kind", STRATEGIES)
def test_random_model_gives_tflm_s_bytes(kind):
    @settings(max_examples=100, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(STRATEGIES[kind])
    def check(layer):
        expected = layer.expected()
        np.testing.assert_array_equal(run_reference(network_of(layer.data), layer.inputs), expected)

    check()


@pytest.mark.parametrize("with_bias", [False, True])
@pytest.mark.parametrize("per_channel", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_multiplier_is_exact_to_its_last_bits(seed, per_channel, with_bias):
    """Accumulators one apart around 100.5 output steps: where the output turns tells apart multipliers 2^-25 apart.

    Inputs are 255 above the zero point but the last two: what is left over, and 1, whose weight makes the difference.
    """
    rng = np.random.default_rng(seed)
    in_scale, weight_scale = (np.float32(scale) for scale in rng.uniform(0.01, 0.02, 2))
    out_scale = np.float32(in_scale * weight_scale * 2**19)
    turn = round(100.5 * float(out_scale) / (float(in_scale) * float(weight_scale)))
    whole, rest = divmod(turn // 255, 127)
    weights = np.full((201, whole + 3), 127, np.int8)
    weights[:, -3] = rest
    weights[:, -2] = 1
    weights[:, -1] = np.arange(-100, 101)
    writer = TfliteWriter()
    entry = writer.tensor((1, whole + 3), scale=in_scale, zero_point=-128)
    scales = np.full(len(weights) if per_channel else 1, weight_scale)
    parts = [entry, writer.constant(weights, scale=scales)]
    if with_bias:
        parts.append(writer.constant(np.zeros(len(weights), np.int32), scale=in_scale * scales))
    result = writer.tensor((1, len(weights)), scale=out_scale, zero_point=0)
    writer.operator("FULLY_CONNECTED", parts, [result], options("FullyConnectedOptions"))
    data = writer.finish([entry], [result])
    inputs = np.full((1, 1, whole + 3), 127, np.int8)
    inputs[..., -2:] = turn % 255 - 128, 1 - 128
    expected = run_tflm(data, inputs)
    assert set(expected.flat) == {100, 101}
    np.testing.assert_array_equal(run_reference(network_of(data), inputs), expected)


@pytest.mark.parametrize("name", SUPPORTED_MODELS)
def test_public_model_gives_tflm_s_bytes(name):
    folder = os.environ.get("TINYSEAL_MODELS")
    if not folder:
        pytest.skip("TINYSEAL_MODELS names no folder of public models")
    data = (Path(folder) / name).read_bytes()
    network = network_of(data)
    inputs = _public_inputs(network)
    np.testing.assert_array_equal(run_reference(network, inputs), run_tflm(data, inputs))


@pytest.mark.parametrize("name", FLOAT_MODELS)
def test_public_model_with_float_edges_gives_tflm_s_numbers(name):
    folder = os.environ.get("TINYSEAL_MODELS")
    if not folder:
        pytest.skip("TINYSEAL_MODELS names no folder of public models")
    data = (Path(folder) / name).read_bytes()
    network = network_of(data)
    inputs = _public_inputs(network)
    frames = np.array([frame_of(network, values) for values in inputs])
    np.testing.assert_array_equal(dequantised(network, run_reference(network, inputs)), run_tflm(data, frames))


def _public_inputs(network):
    """Noise, and frames of one value: both ends, the zero point and 0."""
    shape = network.input.shape
    noise = np.random.default_rng(7).integers(-128, 128, (8, *shape), dtype=np.int8)
    values = [-128, 127, int(network.input.zero_points[0]), 0]
    return np.concatenate([noise, np.array([np.full(shape, value, np.int8) for value in values])])


def dequantised(network, outputs):
    """float32 as the DEQUANTIZE makes them that was left out."""
    output = network.output
    return ((outputs.astype(np.int32) - output.zero_points[0]) * output.scales[0]).astype(np.float32)


def test_float_edges_are_folded():
    """QUANTIZE and DEQUANTIZE at the edges: rounding of random float32 frames included."""
    writer = TfliteWriter()
    shape = (1, 24)
    source, sink = (writer.tensor(shape, np.float32) for _ in range(2))
    entry = writer.tensor(shape, scale=0.05, zero_point=-7)
    result = writer.tensor(shape, scale=0.1, zero_point=9)
    writer.operator("QUANTIZE", [source], [entry])
    writer.operator("RELU", [entry], [result])
    writer.operator("DEQUANTIZE", [result], [sink])
    data = writer.finish([source], [sink])
    network = network_of(data)
    frames = np.random.default_rng(5).normal(0, 5, (20, *shape)).astype(np.float32)
    outputs = np.array([reference.run(network, frame) for frame in frames])
    np.testing.assert_array_equal(dequantised(network, outputs), run_tflm(data, frames))
    assert network.left_out == "DEQUANTIZE"


def test_keras_flatten_is_folded():
    """SHAPE, STRIDED_SLICE, PACK and RESHAPE, as converters write a Flatten."""
    writer = TfliteWriter()
    entry = writer.tensor((1, 3, 4), scale=0.1, zero_point=5)
    mapped = writer.tensor((1, 3, 4), scale=0.1, zero_point=5)
    result = writer.tensor((1, 12), scale=0.1, zero_point=5)
    shape, batch, packed = (writer.tensor(sizes, np.int32) for sizes in ((3,), (), (2,)))
    writer.operator("RELU", [entry], [mapped])
    writer.operator("SHAPE", [mapped], [shape], options("ShapeOptions", outType=TensorType.INT32))
    ranges = [writer.constant(np.array([value], np.int32)) for value in (0, 1, 1)]
    writer.operator("STRIDED_SLICE", [shape, *ranges], [batch], options("StridedSliceOptions", shrinkAxisMask=1))
    writer.operator(
        "PACK", [batch, writer.constant(np.array(-1, np.int32))], [packed], options("PackOptions", valuesCount=2)
    )
    writer.operator("RESHAPE", [mapped, packed], [result])
    data = writer.finish([entry], [result])
    inputs = np.random.default_rng(6).integers(-128, 128, (3, 1, 3, 4), dtype=np.int8)
    np.testing.assert_array_equal(run_reference(network_of(data), inputs), run_tflm(data, inputs))
