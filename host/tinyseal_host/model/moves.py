"""Reads the operators that only move values, PAD, CONCATENATION, STRIDED_SLICE, TRANSPOSE, or only name a shape."""

from __future__ import annotations

import math
from typing import cast

from .layer_reader import LayerReader, quantisation
from .layers import Alias, Computation, Copy, Rearrangement
from .tflite_reader import shape_text

MAX_LOOPS = 4
_MAX_SIZE = 1 << 24  # FORMAT.md: sizes, turns and strides of COPY


def alias(layer: LayerReader) -> Computation | None:
    """RESHAPE, EXPAND_DIMS and SQUEEZE, to the shape that their output has in the file, as TFLM does."""
    if layer.input.size != layer.output.size:
        sizes = f"{shape_text(layer.output.shape)} from {shape_text(layer.input.shape)}"
        layer.refuse(f"makes {sizes}, wanted as many values")
    return Alias()


def pad(layer: LayerReader) -> Computation | None:
    """PAD and PADV2: the output full of one value, then the input copied into it."""
    shape = layer.input.shape
    amounts = layer.integers(1, "paddings")
    if amounts is None:
        return None
    before, after = amounts[::2], amounts[1::2]
    expected = tuple(size + b + a for size, b, a in zip(shape, before, after, strict=False))
    if len(amounts) != 2 * len(shape) or min(amounts, default=0) < 0 or layer.output.shape != expected:
        layer.refuse(f"pads {shape_text(shape)} by {amounts} to {shape_text(layer.output.shape)}")
        return None
    _check_same_quantisation(layer)
    fill = quantisation(layer.output)[1]
    if layer.input_count == 3:
        value = layer.constant(2, "padding values", "INT8")
        if value is None or value.data is None or value.size != 1:
            layer.refuse("has no padding value, wanted one")
            return None
        fill = int(cast(int, value.data.flat[0]))
    strides = _strides(expected)
    offset = sum(b * stride for b, stride in zip(before, strides, strict=True))
    return _rearrangement(layer, fill, [(0, 0, offset, shape, _strides(shape), strides)])


def concatenation(layer: LayerReader) -> Computation | None:
    """CONCATENATION along any axis, of inputs that are quantised alike."""
    shape = layer.output.shape
    axis = layer.option("axis")
    if not -len(shape) <= axis < len(shape):
        layer.refuse(f"axis {axis} does not lie in {shape_text(shape)}")
        return None
    axis %= len(shape)
    if layer.activation() not in (None, "NONE"):
        layer.refuse("has an activation, wanted NONE")
    _check_same_quantisation(layer)
    strides, at, copies = _strides(shape), 0, []
    for number, tensor in enumerate(layer.activations):
        if len(tensor.shape) != len(shape) or tensor.shape[:axis] + tensor.shape[axis + 1 :] != (
            shape[:axis] + shape[axis + 1 :]
        ):
            layer.refuse(f"joins {shape_text(tensor.shape)} into {shape_text(shape)} along axis {axis}")
            return None
        copies.append((number, 0, at * strides[axis], tensor.shape, _strides(tensor.shape), strides))
        at += tensor.shape[axis]
    if at != shape[axis]:
        layer.refuse(f"joins {at} along axis {axis} into {shape_text(shape)}")
        return None
    return _rearrangement(layer, None, copies)


def transpose(layer: LayerReader) -> Computation | None:
    """TRANSPOSE."""
    order, shape = layer.integers(1, "axes"), layer.input.shape
    if order is None:
        return None
    axes = [axis + len(shape) if axis < 0 else axis for axis in order]
    if sorted(axes) != list(range(len(shape))) or layer.output.shape != tuple(shape[axis] for axis in axes):
        layer.refuse(f"transposes {shape_text(shape)} by {order} to {shape_text(layer.output.shape)}")
        return None
    strides = _strides(shape)
    in_strides = tuple(strides[axis] for axis in axes)
    return _rearrangement(layer, None, [(0, 0, 0, layer.output.shape, in_strides, _strides(layer.output.shape))])


