"""The layers that `tinyseal bench` measures: as they are written, and with TensorFlow Lite Micro's answers."""

import numpy as np
import pytest
from bench.engine_models import bench_model
from bench.write_layers import FOLDER, layers
from tinyseal_host.bench import models
from tinyseal_host.formats import parse_release
from tinyseal_host.program import OPERATORS

LAYERS = layers()


def test_the_files_are_those_that_are_written():
    assert {path.stem: path.read_bytes() for path in FOLDER.iterdir()} == {n: one.data for n, one in LAYERS.items()}


def test_every_operator_is_in_one():
    names = {step.name for layer in models.layers() for step in layer.program.steps}
    assert names == {name for name, _ in OPERATORS.values()}


@pytest.mark.parametrize("name", LAYERS)
def test_the_self_test_is_tflm_s(name):
    """A board compares its answer with the release's self-test before anything is timed."""
    (layer,) = [one for one in models.layers() if one.name == name]
    release = parse_release(layer.release)
    assert bench_model(FOLDER / f"{name}.tflite").fault(np.frombuffer(release.selftest_output, np.int8)) == ""
