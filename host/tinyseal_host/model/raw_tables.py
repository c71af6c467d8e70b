"""Quantise tables for frames of raw integers: every raw value through TFLM's QUANTIZE, once, on the host."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..contract import Channel, Contract, raw_limits
from .quantisation import Int64, quantise
from .tables import BIAS

_BLOCK = 256  # int16 values that share an entry of `steps`


def raw_quantise_tables(contract: Contract, scale: float, zero_point: int) -> bytes:
    """The tables for a contract of integers, one for each of its conversions, and an input of that scale."""
    tables = b""
    for own_scale, offset in contract.conversions():
        least, most = raw_limits(contract.type)
        raw = np.arange(least, most + 1).astype(contract.dtype)
        with np.errstate(over="ignore"):
            physical = Channel(0, 1, own_scale, offset).physical(raw)
        found = quantise(physical, scale, zero_point).astype(np.int64) + BIAS
        tables += _raw16(found) if contract.dtype.itemsize == 2 else _raw8(raw, found)
    return tables


def _raw8(raw: npt.NDArray[np.generic], found: Int64) -> bytes:
    """256 biased bytes by the byte as it stands in the frame."""
    table = np.empty(len(found), np.uint8)
    table[raw.view(np.uint8)] = found
    return table.tobytes()


def _raw16(found: Int64) -> bytes:
    """Where to begin to count, for each block of raw values; and the last raw value + 32768 for each biased byte.

    The bytes do not descend, as the scale is positive. No search comes to a byte below the first one.
    """
    last = np.searchsorted(found, np.arange(256), side="right") - 1
    return found[::_BLOCK].astype(np.uint8).tobytes() + np.maximum(last, 0).astype("<u2").tobytes()
