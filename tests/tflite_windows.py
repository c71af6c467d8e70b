"""Random files of the operators that move a window: CONV_2D, DEPTHWISE_CONV_2D, MAX_POOL_2D, AVERAGE_POOL_2D."""

from hypothesis import strategies as st
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


def _axes(draw, padding, dilations=(1, 1, 2, 3)):
    """For height and width: sizes of input and kernel, stride, dilation, and positions of the output."""
    axes = []
    for _ in range(2):
        kernel, stride, dilation = draw(st.integers(1, 4)), draw(st.integers(1, 3)), draw(st.sampled_from(dilations))
        reach = (kernel - 1) * dilation + 1
        size = draw(st.integers(1, 9) | st.just(reach))
        size = max(size, reach) if padding == "VALID" else size
        axes.append((size, kernel, stride, dilation, conv_output(size, kernel, stride, dilation, padding)))
    return axes


def _square_axis(draw, padding):
    """An axis under 3x3 weights."""
    size, stride = draw(st.integers(3, 14)), draw(st.integers(1, 2))
    return size, 3, stride, 1, conv_output(size, 3, stride, 1, padding)


@st.composite
def conv_2d(draw):
    """CONV_2D with random geometry, 1x1 and 1-D along either axis among them, channels in eights or not."""
    rng, writer = draw(generators), TfliteWriter()
    padding = draw(st.sampled_from(["SAME", "VALID"]))
    (in_h, kernel_h, stride_h, dilation_h, out_h), (in_w, kernel_w, stride_w, dilation_w, out_w) = _axes(draw, padding)
    c, m = draw(st.integers(1, 9) | st.sampled_from([8, 16, 24])), draw(st.integers(1, 20))
    (entry, in_scale), (result, out_scale) = edges(draw, writer, (1, in_h, in_w, c), (1, out_h, out_w, m))
    inputs = [entry, *add_filter(draw, writer, rng, (m, kernel_h, kernel_w, c), (in_scale, out_scale))]
    chosen = options(
        "Conv2DOptions",
        padding=PADDING[padding],
        **{"strideH": stride_h, "strideW": stride_w, "dilationHFactor": dilation_h, "dilationWFactor": dilation_w},
        fusedActivationFunction=ACTIVATION[draw(activations)],
    )
    writer.operator("CONV_2D", inputs, [result], chosen)
    return RandomModel("CONV_2D", writer.finish([entry], [result]), frames(rng, (1, in_h, in_w, c)))


@st.composite
def depthwise_conv_2d(draw):
    """DEPTHWISE_CONV_2D with any multiplier, micro_speech's 8 for one channel among them."""
    rng, writer = draw(generators), TfliteWriter()
    padding = draw(st.sampled_from(["SAME", "VALID"]))
    axes = _axes(draw, padding)
    if draw(st.booleans()):  # what nearly all networks have
        axes = [_square_axis(draw, padding) for _ in axes]
    (in_h, kernel_h, stride_h, dilation_h, out_h), (in_w, kernel_w, stride_w, dilation_w, out_w) = axes
    c, multiplier = draw(st.sampled_from([(1, 8), (3, 2), (1, 1), (8, 1), (5, 1), (2, 3)]))
    m = c * multiplier
    (entry, in_scale), (result, out_scale) = edges(draw, writer, (1, in_h, in_w, c), (1, out_h, out_w, m))
    weights_shape = (1, kernel_h, kernel_w, m)
    inputs = [entry, *add_filter(draw, writer, rng, weights_shape, (in_scale, out_scale), dimension=3)]
    if inputs[-1] == -1:  # a bias that is named and absent crashes TFLM's DEPTHWISE_CONV_2D
        inputs.pop()
    chosen = options(
        "DepthwiseConv2DOptions",
        padding=PADDING[padding],
        depthMultiplier=multiplier,
        **{"strideH": stride_h, "strideW": stride_w, "dilationHFactor": dilation_h, "dilationWFactor": dilation_w},
        fusedActivationFunction=ACTIVATION[draw(activations)],
    )
    writer.operator("DEPTHWISE_CONV_2D", inputs, [result], chosen)
    return RandomModel("DEPTHWISE_CONV_2D", writer.finish([entry], [result]), frames(rng, (1, in_h, in_w, c)))


@st.composite
def pool(draw, name):
    """A pool, with cells outside the input or without."""
    rng, writer = draw(generators), TfliteWriter()
    padding = draw(st.sampled_from(["SAME", "VALID"]))
    axes = _axes(draw, padding, dilations=[1])
    (in_h, kernel_h, stride_h, _, out_h), (in_w, kernel_w, stride_w, _, out_w) = axes
    c, scale, zero_point = draw(st.integers(1, 6)), draw(scales()), draw(zero_points)
    entry = writer.tensor((1, in_h, in_w, c), scale=scale, zero_point=zero_point)
    result = writer.tensor((1, out_h, out_w, c), scale=scale, zero_point=zero_point)
    chosen = options(
        "Pool2DOptions",
        padding=PADDING[padding],
        **{"strideH": stride_h, "strideW": stride_w, "filterHeight": kernel_h, "filterWidth": kernel_w},
        fusedActivationFunction=ACTIVATION[draw(activations)],
    )
    writer.operator(name, [entry], [result], chosen)
    return RandomModel(name, writer.finish([entry], [result]), frames(rng, (1, in_h, in_w, c)))


WINDOWS = {
    "DEPTHWISE_CONV_2D": depthwise_conv_2d(),
    "MAX_POOL_2D": pool("MAX_POOL_2D"),
    "AVERAGE_POOL_2D": pool("AVERAGE_POOL_2D"),
}
