"""The layers of a network as plain data: what each one computes, in TensorFlow Lite Micro's numbers."""

from __future__ import annotations

from dataclasses import dataclass, field

from .convolution import Window
from .quantisation import Int8, Int64, Requantisation
from .tflite_reader import Tensor


@dataclass(frozen=True)
class Filter:
    """Weights int8 [m, k], bias int64 [m], the input's zero point, and how accumulators become int8."""

    weights: Int8 = field(repr=False)
    bias: Int64 = field(repr=False)
    input_zero_point: int
    requantisation: Requantisation


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


Computation = Alias | FullyConnected | Convolution | Mean | Softmax


@dataclass(frozen=True)
class Layer:
    """One operator as it is computed, with the tensors that it reads and writes."""

    number: int
    operator: str
    input: Tensor
    output: Tensor
    computation: Computation
