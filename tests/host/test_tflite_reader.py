"""The reader against the `tflite` package on whole files, and on damaged ones: a TinysealError or a valid Model."""

import os
import warnings
from pathlib import Path

import numpy as np
import pytest
import tflite
from hypothesis import given, settings
from hypothesis import strategies as st
from tflite_strategies import STRATEGIES
from tflite_writer import TfliteWriter, options
from tinyseal_host import example
from tinyseal_host.contract import Contract
from tinyseal_host.errors import TinysealError
from tinyseal_host.model.compiler import compile_model
from tinyseal_host.model.summary import describe
from tinyseal_host.model.tflite_reader import MAX_ITEMS, Model, read_model

MODEL = Path(example.__file__).parent / "motion.tflite"
DATA = MODEL.read_bytes()
PATH = Path("some.tflite")
CONTRACT = Contract.simple(600, -30.0, 30.0, 600)
OPERATOR_NAMES = {code: name for name, code in vars(tflite.BuiltinOperator).items() if not name.startswith("_")}
TYPE_NAMES = {code: name for name, code in vars(tflite.TensorType).items() if not name.startswith("_")}


def public_models():
    folder = os.environ.get("TINYSEAL_MODELS")
    return sorted(Path(folder).glob("*.tflite")) if folder else []


def same_as_tflite_package(data):
    model = read_model(data, PATH)
    other = tflite.Model.GetRootAs(data)
    graph = other.Subgraphs(0)
    assert model.inputs == tuple(graph.InputsAsNumpy())
    assert model.outputs == tuple(graph.OutputsAsNumpy())
    assert len(model.tensors) == graph.TensorsLength()
    for tensor in model.tensors:
        theirs = graph.Tensors(tensor.index)
        assert tensor.type == TYPE_NAMES[theirs.Type()]
        assert tensor.shape == tuple(theirs.Shape(i) for i in range(theirs.ShapeLength()))
        assert tensor.plain
        quantisation = theirs.Quantization()
        if quantisation is not None:
            assert tensor.scales.tolist() == [quantisation.Scale(i) for i in range(quantisation.ScaleLength())]
            points = [quantisation.ZeroPoint(i) for i in range(quantisation.ZeroPointLength())]
            assert tensor.zero_points.tolist() == points
            assert tensor.quantised_dimension == quantisation.QuantizedDimension()
        buffer = other.Buffers(theirs.Buffer())
        assert tensor.data_bytes == buffer.DataLength()
        assert (tensor.data is None) == (buffer.DataLength() == 0)
        if tensor.data is not None:
            assert tensor.data.tobytes() == buffer.DataAsNumpy().tobytes()
            assert tensor.data.shape == tensor.shape
    assert len(model.operators) == graph.OperatorsLength()
    for operator in model.operators:
        theirs = graph.Operators(operator.number)
        code = other.OperatorCodes(theirs.OpcodeIndex())
        assert operator.name == OPERATOR_NAMES[max(code.BuiltinCode(), code.DeprecatedBuiltinCode())]
        assert operator.inputs == tuple(theirs.Inputs(i) for i in range(theirs.InputsLength()))
        assert operator.outputs == tuple(theirs.Outputs(i) for i in range(theirs.OutputsLength()))


def test_example_reads_as_the_tflite_package_reads_it():
    same_as_tflite_package(DATA)


def test_public_models_read_as_the_tflite_package_reads_them():
    if not public_models():
        pytest.skip("TINYSEAL_MODELS names no folder of public models")
    for path in public_models():
        same_as_tflite_package(path.read_bytes())


@settings(max_examples=20, deadline=None, derandomize=True)
@given(st.one_of(*STRATEGIES.values()))
def test_written_files_read_as_the_tflite_package_reads_them(layer):
    same_as_tflite_package(layer.data)


def test_options_by_name():
    operators = read_model(DATA, PATH).operators
    assert operators[1].options == {
        **{"padding": "SAME", "stride_h": 1, "stride_w": 2, "dilation_h": 1, "dilation_w": 1},
        "activation": "RELU",
    }
    assert operators[2].options["padding"] == "VALID"
    assert operators[6].options == {"activation": "NONE", "weights_format": "DEFAULT"}
    assert operators[7].options == {"beta": 1.0}


def use(data):
    """Everything that reads a file; only a TinysealError of one line that begins with the path may come of it."""
    messages = []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            describe(data, PATH)
            compile_model(data, PATH, CONTRACT, name="some", version=1)
        except TinysealError as error:
            messages.append(error.message)
    for message in messages:
        assert message.startswith(f"{PATH}: ")
        assert "\n" not in message


def test_every_truncation_is_refused():
    for length in [*range(0, 512), *range(512, len(DATA), 37)]:
        with pytest.raises(TinysealError, match=r"^some.tflite: "):
            read_model(DATA[:length], PATH)


@settings(max_examples=150, deadline=2000, derandomize=True)
@given(st.lists(st.tuples(st.integers(0, len(DATA) - 1), st.integers(0, 255)), min_size=1, max_size=6))
def test_changed_bytes_give_an_error_or_a_model(changes):
    damaged = bytearray(DATA)
    for at, value in changes:
        damaged[at] = value
    use(bytes(damaged))


@pytest.mark.parametrize(("value", "first"), [(0, 0), (1, 5), (0x7F, 10), (0x80, 15), (0xFF, 20)])
def test_structural_bytes_changed(value, first):
    """Weights are in the middle of this file; offsets, counts, shapes and options at its ends."""
    weights = sum(tensor.data_bytes for tensor in read_model(DATA, PATH).tensors)
    for at in [*range(first, 1024, 41), *range(weights + first, len(DATA), 97)]:
        damaged = bytearray(DATA)
        damaged[at] = value
        use(bytes(damaged))


