"""Hypothesis strategies for random `.tflite` files that tinyseal supports, and TensorFlow Lite Micro as the oracle."""

import math
from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st
from tflite_micro import runtime
from tflite_writer import ACTIVATION, PADDING, TfliteWriter, options

ARENA_BYTES = 1 << 20


@dataclass(frozen=True)
class RandomModel:
    """A file, named after its one operator or `network`, and int8 inputs for it, [n, *input shape]."""

    name: str
    data: bytes
    inputs: np.ndarray

    def __repr__(self):
        return f"RandomModel({self.name}, {len(self.data)} bytes, inputs {self.inputs.shape})"


def run_tflm(data, inputs):
    """TensorFlow Lite Micro's int8 outputs, flat, [n, outputs], for int8 inputs [n, *input shape]."""
    interpreter = runtime.Interpreter.from_bytes(data, arena_size=ARENA_BYTES)
    outputs = []
    for frame in inputs:
        interpreter.set_input(frame, 0)
        interpreter.invoke()
        outputs.append(interpreter.get_output(0).reshape(-1).copy())
    return np.array(outputs)


def _frames(rng, shape):
    """Noise, and both ends of the range, which make the largest accumulators."""
    noise = rng.integers(-128, 128, (2, *shape), dtype=np.int8)
    return np.concatenate([noise, np.full((1, *shape), -128, np.int8), np.full((1, *shape), 127, np.int8)])


def _scales(least=1e-4, most=1.0):
    """float32 scales, spread evenly over the magnitudes."""
    return st.floats(math.log(least), math.log(most)).map(lambda x: np.float32(math.exp(x)))


_zero_points = st.sampled_from([-128, -1, 0, 127]) | st.integers(-128, 127)
_activations = st.sampled_from(["NONE", "RELU", "RELU6"])
_generators = st.integers(0, 2**32 - 1).map(np.random.default_rng)


