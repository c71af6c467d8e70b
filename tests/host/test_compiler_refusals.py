"""What the compiler refuses, each in its own words and with its layer."""

from pathlib import Path

import numpy as np
import pytest
from compiling import PATH, compile_bytes, contract_for, frames_of
from program_interpreter import Interpreter
from tflite_strategies import run_tflm
from tflite_writer import ACTIVATION, PADDING, TfliteWriter, options
from tinyseal_host import example
from tinyseal_host.errors import TinysealError

MODEL = Path(example.__file__).parent / "motion.tflite"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"length": 599}, "model input has 600 values, the contract's length is 599"),
        ({"labels": ("a", "b")}, "model output has 4 values, the contract has 2 labels"),
    ],
)
def test_contract_that_does_not_fit(changed, message):
    with pytest.raises(TinysealError) as refusal:
        compile_bytes(MODEL.read_bytes(), contract_for(MODEL.read_bytes(), **changed))
    assert refusal.value.message == f"{PATH}: {message}"


def refused(data):
    """The one-line message of a refusal, without the path."""
    with pytest.raises(TinysealError) as refusal:
        compile_bytes(data)
    assert "\n" not in refusal.value.message
    assert refusal.value.message.startswith(f"{PATH}: ")
    return refusal.value.message.removeprefix(f"{PATH}: ")


def test_all_problems_are_listed_at_once():
    writer = TfliteWriter()
    a, b, c = (writer.tensor((1, 4), scale=0.1, zero_point=0) for _ in range(3))
    d = writer.tensor((1, 4), scale=0.1, zero_point=0)
    writer.operator("ELU", [a], [b])
    writer.operator("SOFTMAX", [b], [c], options("SoftmaxOptions", beta=1.0))
    writer.operator("GELU", [c], [d])
    assert refused(writer.finish([a], [d])) == (
        "layer 0 (ELU): operator is not supported; "
        "layer 1 (SOFTMAX): output has scale 0.10000000149011612 and zero point 0, wanted 1/256 and -128; "
        "layer 2 (GELU): operator is not supported"
    )


def dense(*, weights=None, weight_scale=0.01, bias=None, bias_scale=None, in_scale=0.1, out_scale=0.1, **fields):
    """A file with one FULLY_CONNECTED layer of 4 values to 2, with what a test changes."""
    writer = TfliteWriter()
    weights = np.ones((2, 4), np.int8) if weights is None else weights
    entry = writer.tensor((1, weights.shape[-1]), fields.pop("dtype", np.int8), scale=in_scale, zero_point=0)
    parts = [writer.constant(weights, scale=weight_scale, zero_point=fields.pop("weight_zero_point", 0))]
    if bias is not None:
        parts.append(writer.constant(bias, scale=in_scale * weight_scale if bias_scale is None else bias_scale))
    result = writer.tensor((1, 2), scale=out_scale, zero_point=0)
    chosen = options("FullyConnectedOptions", **fields)
    writer.operator("FULLY_CONNECTED", [entry, *parts], [result], chosen)
    return writer.finish([entry], [result])


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"fusedActivationFunction": ACTIVATION["RELU_N1_TO_1"]},
            "activation is RELU_N1_TO_1, wanted NONE, RELU, RELU6",
        ),
        ({"weightsFormat": 1}, "weights format is SHUFFLED4x16INT8, wanted DEFAULT"),
        ({"weights": np.ones((2, 4), np.float32)}, "weights are FLOAT32, wanted plain constant INT8"),
        ({"weight_scale": [0.1, 0.1, 0.1]}, "weights have 3 scales, wanted 1 or 2"),
        ({"weight_scale": float("nan")}, "weights have a scale that is negative or not finite"),
        ({"weight_zero_point": 1}, "weights have a zero point other than 0"),
        ({"weights": np.ones((2, 16385), np.int8)}, "has 16385 weights an output, wanted at most 16384"),
        ({"bias": np.zeros(3, np.int32)}, "bias is 3 INT32, wanted 2 plain constant INT32"),
        ({"bias": np.zeros(2, np.int32), "bias_scale": 9.0}, "bias has scale 9.0, wanted input scale x weight scale"),
        ({"bias": np.array([0, -(1 << 30)], np.int32)}, "accumulator can reach 1073742336, wanted below 536870912"),
        ({"out_scale": 1e-10}, "accumulator can reach 8589934592, wanted below 536870912"),
        ({"out_scale": 1e-30}, "scales ask for a left shift of 90, wanted at most 28"),
        ({"in_scale": 0.0}, "model input has scale 0.0, wanted a positive number"),
        ({"dtype": np.uint8}, "model input is UINT8, wanted INT8"),
    ],
)
def test_fully_connected_that_is_refused(changed, message):
    assert message in refused(dense(**changed))


