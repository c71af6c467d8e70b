"""What random `.tflite` files are made of: scales, filters, frames; and TensorFlow Lite Micro as the oracle."""

import math
from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st
from tflite_micro import runtime
from tflite_writer import TfliteWriter

ARENA_BYTES = 1 << 20


@dataclass(frozen=True)
class RandomModel:
    """A file, named after its one operator or what it is, and inputs for its int8 entry, [n, *input shape].

    `oracle` is a file that computes the same and that TensorFlow Lite Micro computes rightly, where it does not so with
    `data`.
    """

    name: str
    data: bytes
    inputs: np.ndarray
    oracle: bytes | None = None

    def expected(self):
        """int8 outputs, flat, [n, outputs]."""
        return run_tflm(self.oracle or self.data, self.inputs)

    def __repr__(self):
        return f"RandomModel({self.name}, {len(self.data)} bytes, inputs {self.inputs.shape})"


def run_tflm(data, inputs):
    """TensorFlow Lite Micro's outputs, flat, [n, outputs], for inputs [n, *input shape] of the file's type."""
    interpreter = runtime.Interpreter.from_bytes(data, arena_size=ARENA_BYTES)
    outputs = []
    for frame in inputs:
        interpreter.set_input(frame, 0)
        interpreter.invoke()
        outputs.append(interpreter.get_output(0).reshape(-1).copy())
    return np.array(outputs)


def tflm_quantise(values, scale, zero_point):
    """What TensorFlow Lite Micro's QUANTIZE makes of float32 values, int8."""
    writer = TfliteWriter()
    entry = writer.tensor(values.shape, np.float32)
    result = writer.tensor(values.shape, scale=scale, zero_point=zero_point)
    writer.operator("QUANTIZE", [entry], [result])
    return run_tflm(writer.finish([entry], [result]), [values])[0].reshape(values.shape)


def frames(rng, shape):
    """Noise, and both ends of the range, which make the largest accumulators."""
    noise = rng.integers(-128, 128, (2, *shape), dtype=np.int8)
    return np.concatenate([noise, np.full((1, *shape), -128, np.int8), np.full((1, *shape), 127, np.int8)])


def scales(least=1e-4, most=1.0):
    """float32 scales, spread evenly over the magnitudes."""
    return st.floats(math.log(least), math.log(most)).map(lambda x: np.float32(math.exp(x)))


zero_points = st.sampled_from([-128, -1, 0, 127]) | st.integers(-128, 127)
activations = st.sampled_from(["NONE", "RELU", "RELU6"])
generators = st.integers(0, 2**32 - 1).map(np.random.default_rng)


def add_filter(draw, writer, rng, shape, in_and_out_scale, *, dimension=0):
    """Weights and perhaps a bias, as tensor indices; most outputs spread over the int8 range.

    `dimension` is that of the outputs in the shape of the weights.
    """
    (input_scale, output_scale), m = in_and_out_scale, shape[dimension]
    weights = rng.integers(-127, 128, shape, dtype=np.int8)
    if draw(st.booleans()):
        weights = (weights // 8).astype(np.int8)
    per_channel = draw(st.booleans())
    spread = np.sqrt(weights.size / m) * 60 * 70 / draw(st.sampled_from([20, 60, 500, 30000]))
    factors = rng.uniform(0.3, 3, m if per_channel else 1)
    weight_scales = (factors * output_scale / input_scale / spread).astype(np.float32)
    found = [writer.constant(weights, scale=weight_scales, dimension=dimension)]
    if draw(st.booleans()):
        bias = rng.integers(-(1 << 14), 1 << 14, m, dtype=np.int32)
        # A quantised dimension that a 1-D tensor does not have, as converters write it.
        bias_scales = (np.float32(input_scale) * weight_scales).astype(np.float32)
        found.append(writer.constant(bias, scale=bias_scales, dimension=draw(st.sampled_from([0, 3]))))
    elif draw(st.booleans()):
        found.append(-1)
    return found


def edges(draw, writer, input_shape, output_shape):
    """Input and output tensors with random scales and zero points: (index, scale) each."""
    made = []
    for shape in (input_shape, output_shape):
        scale = draw(scales())
        made.append((writer.tensor(shape, scale=scale, zero_point=draw(zero_points)), scale))
    return made


def conv_output(size, kernel, stride, dilation, padding):
    """Output positions, as the TensorFlow documentation of `tf.nn.convolution` gives them."""
    if padding == "SAME":
        return math.ceil(size / stride)
    return math.ceil((size - (kernel - 1) * dilation) / stride)
