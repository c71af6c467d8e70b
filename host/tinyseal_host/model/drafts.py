"""A step of a board before anything has a place, and the operands that several operators share (FORMAT.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .convolution import Window
from .quantisation import Requantisation
from .tables import BIAS

_IN = {"in_at": 0}


@dataclass(frozen=True)
class Draft:
    """One step: operands with a value, for operands that are inputs the input's number, tables, bytes of scratch."""

    name: str
    values: Mapping[str, int]
    inputs: Mapping[str, int] = field(default_factory=lambda: _IN)
    tables: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    scratch_len: int = 0
    overread: int = 0
    """Bytes behind input 0 that are read, and do not matter."""
    strip_max: int = 1
    """How many pixels may share a turn, for a step with `strip`; the planner raises it from 1 where there is room."""
    pixel_len: int = 0
    """Bytes of scratch for each more of them."""


def places(window: Window) -> dict[str, int]:
    """Image, kernel, strides, paddings and output of a window."""
    height, width = window.height, window.width
    return {
        **{"in_h": height.size, "in_w": width.size, "c": window.channels},
        **{"kernel_h": height.kernel, "kernel_w": width.kernel},
        **{"stride_h": height.stride, "stride_w": width.stride},
        **{"pad_top": height.before, "pad_left": width.before},
        **{"out_h": height.out, "out_w": width.out},
    }


def dilation(window: Window) -> dict[str, int]:
    """Both dilations of a window."""
    return {"dilation_h": window.height.dilation, "dilation_w": window.width.dilation}


def limits(requantisation: Requantisation) -> dict[str, int]:
    """The output's zero point and clamp as biased bytes."""
    return {
        "zero": requantisation.zero_point + BIAS,
        "low": requantisation.low + BIAS,
        "high": requantisation.high + BIAS,
    }
