"""Runs a network in numpy with TensorFlow Lite Micro's exact arithmetic; it knows nothing of the compiled program.

Sums of products are taken in float64: every partial sum is an integer below 255 * 128 * 16384 < 2^53, so it is exact
in any order, and far faster than numpy's integer products.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from .convolution import Axis, Window
from .elementwise import scaled
from .layers import (
    Addition,
    Alias,
    Convolution,
    Depthwise,
    Elementwise,
    Filter,
    FullyConnected,
    Layer,
    Map,
    Mean,
    Multiplication,
    Pool,
    Rearrangement,
    Softmax,
)
from .network import Network
from .quantisation import INT8_MIN, Float32, Int8, Int64, quantise
from .softmax import softmax

_CHUNK = 1 << 20
"""Values gathered at a time, so that a large layer does not take the host's memory."""


def run(network: Network, frame: Float32) -> Int8:
    """int8 output values, flat, for one float32 frame of as many values as the network's input has, in any shape."""
    layers, entry, result = network.layers, network.input, network.output
    values = {entry.index: quantise(frame.reshape(-1), float(entry.scales[0]), int(entry.zero_points[0]))}
    last_use = {tensor.index: layer.number for layer in layers for tensor in layer.inputs} | {result.index: -1}
    for layer in layers:
        values[layer.output.index] = compute(layer, [values[tensor.index] for tensor in layer.inputs])
        for index in {tensor.index for tensor in layer.inputs}:
            if last_use[index] == layer.number:
                del values[index]
    return values[result.index]


def compute(layer: Layer, inputs: Sequence[Int8]) -> Int8:
    """One layer: int8 values of its output, flat, from those of its inputs, flat."""
    values = inputs[0]
    match layer.computation:
        case FullyConnected(rows, pixels):
            output = _dense(values.reshape(pixels, -1), rows)
        case Convolution() as convolution:
            output = _convolution(values, convolution)
        case Depthwise() as depthwise:
            output = _depthwise(values, depthwise)
        case Pool() as pool:
            output = _pool(values, pool)
        case Mean(pixels, channels, zero_point, requantisation):
            sums = values.reshape(pixels, channels).sum(axis=0, dtype=np.int64)
            output = requantisation.apply(sums - pixels * zero_point)
        case Softmax(rows, depth, exponentials):
            output = softmax(values.reshape(rows, depth), exponentials)
        case Map(_, table):
            output = table[values.astype(np.int64) - INT8_MIN]
        case Rearrangement() as rearrangement:
            output = _rearranged(inputs, rearrangement)
        case Alias():
            output = values
        case pair:
            output = _elementwise(inputs, pair)
    return output.reshape(-1)


def _dense(inputs: Int8, rows: Filter) -> Int8:
    """int8 [pixels, m] of int8 [pixels, k]."""
    centred = inputs.astype(np.float64) - rows.input_zero_point
    sums: Int64 = (centred @ rows.weights.T.astype(np.float64)).astype(np.int64)
    return rows.requantisation.apply(sums + rows.bias)


def _convolution(values: Int8, computation: Convolution) -> Int8:
    """int8 [out_h * out_w * m]: the input under the kernel gathered for each pixel, then as a dense layer."""
    rows, window = computation.filter, computation.window
    # Padding counts as the zero point.
    gathered = _gather(values, window, rows.input_zero_point, rows.weights.shape[1])
    return np.concatenate([_dense(taps.reshape(len(taps), -1), rows) for taps in gathered]).reshape(-1)


def _depthwise(values: Int8, computation: Depthwise) -> Int8:
    """int8 [out_h * out_w * m]: for each channel its products with its own weights."""
    rows, window = computation.filter, computation.window
    weights = rows.weights.reshape(window.channels, computation.multiplier, -1).astype(np.int64)
    outputs = []
    for taps in _gather(values, window, rows.input_zero_point, rows.weights.size):
        sums = np.einsum("pkc,cjk->pcj", taps.astype(np.int64) - rows.input_zero_point, weights)
        outputs.append(rows.requantisation.apply(sums.reshape(len(taps), -1) + rows.bias))
    return np.concatenate(outputs).reshape(-1)


