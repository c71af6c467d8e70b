"""The list of operators that people read, held against what is read from files."""

import re

import numpy as np
import pytest
from compiling import PATH
from conformance.cases import draw
from conformance.stages import RANDOM
from tflite import BuiltinOperator
from tflite_parts import RandomModel
from tflite_writer import ACTIVATION, PADDING, TfliteWriter, options
from tinyseal_host.model.network import Network, Unsupported, read_network
from tinyseal_host.model.operators import SUPPORTED
from tinyseal_host.model.tflite_reader import read_model

EVERY = sorted(name for name in vars(BuiltinOperator) if name[0] != "_")


def read(data):
    return read_network(read_model(data, PATH))


def names_in(model: RandomModel):
    return {operator.name for operator in read_model(model.data, PATH).operators}


def test_every_operator_of_the_list_is_in_the_campaign_and_none_beside():
    found = set()
    for strategy in RANDOM["operators"].values():
        for model in draw(strategy, 8, 1):
            assert isinstance(read(model.data), Network)
            found |= names_in(model)
    assert found == set(SUPPORTED)


def test_a_strategy_draws_what_it_is_named_after():
    for name, strategy in RANDOM["operators"].items():
        if name in SUPPORTED:
            assert all(name in names_in(model) for model in draw(strategy, 4, 2)), name


@pytest.mark.parametrize("name", EVERY)
def test_operator_is_unknown_if_and_only_if_it_is_not_listed(name):
    writer = TfliteWriter()
    a, b = (writer.tensor((1, 4), scale=0.1, zero_point=0) for _ in range(2))
    writer.operator(name, [a], [b])
    network = read(writer.finish([a], [b]))
    problems = network.problems if isinstance(network, Unsupported) else ()
    assert ("operator is not supported" in " ".join(problems)) == (name not in SUPPORTED)


def pool(kernel, stride):
    """MAX_POOL_2D, the whole input under the kernel of `kernel` x 1."""
    writer = TfliteWriter()
    entry = writer.tensor((1, kernel, 1, 1), scale=0.1, zero_point=0)
    result = writer.tensor((1, 1, 1, 1), scale=0.1, zero_point=0)
    sizes = {"strideH": stride, "strideW": 1, "filterHeight": kernel, "filterWidth": 1}
    writer.operator("MAX_POOL_2D", [entry], [result], options("Pool2DOptions", padding=PADDING["VALID"], **sizes))
    return writer.finish([entry], [result])


def softmax(depth):
    writer = TfliteWriter()
    entry = writer.tensor((1, depth), scale=0.1, zero_point=0)
    result = writer.tensor((1, depth), scale=1 / 256, zero_point=-128)
    writer.operator("SOFTMAX", [entry], [result], options("SoftmaxOptions", beta=1.0))
    return writer.finish([entry], [result])


def dense(k):
    writer = TfliteWriter()
    entry = writer.tensor((1, k), scale=0.1, zero_point=0)
    weights = writer.constant(np.ones((1, k), np.int8), scale=0.001)
    result = writer.tensor((1, 1), scale=0.1, zero_point=0)
    chosen = options("FullyConnectedOptions", fusedActivationFunction=ACTIVATION["RELU6"])
    writer.operator("FULLY_CONNECTED", [entry, weights], [result], chosen)
    return writer.finish([entry], [result])


def joined(count):
    writer = TfliteWriter()
    entry = writer.tensor((1, 2), scale=0.1, zero_point=0)
    result = writer.tensor((1, 2 * count), scale=0.1, zero_point=0)
    writer.operator("CONCATENATION", [entry] * count, [result], options("ConcatenationOptions", axis=1))
    return writer.finish([entry], [result])


def padded(axes):
    """PAD of every other axis of 2 values: each is one loop more, and the innermost run of values is none."""
    writer = TfliteWriter()
    amounts = np.array([(0, 0), *[(1, 0)] * axes], np.int32)
    entry = writer.tensor([1] + [2] * axes, scale=0.1, zero_point=0)
    result = writer.tensor([1] + [3] * axes, scale=0.1, zero_point=0)
    writer.operator("PAD", [entry, writer.constant(amounts)], [result], options("PadOptions"))
    return writer.finish([entry], [result])


LIMITS = {  # operator, what its text says, what makes a file of a number, the largest number, and one that is refused
    "cells of a pool": ("MAX_POOL_2D", "kernel of 1 to 16,384 cells", lambda n: pool(n, 1), 16384, 16385),
    "stride": ("MAX_POOL_2D", "strides 1 to 1,024", lambda n: pool(4, n), 1024, 1025),
    "no stride": ("MAX_POOL_2D", "strides 1 to 1,024", lambda n: pool(4, n), 1, 0),
    "depth": ("SOFTMAX", "last axis of 1 to 255", softmax, 255, 256),
    "weights": ("FULLY_CONNECTED", "at most 16,384 an output", dense, 16384, 16385),
    "joined": ("CONCATENATION", "1 to 256 activations", joined, 256, None),
    "loops": ("PAD", "at most 4 loops", padded, 5, 6),
}


@pytest.mark.parametrize(("name", "text", "make", "accepted", "refused"), LIMITS.values(), ids=LIMITS)
def test_limit_is_where_the_list_says(name, text, make, accepted, refused):
    assert text in SUPPORTED[name]
    assert isinstance(read(make(accepted)), Network)
    if refused is not None:
        network = read(make(refused))
        assert isinstance(network, Unsupported)
        assert all(problem.startswith(f"layer 0 ({name}): ") for problem in network.problems)


def test_every_number_in_the_list_is_a_limit_that_is_tested():
    number = re.compile(r"(?<![/^-])\b(?:\d{1,3}(?:,\d{3})+|\d{3,})\b")  # no scales, zero points or powers
    said = {found for text in SUPPORTED.values() for found in number.findall(text)}
    tested = {found for _, text, *_ in LIMITS.values() for found in number.findall(text)}
    assert said == tested