def strided_slice(layer: LayerReader) -> Computation | None:
    """STRIDED_SLICE without new axes and without an ellipsis."""
    shape = layer.input.shape
    lists = [layer.integers(1, "begins"), layer.integers(2, "ends"), layer.integers(3, "strides")]
    begins, ends, steps = (values or [] for values in lists)
    wanted = len(shape)
    if layer.problems or any(layer.option(name) for name in ("ellipsis_mask", "new_axis_mask", "offset")):
        layer.refuse("has an ellipsis, new axes or offsets, wanted constant ranges alone")
        return None
    if not len(begins) == len(ends) == len(steps) == wanted or 0 in steps:
        layer.refuse(f"has {len(begins)} ranges for {shape_text(shape)}, wanted {wanted} with a stride")
        return None
    offset, counts, in_strides = 0, [], []
    for axis, stride in enumerate(_strides(shape)):
        begin, end, step = begins[axis], ends[axis], steps[axis]
        if layer.option("shrink_axis_mask") >> axis & 1:
            first = begin + shape[axis] if begin < 0 else begin
            positions = range(first, first + 1)
        else:
            open_begin, open_end = (layer.option(f"{name}_mask") >> axis & 1 for name in ("begin", "end"))
            ends_at = slice(None if open_begin else begin, None if open_end else end, step)
            positions = range(*ends_at.indices(shape[axis]))
        if not positions or not 0 <= positions[0] < shape[axis]:
            layer.refuse(f"takes nothing of axis {axis} of {shape_text(shape)}")
            return None
        offset += positions[0] * stride
        counts.append(len(positions))
        in_strides.append(positions.step * stride)
    if math.prod(counts) != layer.output.size:
        layer.refuse(f"takes {counts} into {shape_text(layer.output.shape)}")
        return None
    taken = tuple(counts)
    return _rearrangement(layer, None, [(0, offset, 0, taken, tuple(in_strides), _strides(taken))])


def _check_same_quantisation(layer: LayerReader) -> None:
    for tensor in layer.activations:
        if quantisation(tensor) != quantisation(layer.output):
            given, wanted = quantisation(tensor), quantisation(layer.output)
            layer.refuse(f"input has scale and zero point {given}, wanted the output's {wanted}")


def _strides(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(math.prod(shape[axis + 1 :]) for axis in range(len(shape)))


_Block = tuple[int, int, int, tuple[int, ...], tuple[int, ...], tuple[int, ...]]


def _rearrangement(layer: LayerReader, fill: int | None, blocks: list[_Block]) -> Rearrangement | None:
    """From blocks: input number, offsets in it and in the output, shape, strides in both."""
    copies = tuple(_copy(*block) for block in blocks)
    for copy in copies:
        if len(copy.counts) > MAX_LOOPS:
            layer.refuse(f"needs {len(copy.counts)} nested loops, wanted at most {MAX_LOOPS}")
        if max(copy.size, *copy.counts, *map(abs, copy.in_strides), *map(abs, copy.out_strides), 0) >= _MAX_SIZE:
            layer.refuse(f"moves too much, wanted sizes below {_MAX_SIZE}")
    return Rearrangement(layer.output.size, fill, copies)


def _copy(
    source: int,
    in_offset: int,
    out_offset: int,
    shape: tuple[int, ...],
    in_strides: tuple[int, ...],
    out_strides: tuple[int, ...],
) -> Copy:
    """The Copy of a block with as few loops as its strides allow: axes that follow each other in both are one."""
    loops: list[tuple[int, int, int]] = []  # turns and strides, the innermost first
    size = 1
    for count, in_stride, out_stride in reversed(list(zip(shape, in_strides, out_strides, strict=True))):
        if count == 1:
            continue
        if not loops and in_stride == out_stride == size:
            size *= count
        elif loops and (in_stride, out_stride) == (loops[-1][0] * loops[-1][1], loops[-1][0] * loops[-1][2]):
            loops[-1] = (loops[-1][0] * count, *loops[-1][1:])
        else:
            loops.append((count, in_stride, out_stride))
    counts, ins, outs = ([loop[part] for loop in reversed(loops)] for part in range(3))
    return Copy(source, in_offset, out_offset, size, tuple(counts), tuple(ins), tuple(outs))
