"""Quantise tables for frames of raw integers: every raw value through TFLM's QUANTIZE, once, on the host."""

from __future__ import annotations

import struct

import numpy as np
import numpy.typing as npt

from ..contract import Channel, Contract, raw_limits
from .quantisation import Int64, quantise
from .tables import BIAS

_BLOCKS_BITS = 8  # of the number of blocks of int16 values


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
    """Where to begin to count, for each block of raw values; and the last raw value for each biased byte.

    The bytes do not descend, as the scale is positive. Blocks are as small as 256 of them can be between the last raw
    value with the least byte and the first with the greatest, so that there is little to count.
    """
    base = int(np.searchsorted(found, found[0], side="right")) - 1
    top = int(np.searchsorted(found, found[-1]))
    shift = max(0, (max(top - base, 1) - 1).bit_length() - _BLOCKS_BITS)
    first = found[np.minimum(base + (np.arange(256) << shift), len(found) - 1)]
    last = np.searchsorted(found, np.arange(256), side="right") - 1 - base
    last[found[-1] :] = len(found) - 1  # the end of the search
    table = struct.pack("<2H", base, shift) + bytes(first.tolist())
    return table + struct.pack("<256H", *np.maximum(last, 0).tolist())
