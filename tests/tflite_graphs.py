"""Random small graphs with several branches: every layer reads any tensor that there is."""

import math

import numpy as np
from hypothesis import strategies as st
from tflite_parts import RandomModel, activations, add_filter, conv_output, frames, generators, scales, zero_points
from tflite_writer import ACTIVATION, PADDING, TfliteWriter, options

_LARGEST = 2000  # values of a tensor
_JOINS = {"ADD": "AddOptions", "SUB": "SubOptions", "MUL": "MulOptions", "MAXIMUM": None, "MINIMUM": None}


class _Graph:
    """A writer, what draws, and the tensors so far, all 1 x height x width x channels."""

    def __init__(self, draw):
        self.draw, self.rng, self.writer = draw, draw(generators), TfliteWriter()
        shape = (1, draw(st.integers(1, 6)), draw(st.integers(2, 8)), draw(st.integers(1, 5)))
        self.tensors = [self.writer.tensor(shape, scale=draw(scales(1e-2)), zero_point=draw(zero_points))]

    def shape(self, tensor):
        return tuple(self.writer.tensors[tensor].shape)

    def quantisation(self, tensor):
        found = self.writer.tensors[tensor].quantization
        return {"scale": found.scale[0], "zero_point": int(found.zeroPoint[0])}

    def any(self):
        """One of the tensors; mostly the last, so that there is depth."""
        return self.draw(st.sampled_from([*self.tensors, self.tensors[-1]]))

    def like(self, tensor):
        """A tensor that can stand beside it: itself, one of its shape, or a requantised copy."""
        alike = [other for other in self.tensors if self.shape(other) == self.shape(tensor)]
        other = self.draw(st.sampled_from(alike))
        return self.quantised(other, tensor) if self.draw(st.booleans()) else other

    def quantised(self, tensor, model):
        """A copy of a tensor with the scale and zero point of another."""
        return self.add("QUANTIZE", [tensor], self.shape(tensor), self.quantisation(model))

    def near(self, tensor):
        """A quantisation in which the values of a tensor neither vanish nor saturate."""
        scale = np.float32(self.quantisation(tensor)["scale"] * self.draw(scales(0.5, 3)))
        return {"scale": scale, "zero_point": self.draw(zero_points)}

    def add(self, name, inputs, shape, quantisation=None, chosen=None):
        if quantisation is None:
            quantisation = self.near(inputs[0])
        result = self.writer.tensor(shape, **quantisation)
        self.writer.operator(name, inputs, [result], chosen)
        return result

    def activation(self):
        return {"fusedActivationFunction": ACTIVATION[self.draw(activations)]}


def _convolution(graph):
    source, draw = graph.any(), graph.draw
    _, h, w, c = graph.shape(source)
    depthwise, m = draw(st.booleans()), draw(st.integers(1, 6))
    kernel, stride = (draw(st.integers(1, 3)), draw(st.integers(1, 3))), (draw(st.integers(1, 2)),) * 2
    out_h, out_w = (conv_output(size, k, s, 1, "SAME") for size, k, s in zip((h, w), kernel, stride, strict=True))
    weights, m, dimension = ((1, *kernel, c), c, 3) if depthwise else ((m, *kernel, c), m, 0)
    quantisation = {"scale": draw(scales(1e-2)), "zero_point": draw(zero_points)}
    pair = (graph.quantisation(source)["scale"], quantisation["scale"])
    parts = add_filter(draw, graph.writer, graph.rng, weights, pair, dimension=dimension)
    fields = {"padding": PADDING["SAME"], "strideH": stride[0], "strideW": stride[1], **graph.activation()}
    name, kind, more = ("CONV_2D", "Conv2DOptions", {})
    if depthwise:
        name, kind, more = "DEPTHWISE_CONV_2D", "DepthwiseConv2DOptions", {"depthMultiplier": 1}
    inputs = [source, *(part for part in parts if part != -1)]
    return graph.add(name, inputs, (1, out_h, out_w, m), quantisation, options(kind, **fields, **more))


def _pool(graph):
    source = graph.any()
    _, h, w, c = graph.shape(source)
    size = graph.draw(st.integers(1, 3))
    fields = {"padding": PADDING["SAME"], "strideH": size, "strideW": size, "filterHeight": size, "filterWidth": size}
    name = graph.draw(st.sampled_from(["MAX_POOL_2D", "AVERAGE_POOL_2D"]))
    shape = (1, math.ceil(h / size), math.ceil(w / size), c)
    return graph.add(name, [source], shape, graph.quantisation(source), options("Pool2DOptions", **fields))


def _map(graph):
    source = graph.any()
    name = graph.draw(st.sampled_from(["RELU", "RELU6", "QUANTIZE", "LOGISTIC", "TANH"]))
    fixed = {"LOGISTIC": (1 / 256, -128), "TANH": (1 / 128, 0)}.get(name)
    quantisation = None if fixed is None else {"scale": fixed[0], "zero_point": fixed[1]}
    return graph.add(name, [source], graph.shape(source), quantisation)


def _join(graph):
    first = graph.any()
    name = graph.draw(st.sampled_from(list(_JOINS)))
    second = graph.like(first)
    quantisation = None
    if _JOINS[name] is None:
        second, quantisation = graph.quantised(second, first), graph.quantisation(first)
    chosen = None if _JOINS[name] is None else options(_JOINS[name], **graph.activation())
    return graph.add(name, [first, second], graph.shape(first), quantisation, chosen)


def _concatenation(graph):
    first = graph.any()
    parts = [first, *(graph.quantised(graph.like(first), first) for _ in range(graph.draw(st.integers(0, 2))))]
    axis = graph.draw(st.integers(1, 3))
    shape = list(graph.shape(first))
    shape[axis] *= len(parts)
    if math.prod(shape) > _LARGEST:
        return first
    chosen = options("ConcatenationOptions", axis=axis)
    return graph.add("CONCATENATION", parts, shape, graph.quantisation(first), chosen)


def _move(graph):
    source = graph.any()
    shape, quantisation = graph.shape(source), graph.quantisation(source)
    if graph.draw(st.booleans()):
        order = [0, *graph.draw(st.permutations([1, 2, 3]))]
        axes = graph.writer.constant(np.array(order, np.int32))
        return graph.add("TRANSPOSE", [source, axes], [shape[axis] for axis in order], quantisation)
    amounts = np.array([(0, 0), *(graph.draw(st.tuples(*[st.integers(0, 2)] * 2)) for _ in range(3))], np.int32)
    padded = [size + sum(pair) for size, pair in zip(shape, amounts.tolist(), strict=True)]
    return graph.add("PAD", [source, graph.writer.constant(amounts)], padded, quantisation, options("PadOptions"))


_LAYERS = [_convolution, _convolution, _pool, _map, _join, _join, _concatenation, _move]


@st.composite
def branches(draw):
    """Three to ten layers; what is not read by another is computed for nothing, as in files that converters leave."""
    graph = _Graph(draw)
    for layer in draw(st.lists(st.sampled_from(_LAYERS), min_size=3, max_size=10)):
        result = layer(graph)
        if math.prod(graph.shape(result)) <= _LARGEST:
            graph.tensors.append(result)
    last = graph.add("QUANTIZE", [graph.tensors[-1]], graph.shape(graph.tensors[-1]))
    data = graph.writer.finish([graph.tensors[0]], [last])
    return RandomModel("branches", data, frames(graph.rng, graph.shape(graph.tensors[0])))
