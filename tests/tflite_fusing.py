"""Random files of operators that are computed together: a convolution in blocks, DEQUANTIZE and QUANTIZE, a Flatten."""

import math
from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st
from tflite import TensorType
from tflite_parts import (
    RandomModel,
    activations,
    add_filter,
    conv_output,
    edges,
    frames,
    generators,
    scales,
    zero_points,
)
from tflite_writer import ACTIVATION, PADDING, TfliteWriter, options


@st.composite
def blocks(draw):
    """SPACE_TO_BATCH_ND, a convolution, BATCH_TO_SPACE_ND, over one axis or two; behind a PAD or not.

    Over one axis the shapes between are named anew, as converters write a dilated Conv1D. TensorFlow Lite Micro pads
    with 0 here, where TensorFlow Lite has the zero point, and computes rubbish when the file has a batch of 1 between
    the blocks, as converters write it. So the oracle has a PAD of its own, and the true batch.
    """
    rng, writer = draw(generators), TfliteWriter()
    near, far = ({"scale": draw(scales()), "zero_point": draw(zero_points)} for _ in range(2))
    axes, c = draw(_blocked_axes), draw(st.integers(1, 4))
    depthwise = draw(st.booleans())
    m = c if depthwise else draw(st.integers(1, 4))
    place = draw(st.integers(1, 2)) if len(axes) == 1 else None
    batch = math.prod(axis.block for axis in axes)

    first_shape = (1, *(axis.size for axis in axes), c)
    entry = writer.tensor(first_shape, **near)
    ahead = _pad(writer, entry, [(axis.ahead, 0) for axis in axes], near) if axes[0].ahead else entry
    whole = _pad(writer, ahead, [axis.added for axis in axes], near)
    block, none, added, taken = (
        writer.constant(np.array(values, np.int32))
        for values in (
            [axis.block for axis in axes],
            [(0, 0) for _ in axes],
            [axis.added for axis in axes],
            [axis.taken for axis in axes],
        )
    )
    spread = writer.tensor((batch, *(axis.phase for axis in axes), c), **near)
    writer.operator("SPACE_TO_BATCH_ND", [whole, block, none], [spread])
    spreading = writer.operators[-1]
    inside = spread if place is None else _rename(writer, spread, place, near)

    kernels = _between([axis.kernel for axis in axes], place, at=0)
    weights = (1, *kernels, c) if depthwise else (m, *kernels, c)
    parts = add_filter(draw, writer, rng, weights, (near["scale"], far["scale"]), dimension=3 if depthwise else 0)
    fields = {"padding": PADDING[axes[0].padding], "strideH": 1, "strideW": 1}
    fields |= {"fusedActivationFunction": ACTIVATION[draw(activations)]} | ({"depthMultiplier": 1} if depthwise else {})
    chosen = options("DepthwiseConv2DOptions" if depthwise else "Conv2DOptions", **fields)
    outs = (batch, *(axis.out for axis in axes), m)
    result = joined = writer.tensor(_between(outs, place), **far)
    parts = [part for part in parts if part != -1]
    writer.operator("DEPTHWISE_CONV_2D" if depthwise else "CONV_2D", [inside, *parts], [result], chosen)
    if place is not None:
        joined = writer.tensor(outs, **far)
        writer.operator("SQUEEZE", [result], [joined], options("SqueezeOptions", squeezeDims=[place]))
    final = writer.tensor((1, *(axis.left for axis in axes), m), **far)
    writer.operator("BATCH_TO_SPACE_ND", [joined, block, taken], [final])

    oracle = writer.finish([entry], [final])
    writer.operators = [operator for operator in writer.operators if operator.outputs != [whole]]
    spreading.inputs = [ahead, block, added]
    if draw(st.booleans()):
        for index in (spread, inside, result, joined):
            writer.tensors[index].shape[0] = 1
    return RandomModel("blocks", writer.finish([entry], [final]), frames(rng, first_shape), oracle)


class _BlockedAxis(NamedTuple):
    """Positions: of the input, padded ahead of it, in a block, added to fill blocks, of one phase, of the kernel on it,
    of its output, taken away again, and what is left of all phases' outputs."""

    padding: str
    size: int
    ahead: int
    block: int
    added: tuple
    phase: int
    kernel: int
    out: int
    taken: tuple
    left: int


@st.composite
def _blocked_axis_of(draw, padding, padded):
    size, block = draw(st.integers(3, 12)), draw(st.integers(1, 3))
    ahead = draw(st.integers(1, 5)) if padded else 0
    before = draw(st.integers(0, 4))
    after = -(size + ahead + before) % block + block * draw(st.integers(1, 3))
    phase = (size + ahead + before + after) // block
    kernel = draw(st.integers(1, min(3, phase)))
    out = conv_output(phase, kernel, 1, 1, padding)
    first = draw(st.integers(0, min(before, out * block - 1)))
    last = draw(st.integers(0, min(after, out * block - 1 - first)))
    return _BlockedAxis(
        padding, size, ahead, block, (before, after), phase, kernel, out, (first, last), out * block - first - last
    )


_blocked_axes = st.tuples(st.sampled_from(["SAME", "VALID"]), st.booleans()).flatmap(
    lambda chosen: st.lists(_blocked_axis_of(*chosen), min_size=1, max_size=2)
)


def _pad(writer, source, amounts, quantisation):
    shape = writer.tensors[source].shape
    amounts = np.array([(0, 0), *amounts, (0, 0)], np.int32)
    result = writer.tensor(np.array(shape) + amounts.sum(axis=1), **quantisation)
    writer.operator("PAD", [source, writer.constant(amounts)], [result], options("PadOptions"))
    return result


