"""Runs a network in numpy with TensorFlow Lite Micro's exact arithmetic; it knows nothing of the compiled program.

Sums of products are taken in float64: every partial sum is an integer below 255 * 128 * 16384 < 2^53, so it is exact
in any order, and far faster than numpy's integer products.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .layers import Alias, Convolution, Filter, FullyConnected, Layer, Mean
from .network import Network
from .quantisation import Float32, Int8, Int64, quantise
from .softmax import softmax

_Float64 = npt.NDArray[np.float64]


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
    """int8 [out_h * out_w * m]: for each kernel position the pixels under it times its weights, all added up."""
    rows, window = computation.filter, computation.window
    height, width, channels = window.height, window.width, window.channels
    # Padding stands for the zero point: 0 once that is taken off.
    after_h = max((height.out - 1) * height.stride + height.reach - height.before - height.size, 0)
    after_w = max((width.out - 1) * width.stride + width.reach - width.before - width.size, 0)
    centred = values.reshape(height.size, width.size, channels).astype(np.float64) - rows.input_zero_point
    padded: _Float64 = np.pad(centred, ((height.before, after_h), (width.before, after_w), (0, 0)))
    kernels = rows.weights.astype(np.float64).reshape(-1, height.kernel, width.kernel, channels)
    sums = np.zeros((height.out, width.out, len(kernels)))
    for ky in range(height.kernel):
        top = ky * height.dilation
        lines = padded[top : top + (height.out - 1) * height.stride + 1 : height.stride]
        for kx in range(width.kernel):
            left = kx * width.dilation
            pixels = lines[:, left : left + (width.out - 1) * width.stride + 1 : width.stride]
            sums += pixels @ kernels[:, ky, kx].T
    return rows.requantisation.apply(sums.astype(np.int64) + rows.bias).reshape(-1)
