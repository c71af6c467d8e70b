"""The numpy reference against TensorFlow Lite Micro's own kernels, byte for byte."""

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from tflite_strategies import STRATEGIES, run_tflm
from tinyseal_host import example, reference
from tinyseal_host.network import Network, read_network
from tinyseal_host.tflite_reader import read_model

FOLDER = Path(example.__file__).parent
MODEL = FOLDER / "motion.tflite"
SUPPORTED_MODELS = ["hello_world_int8.tflite", "arduino_magic_wand_int8.tflite", "emlearn_mnist_cnn_int8.tflite"]


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
        expected = run_tflm(layer.data, layer.inputs)
        np.testing.assert_array_equal(run_reference(network_of(layer.data), layer.inputs), expected)

    check()


@pytest.mark.parametrize("name", SUPPORTED_MODELS)
def test_public_model_gives_tflm_s_bytes(name):
    folder = os.environ.get("TINYSEAL_MODELS")
    if not folder:
        pytest.skip("TINYSEAL_MODELS names no folder of public models")
    data = (Path(folder) / name).read_bytes()
    network = network_of(data)
    inputs = np.random.default_rng(7).integers(-128, 128, (8, *network.input.shape), dtype=np.int8)
    np.testing.assert_array_equal(run_reference(network, inputs), run_tflm(data, inputs))
