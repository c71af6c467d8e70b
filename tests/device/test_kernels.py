"""TFLM's bytes on the board, with the heap locked: every operator in random files, and whole models."""

import numpy as np
import pytest
from compiling import compile_bytes
from conformance.cases import draw
from conformance.judging import judge
from conformance.stages import RANDOM
from firmware.test_loading import MODELS, test_a_contract_loads_what_it_needs, test_a_model_loads_what_it_needs
from firmware.test_model_frames import TYPES
from firmware.test_model_frames import model as example_model
from tinyseal_host.example import expected_outputs
from tinyseal_host.formats import SIGNATURE_LEN, parse_release

from firmware import test_model_frames

pytestmark = pytest.mark.usefixtures("kept")

_CASES, _DRAWN = 2, 20
_ROOM = 24 << 10  # bytes of release and arena: what every board has beside the tests
_NAMES = [(stage, name) for stage, strategies in RANDOM.items() for name in strategies]


def fits(model):
    """Whether a board has the memory."""
    release = compile_bytes(model.data) + bytes(SIGNATURE_LEN)
    return len(release) + parse_release(release).program.arena_len + model.inputs[0].size * 4 < _ROOM


@pytest.mark.parametrize(("stage", "name"), _NAMES, ids=[" ".join(pair) for pair in _NAMES])
def test_tflm_s_bytes(stage, name, tmp_path):
    """What TensorFlow Lite Micro's interpreter gives is computed here, when this runs."""
    models = [model for model in draw(RANDOM[stage][name], _DRAWN, 21) if fits(model)][:_CASES]
    tally = judge(models, ("board",), tmp_path, "device")
    assert tally.wrong == []
    assert (tally.cases, tally.differ) == (_CASES, 0)
    assert tally.values >= 2 * _CASES


@pytest.mark.parametrize("kind", TYPES)
def test_a_model_with_frames_of_every_type(example_model, kind):
    test_model_frames.test_outputs_are_tflm_s(example_model, kind, None)


def test_health(example_model):
    """And that nothing is allocated."""
    test_model_frames.test_health_and_the_sensor_s_failure(example_model)


def test_the_example_opened_from_its_slot(model, frames):
    """Two frames of each activity; sealed, signed and pushed as by a user."""
    some = frames[::5]
    run = model.infer(some)
    assert [list(result.scores) for result in run.results] == expected_outputs()[::5].tolist()
    assert run.health["counts"]["OK"] == len(some)
    spoiled = np.array(some)
    spoiled[0, 5], spoiled[1, 5], spoiled[2] = np.nan, 1e9, 0
    run = model.infer(spoiled)
    assert [(result.status, result.scores) for result in run.results] == model.expected(spoiled)
    assert [result.status.name for result in run.results[:4]] == ["NAN", "RANGE", "ZEROS", "OK"]
