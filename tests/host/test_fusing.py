"""Operators that are computed together: what the file must be for that, and what is said where it is not."""

import numpy as np
import pytest
from compiling import PATH
from tflite_writer import PADDING, TfliteWriter, options
from tinyseal_host.model.layers import Convolution, Map
from tinyseal_host.model.network import Network, Unsupported, read_network
from tinyseal_host.model.summary import describe
from tinyseal_host.model.tflite_reader import read_model


def read(data):
    return read_network(read_model(data, PATH))


def problems(data):
    network = read(data)
    assert isinstance(network, Unsupported)
    return network.problems


def blocks(*, sizes=(2, 2), again=(2, 2), added=((1, 1), (1, 1)), taken=((0, 0), (0, 0)), batch=4, **changed):
    """A 3x3 convolution of 1x6x6x1 in blocks, with what a test changes."""
    writer = TfliteWriter()
    near, far = {"scale": 0.1, "zero_point": 3}, {"scale": 0.2, "zero_point": 0}
    entry = writer.tensor((1, 6, 6, 1), **near)
    spread = writer.tensor((batch, 4, 4, 1), **(near | changed.get("near", {})))
    result = writer.tensor((batch, *changed.get("result", (2, 2, 1))), **(far | changed.get("far", {})))
    final = writer.tensor(changed.get("final", (1, 4, 4, 1)), **far)
    numbers = [writer.constant(np.array(values, np.int32)) for values in (sizes, added, again, taken)]
    writer.operator("SPACE_TO_BATCH_ND", [entry, *numbers[:2]], [spread])
    stride = changed.get("stride", 1)
    chosen = options("Conv2DOptions", padding=PADDING["VALID"], strideH=stride, strideW=1)
    weights = writer.constant(np.ones((1, 3, 3, 1), np.int8), scale=0.01)
    writer.operator("CONV_2D", [spread, weights], [result], chosen)
    writer.operator("BATCH_TO_SPACE_ND", [result, *numbers[2:]], [final])
    if changed.get("second_reader"):
        other = writer.tensor((batch, 4, 4, 1), **near)
        writer.operator("RELU", [spread], [other])
    return writer.finish([entry], [final])


@pytest.mark.parametrize("batch", [4, 1])
def test_blocks_are_dilation(batch):
    """The batch in the file is of no consequence."""
    network = read(blocks(batch=batch))
    assert isinstance(network, Network)
    (layer,) = network.layers
    assert (layer.number, layer.operator) == (1, "CONV_2D")
    assert isinstance(layer.computation, Convolution)
    for axis in (layer.computation.window.height, layer.computation.window.width):
        assert (axis.size, axis.kernel, axis.stride, axis.dilation, axis.before, axis.out) == (6, 3, 1, 2, 1, 4)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"stride": 2}, "has stride 2 in h between blocks, wanted 1"),
        ({"again": (2, 1)}, "is between blocks of [2, 2] and [2, 1], padded [1, 1, 1, 1], cropped [0, 0, 0, 0]"),
        ({"sizes": (2,)}, "is between blocks of [2] and [2, 2], wanted 2 constant numbers"),
        ({"added": ((1, 0), (1, 1))}, "has blocks of [2, 2] of 1x6x6x1 padded [1, 0, 1, 1], wanted whole ones"),
        ({"added": ((-1, 3), (1, 1))}, "padded [-1, 3, 1, 1]"),
        ({"added": ((3, 1), (1, 1))}, "reads 4x4x4x1, wanted blocks of 5x4x1"),
        ({"taken": ((2, 0), (0, 0))}, "kernel of 3 with dilation 2 does not fit into 6 in h"),
        ({"result": (4, 1, 1)}, "leads to 4x4x1x1, wanted blocks of 2x2x1"),
        ({"final": (1, 4, 3, 1)}, "output is 1x4x3x1, wanted 1x4x4x1"),
        (
            {"near": {"zero_point": 4}},
            "tensor 1 has scale and zero point (0.10000000149011612, 4), wanted (0.10000000149011612, 3)",
        ),
        ({"far": {"scale": 0.0}}, "tensor 2 has scale 0.0, wanted a positive number"),
    ],
)
def test_blocks_that_are_refused(changed, said):
    found = problems(blocks(**changed))
    assert all(problem.startswith("layer 1 (CONV_2D): ") for problem in found)
    assert any(said in problem for problem in found), found


def test_blocks_that_another_operator_reads_are_refused_one_by_one():
    found = problems(blocks(second_reader=True))
    where = "is supported only around one CONV_2D or DEPTHWISE_CONV_2D of stride 1"
    assert any(problem.startswith(f"layer 0 (SPACE_TO_BATCH_ND): {where}") for problem in found)
    assert any(problem.startswith(f"layer 2 (BATCH_TO_SPACE_ND): {where}") for problem in found)


def through_float(second=None):
    """DEQUANTIZE, QUANTIZE, and perhaps another reader of the floats."""
    writer = TfliteWriter()
    entry = writer.tensor((1, 4), scale=0.1, zero_point=0)
    between = writer.tensor((1, 4), np.float32)
    result, other = (writer.tensor((1, 4), scale=0.2, zero_point=0) for _ in range(2))
    writer.operator("DEQUANTIZE", [entry], [between])
    writer.operator("QUANTIZE", [between], [result])
    if second:
        writer.operator(second, [between], [other])
    return writer.finish([entry], [result])


def test_dequantize_and_quantize_are_one_map():
    network = read(through_float())
    assert isinstance(network, Network)
    (layer,) = network.layers
    assert isinstance(layer.computation, Map)
    network = read(through_float("QUANTIZE"))
    assert isinstance(network, Network)
    assert [layer.number for layer in network.layers] == [1, 2]


def test_floats_that_another_operator_reads_are_refused():
    assert problems(through_float("RELU"))[0] == "layer 0 (DEQUANTIZE): output is FLOAT32, wanted INT8"


def uint8_edges(zero_point=128, scale=0.1):
    writer = TfliteWriter()
    first = writer.tensor((1, 4), np.uint8, scale=scale, zero_point=zero_point)
    entry, result = (writer.tensor((1, 4), scale=0.1, zero_point=0) for _ in range(2))
    last = writer.tensor((1, 4), np.uint8, scale=scale, zero_point=zero_point)
    writer.operator("QUANTIZE", [first], [entry])
    writer.operator("RELU", [entry], [result])
    writer.operator("QUANTIZE", [result], [last])
    return writer.finish([first], [last])


def test_uint8_edges_of_the_same_numbers_are_left_out():
    network = read(uint8_edges())
    assert isinstance(network, Network)
    assert [layer.operator for layer in network.layers] == ["RELU"]
    assert network.left_out == "QUANTIZE"
    assert describe(uint8_edges(), PATH).notes == (
        "the last QUANTIZE is left out: outputs are int8, those of the file are uint8 = output + 128",
    )


@pytest.mark.parametrize("changed", [{"zero_point": 127}, {"scale": 0.2}])
def test_uint8_edges_of_other_numbers_are_refused(changed):
    found = problems(uint8_edges(**changed))
    assert found[:2] == ("model input is UINT8, wanted INT8", "model output is UINT8, wanted INT8")
