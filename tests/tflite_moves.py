"""Random files of the operators that only move values: PAD, PADV2, CONCATENATION, STRIDED_SLICE, TRANSPOSE."""

import numpy as np
from hypothesis import strategies as st
from tflite_parts import RandomModel, frames, generators, scales, zero_points
from tflite_writer import TfliteWriter, options

_shapes = st.lists(st.integers(1, 5), min_size=1, max_size=3).map(lambda sizes: (1, *sizes))


def _start(draw):
    """A generator, a writer, a shape, the quantisation of all tensors, and the input's index."""
    writer, shape = TfliteWriter(), draw(_shapes)
    alike = {"scale": draw(scales()), "zero_point": draw(zero_points)}
    return draw(generators), writer, shape, alike, writer.tensor(shape, **alike)


@st.composite
def pad(draw, name):
    """PAD with the zero point, or PADV2 with a value."""
    rng, writer, shape, alike, entry = _start(draw)
    amounts = np.array([[0, 0], *(draw(st.tuples(*[st.integers(0, 3)] * 2)) for _ in shape[1:])], np.int32)
    result = writer.tensor([size + sum(pair) for size, pair in zip(shape, amounts, strict=True)], **alike)
    inputs = [entry, writer.constant(amounts)]
    if name == "PADV2":
        inputs.append(writer.constant(rng.integers(-128, 128, (1,), dtype=np.int8), **alike))
    writer.operator(name, inputs, [result], options("PadOptions" if name == "PAD" else "PadV2Options"))
    return RandomModel(name, writer.finish([entry], [result]), frames(rng, shape))


@st.composite
def concatenation(draw):
    """CONCATENATION of the input, of its maximum with a constant, and of the input again."""
    rng, writer, shape, alike, entry = _start(draw)
    other = writer.tensor(shape, **alike)
    writer.operator("MAXIMUM", [entry, writer.constant(np.int8([3]), **alike)], [other])
    parts = draw(st.lists(st.sampled_from([entry, other]), min_size=1, max_size=4))
    axis = draw(st.integers(1 - len(shape), len(shape) - 1))
    joined = list(shape)
    joined[axis] *= len(parts)
    result = writer.tensor(joined, **alike)
    writer.operator("CONCATENATION", parts, [result], options("ConcatenationOptions", axis=axis))
    return RandomModel("CONCATENATION", writer.finish([entry], [result]), frames(rng, shape))


@st.composite
def strided_slice(draw):
    """STRIDED_SLICE with masks, negative positions and strides; something is always left."""
    rng, writer, shape, alike, entry = _start(draw)
    begins, ends, steps, taken = [], [], [], []
    begin_mask, end_mask, shrink_mask = 0, 0, 0
    for axis, size in enumerate(shape):
        first, last = sorted(draw(st.tuples(*[st.integers(0, size - 1)] * 2)))
        step = draw(st.sampled_from([1, 1, 2, 3, -1, -2]))
        begin, end = (first, last + 1) if step > 0 else (last, first - 1)
        if end < 0:
            end = -size - 1
        elif draw(st.booleans()):
            begin -= size
        if draw(st.booleans()):
            begin_mask |= 1 << axis
        elif draw(st.integers(0, 3)) == 0 and axis:
            shrink_mask |= 1 << axis
        if draw(st.booleans()):
            end_mask |= 1 << axis
        count = len(
            range(size)[None if begin_mask >> axis & 1 else begin : None if end_mask >> axis & 1 else end : step]
        )
        if shrink_mask >> axis & 1:
            step = 1
        else:
            taken.append(count)
        begins.append(begin)
        ends.append(end)
        steps.append(step)
    result = writer.tensor(taken, **alike)
    ranges = [writer.constant(np.array(values, np.int32)) for values in (begins, ends, steps)]
    masks = {"beginMask": begin_mask, "endMask": end_mask, "shrinkAxisMask": shrink_mask}
    writer.operator("STRIDED_SLICE", [entry, *ranges], [result], options("StridedSliceOptions", **masks))
    return RandomModel("STRIDED_SLICE", writer.finish([entry], [result]), frames(rng, shape))


@st.composite
def transpose(draw):
    """TRANSPOSE by any order."""
    rng, writer, shape, alike, entry = _start(draw)
    order = np.array(draw(st.permutations(range(len(shape)))), np.int32)
    result = writer.tensor([shape[axis] for axis in order], **alike)
    writer.operator("TRANSPOSE", [entry, writer.constant(order)], [result], options("TransposeOptions"))
    return RandomModel("TRANSPOSE", writer.finish([entry], [result]), frames(rng, shape))


MOVES = {
    "PAD": pad("PAD"),
    "PADV2": pad("PADV2"),
    "CONCATENATION": concatenation(),
    "STRIDED_SLICE": strided_slice(),
    "TRANSPOSE": transpose(),
}
