"""Random files at the edges of int8 arithmetic: multipliers of 2^30 and 2^31 - 1, the longest shifts, sums at ties."""

import numpy as np
from hypothesis import strategies as st
from tflite_parts import RandomModel, activations, generators
from tflite_writer import ACTIVATION, PADDING, TfliteWriter, options

_ROOM = (1 << 29) - 1  # |accumulator * 2^left| at most
_PAIRS = 1 << 15  # scales tried, of which one in some hundred has the multiplier that is wanted
_EVERY = np.arange(-128, 128, dtype=np.int8)
_ends = st.sampled_from([-128, -127, -1, 0, 1, 126, 127])


def scales_for(rng, kind):
    """Scales of input, weights and output, float32, whose multiplier is the `kind`, with exponent 0.

    "half": 2^30; "top": 2^31 - 1; "carry": 2^31, which is halved, and the exponent is 1; "any": any.
    """
    if kind == "half":
        in_scale, out_scale = (np.float32(2.0**exponent) for exponent in rng.integers(-9, 3, 2))
        return in_scale, np.float32(float(out_scale) / float(in_scale) / 2), out_scale
    in_scales, out_scales = rng.uniform(0.01, 0.5, (2, _PAIRS)).astype(np.float32)
    near = (1 - 2.0**-25) * out_scales.astype(np.float64) / in_scales
    factor = near if kind != "any" else near * rng.uniform(0.5, 1, _PAIRS)
    weight_scales = factor.astype(np.float32)
    products = in_scales.astype(np.float64) * weight_scales / out_scales
    fractions, exponents = np.frexp(products)
    q31 = np.floor(fractions * 2.0**31 + 0.5)
    wanted = {"top": q31 == 2**31 - 1, "carry": (q31 == 2**31) & (exponents == 0), "any": exponents == 0}[kind]
    found = int(np.flatnonzero(wanted & (exponents == 0))[0])
    return in_scales[found], weight_scales[found], out_scales[found]


@st.composite
def multipliers(draw, name):
    """One layer whose outputs have every exponent from 28 down to where nothing is left, and sums one beside ties.

    An accumulator is a bias, and where there is room the input's distance from its zero point, which may be 255.
    """
    rng, writer = draw(generators), TfliteWriter()
    in_scale, weight_scale, out_scale = scales_for(rng, draw(st.sampled_from(["half", "top", "carry", "any"])))
    in_zero_point, zero_point = draw(_ends), draw(_ends)
    exponents = np.arange(27, -35, -1)
    rng.shuffle(exponents)
    factors = float(in_scale) * float(weight_scale) / float(out_scale) * 2.0**exponents
    room = _ROOM >> np.maximum(exponents + 1, 0)
    ties = np.round((rng.integers(-140, 140, len(exponents)) - zero_point * draw(st.booleans()) + 0.5) / factors)
    bias = np.clip(ties + rng.integers(-1, 2, len(exponents)), -room, room)
    weights = np.where(room > 1 << 12, rng.choice([-1, 1], len(exponents)), 0).astype(np.int8)
    bias = (bias - np.sign(bias) * np.minimum(np.abs(bias), 255 * (weights != 0))).astype(np.int32)
    m = len(exponents)
    scales = (weight_scale * 2.0**exponents).astype(np.float32)
    bias_scales = (np.float32(in_scale) * scales).astype(np.float32)
    activation = {"fusedActivationFunction": ACTIVATION[draw(activations)]}
    if name == "FULLY_CONNECTED":
        shape, result_shape, weights_shape, dimension = (1, 1), (1, m), (m, 1), 0
        chosen = options("FullyConnectedOptions", **activation)
    else:
        depthwise = name == "DEPTHWISE_CONV_2D"
        shape, result_shape = (1, 1, 1, 1), (1, 1, 1, m)
        weights_shape, dimension = ((1, 1, 1, m), 3) if depthwise else ((m, 1, 1, 1), 0)
        kind = "DepthwiseConv2DOptions" if depthwise else "Conv2DOptions"
        more = {"depthMultiplier": m} if depthwise else {}
        chosen = options(kind, padding=PADDING["VALID"], strideH=1, strideW=1, **activation, **more)
    entry = writer.tensor(shape, scale=in_scale, zero_point=in_zero_point)
    result = writer.tensor(result_shape, scale=out_scale, zero_point=zero_point)
    constants = [
        writer.constant(weights.reshape(weights_shape), scale=scales, dimension=dimension),
        writer.constant(bias, scale=bias_scales),
    ]
    writer.operator(name, [entry, *constants], [result], chosen)
    values = np.concatenate([[-128, 127, in_zero_point], rng.integers(-128, 128, 9)]).astype(np.int8)
    return RandomModel(f"{name} multipliers", writer.finish([entry], [result]), values.reshape(-1, *shape))


