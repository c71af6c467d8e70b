"""The layers of a network as plain data: what each one computes, in TensorFlow Lite Micro's numbers."""

from __future__ import annotations

from dataclasses import dataclass, field

from .convolution import Window
from .quantisation import Int8, Int64, Multiplier, Requantisation
from .tflite_reader import Tensor


@dataclass(frozen=True)
class Filter:
    """Weights int8 [m, k], bias int64 [m], the input's zero point, and how accumulators become int8.

    `bound`: the greatest accumulator, bias included, that any int8 input can give, as a magnitude.
    """

    weights: Int8 = field(repr=False)
    bias: Int64 = field(repr=False)
    input_zero_point: int
    requantisation: Requantisation
    bound: int


@dataclass(frozen=True)
class Alias:
    """The same bytes under another shape."""


@dataclass(frozen=True)
class FullyConnected:
    """`pixels` inputs of k values to m outputs each."""

    filter: Filter
    pixels: int


@dataclass(frozen=True)
class Convolution:
    """A 2-D convolution of an NHWC tensor; a row of the weights is kernel_h x kernel_w x c values."""

    filter: Filter
    window: Window


@dataclass(frozen=True)
class Depthwise:
    """A depthwise convolution; output channel i * multiplier + j takes input channel i, k = kernel_h x kernel_w."""

    filter: Filter
    window: Window
    multiplier: int


@dataclass(frozen=True)
class Pool:
    """The maximum or the average of each channel under the window, of what lies in the input, clamped."""

    window: Window
    average: bool
    low: int
    high: int


@dataclass(frozen=True)
class Mean:
    """The mean over `pixels` positions for each of `channels`."""

    pixels: int
    channels: int
    input_zero_point: int
    requantisation: Requantisation


@dataclass(frozen=True)
class Softmax:
    """`rows` rows of `depth` values; the exponential of a value by its distance from the maximum, int64 [256]."""

    rows: int
    depth: int
    exponentials: Int64 = field(repr=False)


@dataclass(frozen=True)
class Map:
    """Each of `length` values by itself: int8 [256], the output for -128 first."""

    length: int
    table: Int8 = field(repr=False)


@dataclass(frozen=True)
class Operands:
    """Two operands a and b for `length` outputs: b has `period` values and repeats; it is the layer's second input, or
    `constant`."""

    length: int
    period: int
    constant: Int8 | None = field(repr=False)


@dataclass(frozen=True)
class Scaled:
    """How an addend becomes a 32-bit number: zero point, left shift, one multiplier of at most 1/2."""

    zero_point: int
    multiplier: Multiplier


@dataclass(frozen=True)
class Addition:
    """a + b, or a - b."""

    operands: Operands
    a: Scaled
    b: Scaled
    subtract: bool
    requantisation: Requantisation


@dataclass(frozen=True)
class Multiplication:
    """a * b, with the zero points of both."""

    operands: Operands
    a_zero_point: int
    b_zero_point: int
    requantisation: Requantisation


@dataclass(frozen=True)
class Extremum:
    """The greater or the lesser of a and b, as int8."""

    operands: Operands
    greatest: bool


@dataclass(frozen=True)
class Copy:
    """Runs of `size` values from input number `source` to the output, by loops of `counts` turns, outermost first."""

    source: int
    in_offset: int
    out_offset: int
    size: int
    counts: tuple[int, ...]
    in_strides: tuple[int, ...]
    out_strides: tuple[int, ...]


@dataclass(frozen=True)
class Rearrangement:
    """The output of `length` values filled with `fill`, if it is not None, and then copied into."""

    length: int
    fill: int | None
    copies: tuple[Copy, ...]


Elementwise = Addition | Multiplication | Extremum
Weighted = FullyConnected | Convolution | Depthwise
Computation = Alias | Weighted | Pool | Mean | Softmax | Map | Elementwise | Rearrangement


@dataclass(frozen=True)
class Layer:
    """One operator as it is computed, with the activations that it reads and the one it writes."""

    number: int
    operator: str
    inputs: tuple[Tensor, ...]
    output: Tensor
    computation: Computation