def _pool(values: Int8, computation: Pool) -> Int8:
    """int8 [out_h * out_w * c] over the cells inside the input."""
    window = computation.window
    outputs = []
    cells = window.height.kernel * window.width.kernel * window.channels
    inside = np.ones(len(values), np.int8)
    for taps, valid in zip(_gather(values, window, 0, cells), _gather(inside, window, 0, cells), strict=True):
        if computation.average:
            count, total = valid.sum(axis=1, dtype=np.int64), taps.sum(axis=1, dtype=np.int64)
            pooled = np.sign(total) * ((np.abs(total) + count // 2) // count)
        else:
            pooled = np.where(valid == 1, taps, INT8_MIN).max(axis=1)
        outputs.append(np.clip(pooled, computation.low, computation.high).astype(np.int8))
    return np.concatenate(outputs).reshape(-1)


def _gather(values: Int8, window: Window, outside: int, size: int) -> Iterator[Int8]:
    """int8 [pixels, kernel_h * kernel_w, c] for some pixels at a time, which take about `size` values each."""
    # One more position stands for all that lie outside.
    image = np.concatenate([values.reshape(-1, window.channels), np.full((1, window.channels), outside, np.int8)])
    down, across = _taps(window.height), _taps(window.width)
    pixels = window.height.out * window.width.out
    chunk = max(1, _CHUNK // size)
    for start in range(0, pixels, chunk):
        y, x = np.divmod(np.arange(start, min(start + chunk, pixels)), window.width.out)
        lines, columns = down[y][:, :, None], across[x][:, None, :]
        inside = (lines >= 0) & (columns >= 0)
        positions = np.where(inside, lines * window.width.size + columns, len(image) - 1)
        yield image[positions.reshape(len(y), -1)]


def _elementwise(inputs: Sequence[Int8], computation: Elementwise) -> Int8:
    """int8 [length] of two operands."""
    operands = computation.operands
    second = inputs[1] if operands.constant is None else operands.constant
    a, b = inputs[0].astype(np.int64), np.resize(second, operands.length).astype(np.int64)
    if isinstance(computation, Addition):
        a, b = scaled(a, computation.a), scaled(b, computation.b)
        return computation.requantisation.apply(a - b if computation.subtract else a + b)
    if isinstance(computation, Multiplication):
        return computation.requantisation.apply((a - computation.a_zero_point) * (b - computation.b_zero_point))
    return (np.maximum(a, b) if computation.greatest else np.minimum(a, b)).astype(np.int8)


def _rearranged(inputs: Sequence[Int8], computation: Rearrangement) -> Int8:
    """int8 [length]; every value is copied by itself."""
    output = np.full(computation.length, computation.fill or 0, np.int8)
    for copy in computation.copies:
        places = [copy.in_offset + np.arange(copy.size), copy.out_offset + np.arange(copy.size)]
        for count, *strides in zip(
            reversed(copy.counts), reversed(copy.in_strides), reversed(copy.out_strides), strict=True
        ):
            turns = np.arange(count)[:, None]
            places = [(turns * stride + at).reshape(-1) for at, stride in zip(places, strides, strict=True)]
        output[places[1]] = inputs[copy.source][places[0]]
    return output


def _taps(axis: Axis) -> Int64:
    """int64 [out, kernel]: the input position under each tap of the kernel, -1 outside the input."""
    first = np.arange(axis.out)[:, None] * axis.stride - axis.before
    positions: Int64 = first + np.arange(axis.kernel)[None, :] * axis.dilation
    return np.where((positions >= 0) & (positions < axis.size), positions, -1)