def _between(shape, place, *, at=1):
    """A shape of one spatial axis with another of 1, `place` being its number in NHWC; unchanged without one."""
    where = len(shape) if place is None else place - 1 + at
    return (*shape[:where], *([] if place is None else [1]), *shape[where:])


def _rename(writer, source, place, quantisation):
    shape = _between(writer.tensors[source].shape, place)
    result = writer.tensor(shape, **quantisation)
    _reshape(writer, source, result)
    return result


def _reshape(writer, source, target):
    shape = writer.constant(np.array(writer.tensors[target].shape, np.int32))
    writer.operator("RESHAPE", [source, shape], [target], options("ReshapeOptions"))


@st.composite
def dequantise_quantise(draw):
    """DEQUANTIZE, and QUANTIZE to another scale, for all 256 values."""
    writer = TfliteWriter()
    scale = draw(scales())
    entry = writer.tensor((1, 256), scale=scale, zero_point=draw(zero_points))
    between = writer.tensor((1, 256), np.float32)
    out_scale = np.float32(scale * draw(scales(1 / 64, 64) | st.sampled_from([0.5, 1.0, 2.0])))
    result = writer.tensor((1, 256), scale=out_scale, zero_point=draw(zero_points))
    writer.operator("DEQUANTIZE", [entry], [between])
    writer.operator("QUANTIZE", [between], [result])
    every = np.arange(-128, 128, dtype=np.int8).reshape(1, 1, 256)
    return RandomModel("DEQUANTIZE", writer.finish([entry], [result]), every)


@st.composite
def edges_of(draw, name):
    """A RELU between QUANTIZE from float32 or uint8 and DEQUANTIZE or QUANTIZE to them; one edge may be int8."""
    rng, writer = draw(generators), TfliteWriter()
    shape = (1, draw(st.integers(1, 40)))
    (entry, in_scale), (result, out_scale) = edges(draw, writer, shape, shape)
    writer.tensors[result].quantization.scale[0] = out_scale = np.float32(in_scale * draw(scales(0.3, 2)))
    first, last = entry, result
    kinds = draw(st.sampled_from([(True, True), (True, False), (False, True)]))

    def outside(tensor, scale):
        if name == "FLOAT32":
            return writer.tensor(shape, np.float32)
        zero_point = int(writer.tensors[tensor].quantization.zeroPoint[0]) + 128
        return writer.tensor(shape, np.uint8, scale=scale, zero_point=zero_point)

    if kinds[0]:
        first = outside(entry, in_scale)
        writer.operator("QUANTIZE", [first], [entry])
    writer.operator("RELU", [entry], [result])
    if kinds[1]:
        last = outside(result, out_scale)
        writer.operator("DEQUANTIZE" if name == "FLOAT32" else "QUANTIZE", [result], [last])
    return RandomModel(f"{name} edges", writer.finish([first], [last]), frames(rng, shape))


@st.composite
def renamed(draw, name):
    """A RELU, and an alias behind it, or Keras's Flatten: SHAPE, STRIDED_SLICE, PACK, RESHAPE."""
    rng, writer = draw(generators), TfliteWriter()
    shape = (1, draw(st.integers(1, 4)), draw(st.integers(1, 5)))
    (entry, _), (mapped, _) = edges(draw, writer, shape, shape)
    quantisation = writer.tensors[mapped].quantization
    alike = {"scale": quantisation.scale[0], "zero_point": int(quantisation.zeroPoint[0])}
    writer.operator("RELU", [entry], [mapped])
    flat = (1, shape[1] * shape[2])
    if name == "EXPAND_DIMS":
        axis = writer.constant(np.array(draw(st.integers(0, 3)), np.int32))
        result = writer.tensor(np.expand_dims(np.empty(shape), int(_value(writer, axis))).shape, **alike)
        writer.operator(name, [mapped, axis], [result], options("ExpandDimsOptions"))
    elif name == "SQUEEZE":
        wider = writer.tensor((1, 1, *shape[1:]), **alike)
        _reshape(writer, mapped, wider)
        result = writer.tensor(shape, **alike)
        writer.operator(name, [wider], [result], options("SqueezeOptions", squeezeDims=[1]))
    elif name == "RESHAPE":
        result = writer.tensor(flat, **alike)
        _reshape(writer, mapped, result)
    else:
        result = writer.tensor(flat, **alike)
        sizes, batch, packed = (writer.tensor(size, np.int32) for size in ((3,), (), (2,)))
        writer.operator("SHAPE", [mapped], [sizes], options("ShapeOptions", outType=TensorType.INT32))
        ranges = [writer.constant(np.array([value], np.int32)) for value in (0, 1, 1)]
        writer.operator("STRIDED_SLICE", [sizes, *ranges], [batch], options("StridedSliceOptions", shrinkAxisMask=1))
        rest = writer.constant(np.array(-1, np.int32))
        writer.operator("PACK", [batch, rest], [packed], options("PackOptions", valuesCount=2))
        writer.operator("RESHAPE", [mapped, packed], [result], options("ReshapeOptions"))
    return RandomModel(name, writer.finish([entry], [result]), frames(rng, shape))


def _value(writer, constant):
    return np.frombuffer(writer.buffers[writer.tensors[constant].buffer].data.tobytes(), np.int32)[0]


FUSING = {
    "SPACE_TO_BATCH_ND": blocks(),
    "DEQUANTIZE": dequantise_quantise(),
    **{name: renamed(name) for name in ("RESHAPE", "EXPAND_DIMS", "SQUEEZE", "SHAPE")},
}
"""By the operator that a file begins with, or is about."""
EDGES = {name: edges_of(name) for name in ("FLOAT32", "UINT8")}
"""By the type of the edges; what `RandomModel.expected` gives for these is of that type."""
