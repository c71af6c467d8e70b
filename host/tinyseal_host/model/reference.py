"""Runs a network in numpy with TensorFlow Lite Micro's exact arithmetic; it knows nothing of the compiled program.

Sums of products are taken in float64: every partial sum is an integer below 255 * 128 * 16384 < 2^53, so it is exact
in any order, and far faster than numpy's integer products.
"""

from __future__ import annotations

import numpy as np

from .convolution import Axis
from .layers import Alias, Convolution, Filter, FullyConnected, Layer, Mean
from .network import Network
from .quantisation import Float32, Int8, Int64, quantise
from .softmax import softmax

_CHUNK = 1 << 20
"""Values gathered at a time, so that a large layer does not take the host's memory."""


def run(network: Network, frame: Float32) -> Int8:
    """int8 output values, flat, for one float32 frame of as many values as the network's input has, in any shape."""
    layers, entry, result = network.layers, network.input, network.output
    values = {entry.index: quantise(frame.reshape(-1), float(entry.scales[0]), int(entry.zero_points[0]))}
    last_use = {layer.input.index: layer.number for layer in layers} | {result.index: -1}
    for layer in layers:
        values[layer.output.index] = compute(layer, values[layer.input.index])
        if last_use[layer.input.index] == layer.number:
            del values[layer.input.index]
    return values[result.index]


def compute(layer: Layer, values: Int8) -> Int8:
    """One layer: int8 values of its output, flat, from those of its input, flat."""
    computation = layer.computation
    if isinstance(computation, Alias):
        return values
    if isinstance(computation, FullyConnected):
        return _dense(values.reshape(computation.pixels, -1), computation.filter).reshape(-1)
    if isinstance(computation, Convolution):
        return _convolution(values, computation)
    if isinstance(computation, Mean):
        sums = values.reshape(computation.pixels, computation.channels).sum(axis=0, dtype=np.int64)
        return computation.requantisation.apply(sums - computation.pixels * computation.input_zero_point)
    return softmax(values.reshape(computation.rows, computation.depth), computation.exponentials).reshape(-1)


def _dense(inputs: Int8, rows: Filter) -> Int8:
    """int8 [pixels, m] of int8 [pixels, k]."""
    centred = inputs.astype(np.float64) - rows.input_zero_point
    sums: Int64 = (centred @ rows.weights.T.astype(np.float64)).astype(np.int64)
    return rows.requantisation.apply(sums + rows.bias)


def _convolution(values: Int8, computation: Convolution) -> Int8:
    """int8 [out_h * out_w * m]: the input under the kernel gathered for each pixel, then as a dense layer."""
    rows, window = computation.filter, computation.window
    # One more position stands for all that lie outside: padding counts as the zero point.
    outside = np.full((1, window.channels), rows.input_zero_point, np.int8)
    image = np.concatenate([values.reshape(-1, window.channels), outside])
    down, across = _taps(window.height), _taps(window.width)
    pixels = window.height.out * window.width.out
    chunk = max(1, _CHUNK // rows.weights.shape[1])
    outputs = []
    for start in range(0, pixels, chunk):
        y, x = np.divmod(np.arange(start, min(start + chunk, pixels)), window.width.out)
        lines, columns = down[y][:, :, None], across[x][:, None, :]
        inside = (lines >= 0) & (columns >= 0)
        positions = np.where(inside, lines * window.width.size + columns, len(image) - 1)
        outputs.append(_dense(image[positions].reshape(len(y), -1), rows))
    return np.concatenate(outputs).reshape(-1)


def _taps(axis: Axis) -> Int64:
    """int64 [out, kernel]: the input position under each tap of the kernel, -1 outside the input."""
    first = np.arange(axis.out)[:, None] * axis.stride - axis.before
    positions: Int64 = first + np.arange(axis.kernel)[None, :] * axis.dilation
    return np.where((positions >= 0) & (positions < axis.size), positions, -1)