def convolution(shape=(1, 4, 4, 2), weights=(3, 2, 2, 2), output=(1, 3, 3, 3), **fields):
    writer = TfliteWriter()
    entry = writer.tensor(shape, scale=0.1, zero_point=0)
    kernel = writer.constant(np.ones(weights, np.int8), scale=0.1)
    result = writer.tensor(output, scale=0.1, zero_point=0)
    chosen = {"padding": PADDING["VALID"], "strideH": 1, "strideW": 1} | fields
    writer.operator("CONV_2D", [entry, kernel], [result], options("Conv2DOptions", **chosen))
    return writer.finish([entry], [result])


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"strideH": 0}, "has stride 0 and dilation 1 in h, wanted 1 to 1024 of each"),
        ({"dilationWFactor": -1}, "has stride 1 and dilation -1 in w, wanted 1 to 1024 of each"),
        ({"weights": (3, 5, 2, 2)}, "kernel of 5 with dilation 1 does not fit into 4 in h"),
        ({"weights": (3, 2, 2, 1)}, "input is 1x4x4x2, wanted 1 x height x width x 1 (no groups)"),
        ({"output": (1, 3, 2, 3)}, "output is 1x3x2x3, wanted 1x3x3x3"),
        ({"shape": (2, 4, 4, 2)}, "model input has shape 2x4x4x2, wanted a batch of 1"),
    ],
)
def test_conv_2d_that_is_refused(changed, message):
    assert message in refused(convolution(**changed))


@pytest.mark.parametrize(
    ("axes", "message"),
    [
        ([2], "averages 1x3x4 over axes [2], wanted all but the last axis"),
        ([0], "averages 1x3x4 over axes [0], wanted all but the last axis"),
        ([3], "axes [3] do not lie in 1x3x4"),
    ],
)
def test_mean_over_other_axes_is_refused(axes, message):
    writer = TfliteWriter()
    entry = writer.tensor((1, 3, 4), scale=0.1, zero_point=0)
    result = writer.tensor((1, 4), scale=0.1, zero_point=0)
    writer.operator("MEAN", [entry, writer.constant(np.array(axes, np.int32))], [result], options("ReducerOptions"))
    assert message in refused(writer.finish([entry], [result]))


def test_graphs_that_are_not_a_chain_from_input_to_output():
    writer = TfliteWriter()
    a, b, c = (writer.tensor((1, 4), scale=1 / 256, zero_point=-128) for _ in range(3))
    writer.operator("SOFTMAX", [b], [c], options("SoftmaxOptions", beta=1.0))
    assert "reads tensor 1, which no earlier layer computes" in refused(writer.finish([a], [c]))
    writer = TfliteWriter()
    a, b = (writer.tensor((1, 4), scale=0.1, zero_point=0) for _ in range(2))
    writer.operator("RESHAPE", [a], [b])
    assert refused(writer.finish([a], [b])) == "no layer computes anything"
    assert refused(writer.finish([a], [])) == "model has 0 outputs, wanted 1"