def _add_filter(draw, writer, rng, shape, scales):
    """Weights and perhaps a bias, as tensor indices; most outputs spread over the int8 range."""
    (input_scale, output_scale), m = scales, shape[0]
    weights = rng.integers(-127, 128, shape, dtype=np.int8)
    if draw(st.booleans()):
        weights = (weights // 8).astype(np.int8)
    per_channel = draw(st.booleans())
    spread = np.sqrt(weights[0].size) * 60 * 70 / draw(st.sampled_from([20, 60, 500, 30000]))
    factors = rng.uniform(0.3, 3, m if per_channel else 1)
    weight_scales = (factors * output_scale / input_scale / spread).astype(np.float32)
    found = [writer.constant(weights, scale=weight_scales)]
    if draw(st.booleans()):
        bias = rng.integers(-(1 << 14), 1 << 14, m, dtype=np.int32)
        # A quantised dimension that a 1-D tensor does not have, as converters write it.
        bias_scales = (np.float32(input_scale) * weight_scales).astype(np.float32)
        found.append(writer.constant(bias, scale=bias_scales, dimension=draw(st.sampled_from([0, 3]))))
    elif draw(st.booleans()):
        found.append(-1)
    return found


def _edges(draw, writer, input_shape, output_shape):
    """Input and output tensors with random scales and zero points: (index, scale) each."""
    edges = []
    for shape in (input_shape, output_shape):
        scale = draw(_scales())
        edges.append((writer.tensor(shape, scale=scale, zero_point=draw(_zero_points)), scale))
    return edges


@st.composite
def fully_connected(draw):
    """FULLY_CONNECTED on one or several rows, per tensor or per channel."""
    rng, writer = draw(_generators), TfliteWriter()
    k, m = draw(st.integers(1, 70)), draw(st.integers(1, 20))
    batches = draw(st.sampled_from([(1,), (1, 3)]))
    (entry, in_scale), (result, out_scale) = _edges(draw, writer, (*batches, k), (*batches, m))
    inputs = [entry, *_add_filter(draw, writer, rng, (m, k), (in_scale, out_scale))]
    chosen = options(
        "FullyConnectedOptions", fusedActivationFunction=ACTIVATION[draw(_activations)], keepNumDims=len(batches) > 1
    )
    writer.operator("FULLY_CONNECTED", inputs, [result], chosen)
    return RandomModel("FULLY_CONNECTED", writer.finish([entry], [result]), _frames(rng, (*batches, k)))


def conv_output(size, kernel, stride, dilation, padding):
    """Output positions, as the TensorFlow documentation of `tf.nn.convolution` gives them."""
    if padding == "SAME":
        return math.ceil(size / stride)
    return math.ceil((size - (kernel - 1) * dilation) / stride)


@st.composite
def conv_2d(draw):
    """CONV_2D with random geometry, 1x1 and 1-D along either axis among them; at most 255 outputs."""
    rng, writer = draw(_generators), TfliteWriter()
    padding = draw(st.sampled_from(["SAME", "VALID"]))
    axes = []
    for _ in range(2):
        kernel, stride, dilation = draw(st.integers(1, 4)), draw(st.integers(1, 3)), draw(st.sampled_from([1, 1, 2, 3]))
        reach = (kernel - 1) * dilation + 1
        size = draw(st.integers(1, 9) | st.just(reach))
        size = max(size, reach) if padding == "VALID" else size
        axes.append((size, kernel, stride, dilation, conv_output(size, kernel, stride, dilation, padding)))
    (in_h, kernel_h, stride_h, dilation_h, out_h), (in_w, kernel_w, stride_w, dilation_w, out_w) = axes
    c, m = draw(st.integers(1, 9)), draw(st.integers(1, max(1, min(9, 255 // (out_h * out_w)))))
    (entry, in_scale), (result, out_scale) = _edges(draw, writer, (1, in_h, in_w, c), (1, out_h, out_w, m))
    inputs = [entry, *_add_filter(draw, writer, rng, (m, kernel_h, kernel_w, c), (in_scale, out_scale))]
    chosen = options(
        "Conv2DOptions",
        padding=PADDING[padding],
        **{"strideH": stride_h, "strideW": stride_w, "dilationHFactor": dilation_h, "dilationWFactor": dilation_w},
        fusedActivationFunction=ACTIVATION[draw(_activations)],
    )
    writer.operator("CONV_2D", inputs, [result], chosen)
    return RandomModel("CONV_2D", writer.finish([entry], [result]), _frames(rng, (1, in_h, in_w, c)))


@st.composite
def mean(draw):
    """MEAN over the spatial axes of a 3-D or 4-D tensor, axes from either end, dimensions kept or not."""
    rng, writer = draw(_generators), TfliteWriter()
    c = draw(st.integers(1, 40))
    spatial = tuple(draw(st.lists(st.integers(1, 20), min_size=1, max_size=2)))
    in_scale = draw(_scales(1e-3))
    out_scale = np.float32(in_scale * draw(st.floats(0.25, 4)))
    keep = draw(st.booleans())
    entry = writer.tensor((1, *spatial, c), scale=in_scale, zero_point=draw(_zero_points))
    shape = (1, *(1 for _ in spatial), c) if keep else (1, c)
    result = writer.tensor(shape, scale=out_scale, zero_point=draw(_zero_points))
    axes = np.arange(1, 1 + len(spatial), dtype=np.int32) - (len(spatial) + 2 if draw(st.booleans()) else 0)
    axes = writer.constant(axes)
    writer.operator("MEAN", [entry, axes], [result], options("ReducerOptions", keepDims=keep))
    return RandomModel("MEAN", writer.finish([entry], [result]), _frames(rng, (1, *spatial, c)))


@st.composite
def softmax(draw):
    """SOFTMAX over one or several rows."""
    rng, writer = draw(_generators), TfliteWriter()
    shape = (1, draw(st.integers(1, 255))) if draw(st.booleans()) else (1, 3, draw(st.integers(1, 85)))
    entry = writer.tensor(shape, scale=draw(_scales(1e-5, 10)), zero_point=draw(_zero_points))
    result = writer.tensor(shape, scale=1 / 256, zero_point=-128)
    beta = draw(st.sampled_from([1.0, 0.5, 3.0]))
    writer.operator("SOFTMAX", [entry], [result], options("SoftmaxOptions", beta=beta))
    return RandomModel("SOFTMAX", writer.finish([entry], [result]), _frames(rng, shape))


@st.composite
def network(draw):
    """A chain: one to three convolutions, RESHAPE, MEAN or not, FULLY_CONNECTED, SOFTMAX."""
    rng, writer = draw(_generators), TfliteWriter()
    shape = (1, draw(st.integers(1, 3)), draw(st.integers(8, 20)), draw(st.integers(1, 6)))
    first_shape, scale = shape, draw(_scales())
    first = last = writer.tensor(shape, scale=scale, zero_point=draw(_zero_points))

    def weighted(name, weights_shape, output_shape, chosen):
        nonlocal last, scale
        out_scale = draw(_scales())
        result = writer.tensor(output_shape, scale=out_scale, zero_point=draw(_zero_points))
        inputs = [last, *_add_filter(draw, writer, rng, weights_shape, (scale, out_scale))]
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
        result = writer.tensor((1, shape[3]), scale=scale, zero_point=draw(_zero_points))
        axes = writer.constant(np.array([1, 2], np.int32))
        writer.operator("MEAN", [last, axes], [result], options("ReducerOptions"))
    else:
        result = writer.tensor((1, math.prod(shape)), scale=scale, zero_point=draw(_zero_points))
        writer.operator("RESHAPE", [last, writer.constant(np.array([1, math.prod(shape)], np.int32))], [result])
    flat, last = writer.tensors[result].shape[1], result
    m = draw(st.integers(1, 12))
    weighted("FULLY_CONNECTED", (m, flat), (1, m), options("FullyConnectedOptions"))
    result = writer.tensor((1, m), scale=1 / 256, zero_point=-128)
    writer.operator("SOFTMAX", [last], [result], options("SoftmaxOptions", beta=1.0))
    return RandomModel("network", writer.finish([first], [result]), _frames(rng, first_shape))


STRATEGIES = {"FULLY_CONNECTED": fully_connected(), "CONV_2D": conv_2d(), "MEAN": mean(), "SOFTMAX": softmax()}
STRATEGIES["network"] = network()
