"""Reads the operators that take two operands value by value: ADD, SUB, MUL, MINIMUM, MAXIMUM."""

from __future__ import annotations

from typing import cast

import numpy as np

from .layer_reader import LayerReader, quantisation, quantisation_problems
from .layers import Addition, Computation, Extremum, Map, Multiplication, Operands, Scaled
from .quantisation import (
    INT8_MAX,
    INT8_MIN,
    Int8,
    Int64,
    Requantisation,
    activation_range,
    quantize_multiplier,
)
from .tflite_reader import Tensor, shape_text

ADD_LEFT_SHIFT = 20
"""Bits that TFLM shifts an addend left before it is multiplied."""
_MAX_PRODUCT = 255 * 255
_Quantisation = tuple[float, int]


def add(layer: LayerReader) -> Computation | None:
    """ADD."""
    return _addition(layer, subtract=False)


def sub(layer: LayerReader) -> Computation | None:
    """SUB, whose operands cannot be exchanged; from one constant value it is a map."""
    if not _is_activation(layer.tensor(0)) and layer.tensor(0).size == 1:
        return _difference_from_constant(layer)
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


def scaled(values: Int64, addend: Scaled) -> Int64:
    """int8 values of an addend, in int64, as the numbers that are added."""
    return addend.multiplier.apply((values - addend.zero_point) << ADD_LEFT_SHIFT)


def _difference_from_constant(layer: LayerReader) -> Computation | None:
    constant, values = layer.tensor(0), layer.tensor(1)
    layer.check_activations([1])
    layer.problems += [f"constant {text}" for text in quantisation_problems(constant)]
    if values.shape != layer.output.shape:
        layer.refuse(f"computes {shape_text(layer.output.shape)} from one value and {shape_text(values.shape)}")
    if layer.problems or constant.data is None:
        return None
    found = _scales(layer, quantisation(constant), quantisation(values))
    if found is None:
        return None
    a, b, requantisation = found
    whole = np.arange(INT8_MIN, INT8_MAX + 1, dtype=np.int64)
    differences = scaled(constant.data.reshape(-1).astype(np.int64), a) - scaled(whole, b)
    return Map(layer.output.size, requantisation.apply(differences))


def _addition(layer: LayerReader, *, subtract: bool) -> Computation | None:
    found = _operands(layer, exchange=not subtract)
    if found is None:
        return None
    scales = _scales(layer, *found[1:])
    return None if scales is None else Addition(found[0], scales[0], scales[1], subtract, scales[2])


def _scales(
    layer: LayerReader, a_quantisation: _Quantisation, b_quantisation: _Quantisation
) -> tuple[Scaled, Scaled, Requantisation] | None:
    """How both addends and their sum are scaled; None after a refusal."""
    (a_scale, a_zero_point), (b_scale, b_zero_point) = a_quantisation, b_quantisation
    activation = layer.activation()
    if activation is None:
        return None
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
    return Scaled(a_zero_point, a), Scaled(b_zero_point, b), Requantisation(out, zero_point, *limits)


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
    constant = b.data
    period = _period(b.shape, layer.output.shape)
    if period is None and constant is not None and _broadcasts(b.shape, layer.output.shape):
        constant, period = np.broadcast_to(constant, layer.output.shape), layer.output.size
    if a.shape != layer.output.shape or period is None:
        shapes = f"{shape_text(layer.output.shape)} from {shape_text(a.shape)} and {shape_text(b.shape)}"
        layer.refuse(f"computes {shapes}, wanted one of the output's shape and one that repeats in it")
    if layer.problems or period is None:
        return None
    flat = None if constant is None else cast(Int8, constant).reshape(-1)
    return Operands(layer.output.size, period, flat), quantisation(a), quantisation(b)


def _is_activation(tensor: Tensor) -> bool:
    return tensor.data is None


def _broadcasts(shape: tuple[int, ...], whole: tuple[int, ...]) -> bool:
    """Whether each size is the whole's or 1, counted from the last axis."""
    return len(shape) <= len(whole) and all(
        size in (1, wanted) for size, wanted in zip(reversed(shape), reversed(whole), strict=False)
    )


def _period(shape: tuple[int, ...], whole: tuple[int, ...]) -> int | None:
    """How many values repeat when `shape` is broadcast to `whole`; None when they do not simply repeat."""
    sizes = list(shape)
    while sizes and sizes[0] == 1:
        del sizes[0]
    matches = len(sizes) <= len(whole) and tuple(sizes) == whole[len(whole) - len(sizes) :]
    return int(np.prod(sizes, dtype=np.int64)) if matches else None