def large(side, kernel, channels):
    """Two convolutions over a square image of one channel, the second of which leaves at most four values."""
    writer = TfliteWriter()
    entry = writer.tensor((1, side, side, 1), scale=0.1, zero_point=0)
    middle = writer.tensor((1, side, side, channels), scale=0.1, zero_point=0)
    result = writer.tensor((1, side // 1024, side // 1024, 1), scale=0.1, zero_point=0)
    same, valid = PADDING["SAME"], PADDING["VALID"]
    weights = writer.constant(np.ones((channels, kernel, kernel, 1), np.int8), scale=0.001)
    chosen = options("Conv2DOptions", padding=same, strideH=1, strideW=1)
    writer.operator("CONV_2D", [entry, weights], [middle], chosen)
    weights = writer.constant(np.ones((1, 1, 1, channels), np.int8), scale=0.001)
    chosen = options("Conv2DOptions", padding=valid, strideH=1024, strideW=1024)
    writer.operator("CONV_2D", [middle, weights], [result], chosen)
    return writer.finish([entry], [result])


@pytest.mark.parametrize(("side", "kernel", "channels"), [(2048, 1, 4), (2048, 32, 1)])
def test_small_file_that_asks_for_much_is_refused_before_the_work(side, kernel, channels):
    """The first asks for 20 MiB of activations, the second for 2^32 MACs."""
    macs = side * side * kernel * kernel * channels + 4 * channels
    assert f"and {macs} MACs, wanted at most 16777216 and 2147483648" in refused(large(side, kernel, channels))


def test_bound_of_the_accumulator_is_exact():
    """bias + 128 * sum|w| just below 2^29 is compiled and right, at 2^29 it is refused."""
    weights = np.full((2, 4), -1, np.int8)
    room = (1 << 29) - 4 * 128
    fields = {"weights": weights, "in_scale": 1.0, "weight_scale": 1.0, "out_scale": 2.0**23}
    data = dense(bias=np.array([room - 1, 0], np.int32), **fields)
    inputs = np.full((1, 1, 4), -128, np.int8)
    output = Interpreter(compile_bytes(data)).run(frames_of(data, inputs)[0])
    np.testing.assert_array_equal(output, run_tflm(data, inputs)[0])
    assert "accumulator can reach 536870912, wanted below" in refused(
        dense(bias=np.array([room, 0], np.int32), **fields)
    )


def pair(name="ADD", kind="AddOptions", shapes=((1, 2, 4), (1, 2, 4)), out_scale=0.1, second_scale=0.1, constant=True):
    """A file with one layer of two operands, the second a constant or the input's maximum with 0."""
    writer = TfliteWriter()
    entry = writer.tensor(shapes[0], scale=0.1, zero_point=0)
    if constant:
        second = writer.constant(np.ones(shapes[1], np.int8), scale=second_scale)
    else:
        second = writer.tensor(shapes[1], scale=second_scale, zero_point=0)
        writer.operator("RELU", [entry], [second])
    result = writer.tensor((1, 2, 4), scale=out_scale, zero_point=0)
    writer.operator(name, [entry, second], [result], options(kind) if kind else None)
    return writer.finish([entry], [result])


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"shapes": ((1, 2, 4), (1, 2, 3))}, "computes 1x2x4 from 1x2x4 and 1x2x3, wanted one of the output's shape"),
        (
            {"name": "SUB", "kind": "SubOptions", "shapes": ((1, 1, 4), (1, 2, 4))},
            "computes 1x2x4 from 1x1x4 and 1x2x4",
        ),
        ({"out_scale": 1e-8}, "output has scale 9.99999993922529e-09, wanted more than"),
        ({"name": "MUL", "kind": "MulOptions", "out_scale": 1e-9}, "accumulator can reach"),
        ({"second_scale": 0.0}, "constant has scale 0.0, wanted a positive number"),
        (
            {"name": "CONCATENATION", "kind": "ConcatenationOptions", "constant": False, "second_scale": 0.2},
            "input has scale and zero point (0.20000000298023224, 0), wanted the output's (0.10000000149011612, 0)",
        ),
        ({"name": "TRANSPOSE", "kind": None}, "axes are 1x2x4 INT8, wanted plain constant INT32"),
    ],
)
def test_operands_that_are_refused(changed, message):
    assert message in refused(pair(**changed))


@pytest.mark.parametrize(
    ("name", "scale", "message"),
    [
        ("LOGISTIC", 0.1, "output has scale and zero point (0.10000000149011612, 0), wanted (0.00390625, -128)"),
        ("TANH", 0.1, "output has scale and zero point (0.10000000149011612, 0), wanted (0.0078125, 0)"),
        ("HARD_SWISH", 1e-4, "output has scale 9.999999747378752e-05, wanted more than"),
        ("RELU", 1e-9, "wanted below 4.1943e+06"),
    ],
)
def test_map_that_is_refused(name, scale, message):
    writer = TfliteWriter()
    entry = writer.tensor((1, 4), scale=0.1, zero_point=0)
    result = writer.tensor((1, 4), scale=scale, zero_point=0)
    writer.operator(name, [entry], [result])
    assert message in refused(writer.finish([entry], [result]))


def test_small_file_with_a_large_pool_is_refused_before_the_work():
    writer = TfliteWriter()
    entry = writer.tensor((1, 2048, 2048, 1), scale=0.1, zero_point=0)
    middle = writer.tensor((1, 2048, 2048, 1), scale=0.1, zero_point=0)
    result = writer.tensor((1, 2, 2, 1), scale=0.1, zero_point=0)
    for source, target, stride, size in ((entry, middle, 1, 128), (middle, result, 1024, 1)):
        sizes = {"strideH": stride, "strideW": stride, "filterHeight": size, "filterWidth": size}
        chosen = options("Pool2DOptions", padding=PADDING["SAME"], **sizes)
        writer.operator("MAX_POOL_2D", [source], [target], chosen)
    assert f"and {2**36 + 4} MACs, wanted at most" in refused(writer.finish([entry], [result]))
