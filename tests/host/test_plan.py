"""The plan of a network: in place where that is legal, near its lower bound, and no larger than TFLM's arena."""

import os
from pathlib import Path

import numpy as np
import pytest
from compiling import FLOAT_MODELS, PATH, SUPPORTED_MODELS
from hypothesis import HealthCheck, given, settings
from tflite_strategies import STRATEGIES
from tflite_writer import TfliteWriter, options
from tflm_arena import tflm_arena
from tinyseal_host import example
from tinyseal_host.model.arena import place
from tinyseal_host.model.network import read_network
from tinyseal_host.model.plan import plan_network
from tinyseal_host.model.tflite_reader import read_model

EXAMPLE = Path(example.__file__).with_name("motion.tflite")


def plan_of(data):
    return plan_network(read_network(read_model(data, PATH)))


def held_against_tflm(data):
    """The plan, once the tensors need no more than TFLM plans for tensors and scratch, and all of it no more than TFLM
    needs in all.

    The sums of one of several pixels with more than 128 outputs come on top: only those of a single pixel are made in
    several steps.
    """
    plan, theirs = plan_of(data), tflm_arena(data)
    assert place([buffer for buffer in plan.buffers if not buffer.scratch])[1] <= theirs.planned
    rows = [step.values for step in plan.steps if step.name == "ROWS" and step.values["pixels"] > 1]
    sums = [4 * values["m"] for values in rows if values["m"] > 128 and not values["short"]]
    assert plan.arena_len <= theirs.total + max(sums, default=0)
    return plan


def test_example_needs_no_more_than_tflm():
    plan = held_against_tflm(EXAMPLE.read_bytes())
    assert plan.lower_bound == 100 * 6 + 50 * 16


@pytest.mark.parametrize("name", SUPPORTED_MODELS + FLOAT_MODELS)
def test_public_model_needs_no_more_than_tflm(name):
    folder = os.environ.get("TINYSEAL_MODELS")
    if not folder:
        pytest.skip("TINYSEAL_MODELS names no folder of public models")
    plan = held_against_tflm((Path(folder) / name).read_bytes())
    assert place([buffer for buffer in plan.buffers if not buffer.scratch])[1] == plan.lower_bound


@pytest.mark.parametrize("kind", STRATEGIES)
def test_random_model_needs_no_more_than_tflm(kind):
    @settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(STRATEGIES[kind])
    def check(model):
        held_against_tflm(model.data)

    check()


def chain(*joined):
    """64 values, requantised to a, that to b, and then the two tensors of these numbers added; 0 is the input."""
    writer = TfliteWriter()
    tensors = [writer.tensor((1, 64), scale=0.1 * n, zero_point=n) for n in (1, 2, 3, 4)]
    for source, target in ((0, 1), (1, 2)):
        writer.operator("QUANTIZE", [tensors[source]], [tensors[target]])
    writer.operator("ADD", [tensors[n] for n in joined], [tensors[3]], options("AddOptions"))
    return plan_of(writer.finish([tensors[0]], [tensors[3]]))


def test_what_works_in_place_takes_no_arena():
    plan = chain(2, 2)
    assert [step.name for step in plan.steps] == ["MAP", "MAP", "ADD"]
    assert (plan.arena_len, plan.lower_bound) == (64, 64)


@pytest.mark.parametrize("joined", [(1, 2), (2, 1), (2, 0)])
def test_what_is_read_again_is_not_written_over(joined):
    plan = chain(*joined)
    assert (plan.arena_len, plan.lower_bound) == (128, 128)


def test_layers_name_their_steps_and_an_alias_has_none():
    plan = plan_of(EXAMPLE.read_bytes())
    assert {number: list(steps) for number, steps in plan.layers.items()} == {
        1: [0],
        2: [1],
        3: [2],
        5: [3],
        6: [4],
        7: [5],
    }


def test_a_layer_of_several_steps_keeps_its_input_through_all_of_them():
    """PAD: the output is filled and then copied into."""
    writer = TfliteWriter()
    entry, result = (writer.tensor(shape, scale=0.1) for shape in ((1, 5, 8), (1, 7, 8)))
    around = writer.constant(np.array([[0, 0], [1, 1], [0, 0]], np.int32))
    writer.operator("PAD", [entry, around], [result])
    plan = plan_of(writer.finish([entry], [result]))
    assert plan.layers == {0: range(2)}
    assert (plan.arena_len, plan.lower_bound) == (96, 96)