@settings(max_examples=100, deadline=2000, derandomize=True)
@given(st.binary(max_size=300))
def test_rubbish_behind_the_identifier_is_refused_or_empty(rubbish):
    use(b"\x08\0\0\0TFL3" + rubbish)


def test_vectors_that_claim_more_than_the_file_holds():
    at = DATA.index(np.int32([16, 1, 5, 6]).tobytes()) - 4  # the shape of the first weights, behind its count
    for count in (5, 0x7FFFFFFF, 0xFFFFFFFF):
        damaged = DATA[:at] + count.to_bytes(4, "little") + DATA[at + 4 :]
        with pytest.raises(TinysealError, match=r"^some.tflite: not a whole .tflite: tensor 11: "):
            read_model(damaged, PATH)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda writer: setattr(writer.tensors[0], "shape", [1, -4]), "tensor 0: shape is 1x-4, wanted sizes from 0"),
        (lambda writer: setattr(writer.tensors[0], "shape", [1] * 9), "tensor 0: has 9 dimensions, wanted at most 8"),
        (lambda writer: setattr(writer.tensors[0], "shape", [65536] * 2), "tensor 0: shape is 65536x65536, wanted"),
        (lambda writer: setattr(writer.tensors[0], "buffer", 9), "tensor 0: buffer 9 is named, there are 2"),
        (
            lambda writer: setattr(writer.tensors[2], "shape", [5]),
            "tensor 2: has 12 bytes of data, wanted 20 for 5 of INT32",
        ),
        (
            lambda writer: setattr(writer.operators[0], "inputs", [0, 7]),
            "layer 0 (SOFTMAX): tensor 7 is named, there are 3",
        ),
        (lambda writer: setattr(writer.operators[0], "outputs", [-1]), "layer 0 (SOFTMAX): tensor -1 is named, there"),
        (
            lambda writer: setattr(writer.operators[0], "opcodeIndex", 1),
            "layer 0: operator code 1 is named, there are 1",
        ),
        (
            lambda writer: setattr(writer.operators[0], "builtinOptionsType", 8),
            "layer 0 (SOFTMAX): options are of kind 8",
        ),
        (lambda writer: writer.tensors.extend(writer.tensors * MAX_ITEMS), "a vector has 12291 tables, wanted at most"),
    ],
)
def test_structure_that_contradicts_itself(change, message):
    writer = TfliteWriter()
    edges = [writer.tensor((1, 4), scale=1 / 256, zero_point=-128) for _ in range(2)]
    writer.constant(np.zeros(3, np.int32))
    writer.operator("SOFTMAX", edges[:1], edges[1:], options("SoftmaxOptions", beta=1.0))
    assert isinstance(read_model(writer.finish(edges[:1], edges[1:]), PATH), Model)
    change(writer)
    with pytest.raises(TinysealError) as refusal:
        read_model(writer.finish(edges[:1], edges[1:]), PATH)
    assert refusal.value.message.startswith(f"{PATH}: not a whole .tflite: {message}")


def test_file_that_is_something_else():
    with pytest.raises(TinysealError, match=r"^some.tflite: .*identifier is b'', wanted b'TFL3'"):
        read_model(b"", PATH)
    with pytest.raises(TinysealError, match="identifier"):
        read_model(b"\x7fELF" * 100, PATH)


def test_summary_of_the_example():
    summary = describe(DATA, PATH)
    assert [(layer.number, layer.operator, layer.output_shape, layer.macs) for layer in summary.layers] == [
        (0, "RESHAPE", "1x1x100x6", 0),
        (1, "CONV_2D", "1x1x50x16", 50 * 16 * 5 * 6),
        (2, "CONV_2D", "1x1x23x24", 23 * 24 * 5 * 16),
        (3, "CONV_2D", "1x1x12x32", 12 * 32 * 3 * 24),
        (4, "RESHAPE", "1x12x32", 0),
        (5, "MEAN", "1x32", 0),
        (6, "FULLY_CONNECTED", "1x4", 128),
        (7, "SOFTMAX", "1x4", 0),
    ]
    assert summary.macs == 50 * 480 + 23 * 1920 + 12 * 2304 + 128
    assert summary.problems == ()
    assert summary.arena.bytes == 800 + 384 + 288 + 128 + 80  # what test_compiler says of it
    assert summary.arena.lower_bound == 600 + 800
    assert [edge.shape for edge in (*summary.inputs, *summary.outputs)] == ["1x100x6", "1x4"]
    assert summary.outputs[0].text == "1x4 INT8, scale 0.00390625, zero point -128"


def test_summary_of_what_cannot_be_compiled():
    writer = TfliteWriter()
    entry, result = writer.tensor((1, 8, 8, 3), np.float32), writer.tensor((1, 8, 8, 6), np.float32)
    weights = writer.constant(np.zeros((1, 3, 3, 6), np.float32))
    writer.operator("DEPTHWISE_CONV_2D", [entry, weights], [result], options("DepthwiseConv2DOptions"))
    summary = describe(writer.finish([entry], [result]), PATH)
    assert (summary.layers[0].macs, summary.layers[0].weight_bytes) == (8 * 8 * 6 * 9, 9 * 6 * 4)
    assert summary.arena is None
    assert summary.layers[0].cost is None
    assert "layer 0 (DEPTHWISE_CONV_2D): input is FLOAT32, wanted INT8" in summary.problems
    assert summary.inputs[0].text == "1x8x8x3 FLOAT32"
