"""Random files of the operators that take value by value: maps of one tensor, and two operands."""

import numpy as np
from hypothesis import strategies as st
from tflite_parts import RandomModel, activations, frames, generators, scales, zero_points
from tflite_writer import ACTIVATION, TfliteWriter, options

_ALL = np.arange(-128, 128, dtype=np.int8).reshape(1, 1, 256)
"""One frame [1, 256] of all int8 values."""


@st.composite
def one_operand(draw, name):
    """A map, for all 256 values; the output as TFLM wants it where it wants one."""
    writer = TfliteWriter()
    in_scale = draw(scales(1e-6, 10) if name in ("LOGISTIC", "TANH") else scales(1e-4, 10))
    out_scale = np.float32(in_scale * draw(scales(1 / 64, 64)))
    zero_point, chosen = draw(zero_points), None
    if name == "LOGISTIC":
        out_scale, zero_point = 1 / 256, -128
    elif name == "TANH":
        out_scale, zero_point = 1 / 128, 0
    elif name == "LEAKY_RELU":
        chosen = options("LeakyReluOptions", alpha=draw(st.sampled_from([0.0, 0.01, 0.2, 0.3, 1.0])))
    entry = writer.tensor((1, 256), scale=in_scale, zero_point=draw(zero_points))
    result = writer.tensor((1, 256), scale=out_scale, zero_point=zero_point)
    writer.operator(name, [entry], [result], chosen)
    return RandomModel(name, writer.finish([entry], [result]), _ALL)


_OPTIONS = {"ADD": "AddOptions", "SUB": "SubOptions", "MUL": "MulOptions"}


@st.composite
def two_operands(draw, name):
    """An operator on the input and on a constant, on a requantised copy of the input, or on its mean by channel."""
    rng, writer = draw(generators), TfliteWriter()
    shape = (1, draw(st.integers(1, 4)), draw(st.integers(1, 5)), draw(st.integers(1, 7)))
    a_scale = draw(scales(1e-3))
    b_scale = np.float32(a_scale * draw(scales(1 / 20, 20)))
    alike = {"scale": a_scale, "zero_point": draw(zero_points)}
    entry = writer.tensor(shape, **alike)
    other = alike if name in ("MINIMUM", "MAXIMUM") else {"scale": b_scale, "zero_point": draw(zero_points)}
    kind = draw(st.sampled_from(["constant", "copy", "mean", "itself"]))
    if kind == "constant":
        small = draw(st.sampled_from([shape, (1, 1, 1, shape[3]), (shape[3],), (1,), (), shape[1:], (*shape[:3], 1)]))
        second = writer.constant(rng.integers(-128, 128, small, dtype=np.int8), **other)
    elif kind == "copy":
        second = writer.tensor(shape, **other)
        writer.operator("QUANTIZE", [entry], [second])
    elif kind == "mean":
        second = writer.tensor((1, 1, 1, shape[3]), **other)
        axes = writer.constant(np.array([1, 2], np.int32))
        writer.operator("MEAN", [entry, axes], [second], options("ReducerOptions", keepDims=True))
    else:
        second = entry
    product_scale = a_scale * b_scale * 255 if name == "MUL" else max(a_scale, b_scale)
    out_scale = np.float32(product_scale * draw(scales(1 / 10, 10)))
    result = writer.tensor(shape, scale=out_scale, zero_point=draw(zero_points))
    chosen = None
    if name in _OPTIONS:
        chosen = options(_OPTIONS[name], fusedActivationFunction=ACTIVATION[draw(activations)])
    pair = [entry, second]
    if (name != "SUB" or (kind == "constant" and small in ((), (1,)))) and draw(st.booleans()):
        pair.reverse()
    writer.operator(name, pair, [result], chosen)
    return RandomModel(name, writer.finish([entry], [result]), frames(rng, shape))


_MAPS = ["QUANTIZE", "RELU", "RELU6", "LEAKY_RELU", "HARD_SWISH", "LOGISTIC", "TANH"]
_PAIRS = ["ADD", "SUB", "MUL", "MINIMUM", "MAXIMUM"]
ELEMENTWISE = {name: one_operand(name) for name in _MAPS} | {name: two_operands(name) for name in _PAIRS}
