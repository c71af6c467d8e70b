"""Hypothesis strategies for random `.tflite` files that tinyseal supports: layers with weights, and whole networks."""

import math

import numpy as np
from hypothesis import strategies as st
from tflite_elementwise import ELEMENTWISE
from tflite_fusing import FUSING
from tflite_moves import MOVES
from tflite_parts import (
    RandomModel,
    activations,
    add_filter,
    conv_output,
    edges,
    frames,
    generators,
    run_tflm,
    scales,
    zero_points,
)
from tflite_windows import WINDOWS, conv_2d
from tflite_writer import ACTIVATION, PADDING, TfliteWriter, options

__all__ = ["STRATEGIES", "RandomModel", "run_tflm"]


@st.composite
def fully_connected(draw):
    """FULLY_CONNECTED on one or several rows, per tensor or per channel."""
    rng, writer = draw(generators), TfliteWriter()
    k = draw(st.integers(1, 70) | st.integers(120, 300))
    m = draw(st.integers(1, 20) | st.integers(120, 260))
    batches = draw(st.sampled_from([(1,), (1, 3)]))
    (entry, in_scale), (result, out_scale) = edges(draw, writer, (*batches, k), (*batches, m))
    inputs = [entry, *add_filter(draw, writer, rng, (m, k), (in_scale, out_scale))]
    chosen = options(
        "FullyConnectedOptions", fusedActivationFunction=ACTIVATION[draw(activations)], keepNumDims=len(batches) > 1
    )
    writer.operator("FULLY_CONNECTED", inputs, [result], chosen)
    return RandomModel("FULLY_CONNECTED", writer.finish([entry], [result]), frames(rng, (*batches, k)))


@st.composite
def mean(draw):
    """MEAN over the spatial axes of a 3-D or 4-D tensor, axes from either end, dimensions kept or not."""
    rng, writer = draw(generators), TfliteWriter()
    c = draw(st.integers(1, 40))
    spatial = tuple(draw(st.lists(st.integers(1, 20), min_size=1, max_size=2)))
    in_scale = draw(scales(1e-3))
    out_scale = np.float32(in_scale * draw(st.floats(0.25, 4)))
    keep = draw(st.booleans())
    entry = writer.tensor((1, *spatial, c), scale=in_scale, zero_point=draw(zero_points))
    shape = (1, *(1 for _ in spatial), c) if keep else (1, c)
    result = writer.tensor(shape, scale=out_scale, zero_point=draw(zero_points))
    axes = np.arange(1, 1 + len(spatial), dtype=np.int32) - (len(spatial) + 2 if draw(st.booleans()) else 0)
    axes = writer.constant(axes)
    writer.operator("MEAN", [entry, axes], [result], options("ReducerOptions", keepDims=keep))
    return RandomModel("MEAN", writer.finish([entry], [result]), frames(rng, (1, *spatial, c)))


@st.composite
def softmax(draw):
    """SOFTMAX over one or several rows."""
    rng, writer = draw(generators), TfliteWriter()
    shape = (1, draw(st.integers(1, 255))) if draw(st.booleans()) else (1, 3, draw(st.integers(1, 85)))
    entry = writer.tensor(shape, scale=draw(scales(1e-5, 10)), zero_point=draw(zero_points))
    result = writer.tensor(shape, scale=1 / 256, zero_point=-128)
    beta = draw(st.sampled_from([1.0, 0.5, 3.0]))
    writer.operator("SOFTMAX", [entry], [result], options("SoftmaxOptions", beta=beta))
    return RandomModel("SOFTMAX", writer.finish([entry], [result]), frames(rng, shape))


@st.composite
def network(draw):
    """A chain: one to three convolutions, RESHAPE, MEAN or not, FULLY_CONNECTED, SOFTMAX."""
    rng, writer = draw(generators), TfliteWriter()
    shape = (1, draw(st.integers(1, 3)), draw(st.integers(8, 20)), draw(st.integers(1, 6)))
    first_shape, scale = shape, draw(scales())
    first = last = writer.tensor(shape, scale=scale, zero_point=draw(zero_points))

    def weighted(name, weights_shape, output_shape, chosen):
        nonlocal last, scale
        out_scale = draw(scales())
        result = writer.tensor(output_shape, scale=out_scale, zero_point=draw(zero_points))
        inputs = [last, *add_filter(draw, writer, rng, weights_shape, (scale, out_scale))]
        chosen.fusedActivationFunction = ACTIVATION[draw(st.sampled_from(["NONE", "RELU"]))]
        writer.operator(name, inputs, [result], chosen)
        last, scale = result, out_scale

    for _ in range(draw(st.integers(1, 3))):
        kernel, stride, m = draw(st.integers(1, 3)), draw(st.integers(1, 2)), draw(st.integers(1, 12))
        padding = draw(st.sampled_from(["SAME", "VALID"])) if shape[2] >= kernel else "SAME"
        out = conv_output(shape[2], kernel, stride, 1, padding)
        chosen = options("Conv2DOptions", padding=PADDING[padding], strideH=1, strideW=stride)
        weights_shape, shape = (m, 1, kernel, shape[3]), (1, shape[1], out, m)
        weighted("CONV_2D", weights_shape, shape, chosen)
    if draw(st.booleans()):
        result = writer.tensor((1, shape[3]), scale=scale, zero_point=draw(zero_points))
        axes = writer.constant(np.array([1, 2], np.int32))
        writer.operator("MEAN", [last, axes], [result], options("ReducerOptions"))
    else:
        result = writer.tensor((1, math.prod(shape)), scale=scale, zero_point=draw(zero_points))
        writer.operator("RESHAPE", [last, writer.constant(np.array([1, math.prod(shape)], np.int32))], [result])
    flat, last = writer.tensors[result].shape[1], result
    m = draw(st.integers(1, 12))
    weighted("FULLY_CONNECTED", (m, flat), (1, m), options("FullyConnectedOptions"))
    result = writer.tensor((1, m), scale=1 / 256, zero_point=-128)
    writer.operator("SOFTMAX", [last], [result], options("SoftmaxOptions", beta=1.0))
    return RandomModel("network", writer.finish([first], [result]), frames(rng, first_shape))


