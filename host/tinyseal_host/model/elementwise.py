"""Reads the operators that take two operands value by value: ADD, SUB, MUL, MINIMUM, MAXIMUM."""

from __future__ import annotations

from typing import cast

import numpy as np

from .layer_reader import LayerReader, quantisation, quantisation_problems
from .layers import Addition, Computation, Extremum, Multiplication, Operands, Scaled
from .quantisation import Int8, Requantisation, activation_range, quantize_multiplier
from .tflite_reader import Tensor, shape_text

ADD_LEFT_SHIFT = 20
"""Bits that TFLM shifts an addend left before it is multiplied."""
_MAX_PRODUCT = 255 * 255


def add(layer: LayerReader) -> Computation | None:
    """ADD."""
    return _addition(layer, subtract=False)


def sub(layer: LayerReader) -> Computation | None:
    """SUB, whose operands cannot be exchanged."""
    return _addition(layer, subtract=True)


def mul(layer: LayerReader) -> Computation | None:
    """MUL."""
    found = _operands(layer, exchange=True)
    activation = layer.activation()
    if found is None or activation is None:
        return None
    operands, (a_scale, a_zero_point), (b_scale, b_zero_point) = found
    out_scale, zero_point = quantisation(layer.output)
    multiplier = quantize_multiplier(np.array([a_scale * b_scale / out_scale]))
    layer.check_bound(np.array([_MAX_PRODUCT]), multiplier)
    limits = activation_range(activation, out_scale, zero_point)
    requantisation = Requantisation(multiplier, zero_point, *limits)
    return Multiplication(operands, a_zero_point, b_zero_point, requantisation)


def minimum(layer: LayerReader) -> Computation | None:
    """MINIMUM, of the bytes as they are."""
    found = _operands(layer, exchange=True)
    return None if found is None else Extremum(found[0], greatest=False)


def maximum(layer: LayerReader) -> Computation | None:
    """MAXIMUM, of the bytes as they are."""
    found = _operands(layer, exchange=True)
    return None if found is None else Extremum(found[0], greatest=True)


def _addition(layer: LayerReader, *, subtract: bool) -> Computation | None:
    found = _operands(layer, exchange=not subtract)
    activation = layer.activation()
    if found is None or activation is None:
        return None
    operands, (a_scale, a_zero_point), (b_scale, b_zero_point) = found
    out_scale, zero_point = quantisation(layer.output)
    twice = 2 * max(a_scale, b_scale)
    a, b, out = (
        quantize_multiplier(np.array([factor]))
        for factor in (a_scale / twice, b_scale / twice, twice / (out_scale * (1 << ADD_LEFT_SHIFT)))
    )
    if out.shift[0] > 0:
        layer.refuse(f"output has scale {out_scale}, wanted more than {twice / (1 << ADD_LEFT_SHIFT)}")
        return None
    limits = activation_range(activation, out_scale, zero_point)
    requantisation = Requantisation(out, zero_point, *limits)
    return Addition(operands, Scaled(a_zero_point, a), Scaled(b_zero_point, b), subtract, requantisation)


_Quantisation = tuple[float, int]


def _operands(layer: LayerReader, *, exchange: bool) -> tuple[Operands, _Quantisation, _Quantisation] | None:
    """The Operands with the scale and zero point of a and of b; with `exchange` the larger one may be the second."""
    positions = [0, 1]
    first_is_a = _is_activation(layer.tensor(0)) and layer.tensor(0).shape == layer.output.shape
    if exchange and not first_is_a:
        positions.reverse()
    a, b = (layer.tensor(position) for position in positions)
    layer.check_activations(position for position in positions if position == positions[0] or _is_activation(b))
    if not _is_activation(b):
        layer.problems += [f"constant {text}" for text in quantisation_problems(b)]
    period = _period(b.shape, layer.output.shape)
    if a.shape != layer.output.shape or period is None:
        shapes = f"{shape_text(layer.output.shape)} from {shape_text(a.shape)} and {shape_text(b.shape)}"
        layer.refuse(f"computes {shapes}, wanted one of the output's shape and one that repeats in it")
    if layer.problems or period is None:
        return None
    constant = None if b.data is None else cast(Int8, b.data).reshape(-1)
    return Operands(layer.output.size, period, constant), quantisation(a), quantisation(b)


def _is_activation(tensor: Tensor) -> bool:
    return tensor.data is None


def _period(shape: tuple[int, ...], whole: tuple[int, ...]) -> int | None:
    """How many values repeat when `shape` is broadcast to `whole`; None when they do not simply repeat."""
    sizes = list(shape)
    while sizes and sizes[0] == 1:
        del sizes[0]
    matches = len(sizes) <= len(whole) and tuple(sizes) == whole[len(whole) - len(sizes) :]
    return int(np.prod(sizes, dtype=np.int64)) if matches else None