def _power(draw, least, most):
    return np.float32(2.0 ** draw(st.integers(least, most)))


@st.composite
def pairs(draw, name):
    """ADD, SUB or MUL with powers of two for scales, where half of all sums are ties: each value beside many others."""
    rng, writer = draw(generators), TfliteWriter()
    a_scale = _power(draw, -8, 0)
    b_scale = np.float32(a_scale * _power(draw, -22, 22))
    if name == "MUL":
        out_scale = np.float32(a_scale * b_scale * _power(draw, -12, 34))
    else:
        out_scale = np.float32(max(a_scale, b_scale) * _power(draw, -18, 12))
    shape = (1, 16, 16)
    entry = writer.tensor(shape, scale=a_scale, zero_point=draw(_ends))
    constant = rng.permutation(_EVERY).reshape(shape)
    second = writer.constant(constant, scale=b_scale, zero_point=draw(_ends))
    result = writer.tensor(shape, scale=out_scale, zero_point=draw(_ends))
    kind = {"ADD": "AddOptions", "SUB": "SubOptions", "MUL": "MulOptions"}[name]
    writer.operator(name, [entry, second], [result], options(kind))
    values = np.array([rng.permutation(_EVERY) for _ in range(6)] + [np.full(256, -128), np.full(256, 127)], np.int8)
    return RandomModel(f"{name} ties", writer.finish([entry], [result]), values.reshape(-1, *shape))


@st.composite
def maps(draw, name):
    """QUANTIZE, RELU, RELU6 or LEAKY_RELU with powers of two for scales, as far apart as may be, for all values."""
    writer = TfliteWriter()
    in_scale = _power(draw, -10, 4)
    out_scale = np.float32(in_scale * _power(draw, -21, 34))
    entry = writer.tensor((1, 256), scale=in_scale, zero_point=draw(_ends))
    result = writer.tensor((1, 256), scale=out_scale, zero_point=draw(_ends))
    chosen = None
    if name == "LEAKY_RELU":
        chosen = options("LeakyReluOptions", alpha=draw(st.sampled_from([0.0, 0.5, 2.0**-20, 1.0])))
    writer.operator(name, [entry], [result], chosen)
    return RandomModel(f"{name} ties", writer.finish([entry], [result]), _EVERY.reshape(1, 1, 256))


@st.composite
def means(draw):
    """MEAN with powers of two for scales and for the count, where half of all means are ties."""
    rng, writer = draw(generators), TfliteWriter()
    count, c = 2 ** draw(st.integers(0, 8)), 8
    in_scale = _power(draw, -8, 0)
    entry = writer.tensor((1, count, 1, c), scale=in_scale, zero_point=draw(_ends))
    result = writer.tensor((1, c), scale=np.float32(in_scale * _power(draw, -3, 31)), zero_point=draw(_ends))
    writer.operator("MEAN", [entry, writer.constant(np.array([1, 2], np.int32))], [result], options("ReducerOptions"))
    values = rng.integers(-128, 128, (6, 1, count, 1, c), dtype=np.int8)
    ends = [np.full(values.shape[1:], value, np.int8) for value in (-128, 127)]
    return RandomModel("MEAN ties", writer.finish([entry], [result]), np.concatenate([values, ends]))


BOUNDARIES = {
    **{name: multipliers(name) for name in ("FULLY_CONNECTED", "CONV_2D", "DEPTHWISE_CONV_2D")},
    **{name: pairs(name) for name in ("ADD", "SUB", "MUL")},
    **{name: maps(name) for name in ("QUANTIZE", "RELU", "RELU6", "LEAKY_RELU")},
    "MEAN": means(),
}