@st.composite
def stack(draw):
    """Convolutions one after the other on an image with channels in eights: what may take its input's place does."""
    rng, writer = draw(generators), TfliteWriter()
    height, width, c = draw(st.integers(3, 9)), draw(st.integers(3, 9)), draw(st.sampled_from([8, 16]))
    first_shape, scale = (1, height, width, c), draw(scales())
    first = last = writer.tensor(first_shape, scale=scale, zero_point=draw(zero_points))
    for _ in range(draw(st.integers(1, 4))):
        kind, stride = draw(st.sampled_from(["1x1", "3x3", "depthwise"])), draw(st.sampled_from([1, 1, 2]))
        m = c if kind == "depthwise" else draw(st.sampled_from([3, 8, 16]))
        kernel = 1 if kind == "1x1" else 3
        height, width = (conv_output(size, kernel, stride, 1, "SAME") for size in (height, width))
        out_scale = draw(scales())
        result = writer.tensor((1, height, width, m), scale=out_scale, zero_point=draw(zero_points))
        if kind == "depthwise":
            name, chosen = "DEPTHWISE_CONV_2D", options("DepthwiseConv2DOptions", depthMultiplier=1)
            weights = add_filter(draw, writer, rng, (1, 3, 3, c), (scale, out_scale), dimension=3)
            weights = weights[: 1 if weights[-1] == -1 else 2]  # as in `depthwise_conv_2d`
        else:
            name, chosen = "CONV_2D", options("Conv2DOptions")
            weights = add_filter(draw, writer, rng, (m, kernel, kernel, c), (scale, out_scale))
        chosen.padding, chosen.strideH, chosen.strideW = PADDING["SAME"], stride, stride
        chosen.fusedActivationFunction = ACTIVATION[draw(activations)]
        writer.operator(name, [last, *weights], [result], chosen)
        last, c, scale = result, m, out_scale
    return RandomModel("stack", writer.finish([first], [last]), frames(rng, first_shape))


@st.composite
def residual(draw):
    """Two branches of one tensor, a convolution or a map each, joined by ADD, MUL or CONCATENATION, and a MEAN."""
    rng, writer = draw(generators), TfliteWriter()
    shape = (1, draw(st.integers(1, 4)), draw(st.integers(2, 8)), draw(st.integers(1, 6)))
    first_scale = draw(scales(1e-2))
    first = writer.tensor(shape, scale=first_scale, zero_point=draw(zero_points))
    joined_scale, joined_zero_point = draw(scales(1e-2)), draw(zero_points)
    branches = []
    for kind in draw(st.lists(st.sampled_from(["conv", "quantize", "none"]), min_size=2, max_size=2)):
        result = writer.tensor(shape, scale=joined_scale, zero_point=joined_zero_point)
        if kind == "conv":
            weights_shape = (shape[3], 1, 3, shape[3])
            inputs = [first, *add_filter(draw, writer, rng, weights_shape, (first_scale, joined_scale))]
            chosen = options("Conv2DOptions", padding=PADDING["SAME"], strideH=1, strideW=1)
            writer.operator("CONV_2D", inputs, [result], chosen)
        else:
            writer.operator("QUANTIZE", [first], [result])
        branches.append(result)
        if kind == "none":  # one branch twice, which nothing may overwrite between
            branches.append(result)
    branches = branches[-2:]
    join = draw(st.sampled_from(["ADD", "MUL", "CONCATENATION"]))
    if join == "CONCATENATION":
        shape = (*shape[:3], 2 * shape[3])
        result = writer.tensor(shape, scale=joined_scale, zero_point=joined_zero_point)
        writer.operator(join, branches, [result], options("ConcatenationOptions", axis=-1))
    else:
        result = writer.tensor(shape, scale=draw(scales(1e-2)), zero_point=draw(zero_points))
        kind = {"ADD": "AddOptions", "MUL": "MulOptions"}[join]
        writer.operator(join, branches, [result], options(kind, fusedActivationFunction=ACTIVATION[draw(activations)]))
    scale = writer.tensors[result].quantization.scale[0]
    mean_result = writer.tensor((1, shape[3]), scale=scale, zero_point=draw(zero_points))
    axes = writer.constant(np.array([1, 2], np.int32))
    writer.operator("MEAN", [result, axes], [mean_result], options("ReducerOptions"))
    return RandomModel("residual", writer.finish([first], [mean_result]), frames(rng, writer.tensors[first].shape))


STRATEGIES = {"FULLY_CONNECTED": fully_connected(), "CONV_2D": conv_2d(), "MEAN": mean(), "SOFTMAX": softmax()}
STRATEGIES |= WINDOWS | ELEMENTWISE | MOVES | FUSING | {"network": network(), "residual": residual(), "stack": stack()}
