"""What a board does for each layer: its steps, operands and tables, before anything has a place (FORMAT.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from .addition import sums_of
from .convolution import Window
from .layers import (
    Addition,
    Alias,
    Computation,
    Convolution,
    Copy,
    Depthwise,
    Elementwise,
    Extremum,
    Filter,
    FullyConnected,
    Map,
    Mean,
    Multiplication,
    Pool,
    Rearrangement,
    Softmax,
)
from .quantisation import Multiplier, Requantisation
from .tables import (
    BIAS,
    UNIT_LEN,
    biased,
    blocks_of,
    depthwise3x3_table,
    dot_table,
    exponential_table,
    fits_depthwise3x3,
    is_short,
    multiplier_words,
    padded_row,
    rows_table,
)

_LOOPS = 4
_WORD = 4  # bytes
_UNIT = 8  # inputs
_ROWS_MAX = 128  # of a step with sums: what a step costs is a hundredth of them
_STRIP_LEN = 2048  # bytes of scratch up to which pixels share a turn: what a turn costs no longer counts then
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


def works_in_place(computation: Computation) -> bool:
    """Whether the output may begin where input 0 does, or where any input of its size does if there are more.

    True where every value is read before what is written can reach it: see FORMAT.md for the order of each operator.
    """
    match computation:
        case Map() | Addition() | Multiplication() | Extremum():
            return True
        case FullyConnected(rows, pixels):
            return not _is_split(rows) if pixels == 1 else rows.weights.shape[0] <= rows.weights.shape[1]
        case Convolution(rows, window) if window.step is not None:
            return window.height.out * window.width.out == 1 or rows.weights.shape[0] <= window.step
        case Convolution(rows, window) if _goes_by_ring(rows, window):
            return _stays_behind(rows, window)
        case Depthwise(_, window) if _is_depthwise3x3(computation):
            return all(axis.stride == 1 and axis.out == axis.size for axis in (window.height, window.width))
        case _:
            return False


def _stays_behind(rows: Filter, window: Window) -> bool:
    """Whether no row of the output ends behind the rows of the input that have become units by then."""
    height, in_row = window.height, window.width.size * window.channels
    out_row = window.width.out * rows.weights.shape[0]
    read = (min(y * height.stride - height.before + height.reach, height.size) for y in range(height.out))
    return all((y + 1) * out_row <= rows_read * in_row or rows_read == height.size for y, rows_read in enumerate(read))


def macs_of(computation: Computation) -> int:
    """Multiply-accumulates, those with padding counted; for what has none, the cells of a pool or the values."""
    match computation:
        case FullyConnected(rows, pixels):
            return pixels * rows.weights.size
        case Convolution(rows, window) | Depthwise(rows, window):
            return window.height.out * window.width.out * rows.weights.size
        case Pool(window):
            cells = window.height.kernel * window.width.kernel
            return window.height.out * window.width.out * window.channels * cells
        case Map(length) | Rearrangement(length):
            return length
        case Addition(operands) | Multiplication(operands) | Extremum(operands):
            return operands.length
        case _:
            return 0


def drafts_of(computation: Computation) -> list[Draft]:
    """The steps of a layer; an alias has none."""
    match computation:
        case Alias():
            drafts = []
        case FullyConnected(rows, pixels):
            drafts = _dense(rows) if pixels == 1 else [_rows(rows, step=rows.weights.shape[1], pixels=pixels)]
        case Convolution(rows, window) if window.step is not None:
            drafts = [_rows(rows, step=window.step, pixels=window.height.out * window.width.out)]
        case Convolution(rows, window):
            drafts = [_conv(rows, window)]
        case Depthwise(rows, window) if window.channels == 1:
            drafts = drafts_of(Convolution(rows, window))
        case Depthwise() as depthwise:
            drafts = [_depthwise(depthwise)]
        case Pool() as pool:
            drafts = [_pool(pool)]
        case Mean() as mean:
            drafts = [_mean(mean)]
        case Softmax() as softmax:
            drafts = [_softmax(softmax)]
        case Map(length, table):
            drafts = [Draft("MAP", {"length": length}, tables={"table_at": biased(table)})]
        case Rearrangement() as rearrangement:
            drafts = _rearrangement(rearrangement)
        case pair:
            drafts = [_elementwise(pair)]
    return drafts


def _softmax(computation: Softmax) -> Draft:
    tables = {"table_at": exponential_table(computation.exponentials)}
    values = {"rows": computation.rows, "depth": computation.depth}
    return Draft("SOFTMAX", values, tables=tables)


def _rows(rows: Filter, *, step: int, pixels: int) -> Draft:
    k = rows.weights.shape[1]
    pixel_len = _units_len(k) + _sums_len(rows)
    values = {"step": step, "pixels": pixels, "strip": 1} | _dots(rows)
    tables = {"rows_at": dot_table(rows)}
    return Draft(
        "ROWS",
        values,
        tables=tables,
        scratch_len=pixel_len,
        overread=padded_row(k) - k,
        strip_max=min(pixels, _STRIP_LEN // pixel_len),
        pixel_len=pixel_len,
    )


def _dense(rows: Filter) -> list[Draft]:
    """One step, or several where the sums of all outputs at once would fill the scratch."""
    m = rows.weights.shape[0]
    if not _is_split(rows):
        return [_rows(rows, step=rows.weights.shape[1], pixels=1)]
    drafts = []
    for first in range(0, m, _ROWS_MAX):
        draft = _rows(rows.part(first, first + _ROWS_MAX), step=rows.weights.shape[1], pixels=1)
        drafts.append(replace(draft, values={**draft.values, "out_at": first}))
    return drafts


def _is_split(rows: Filter) -> bool:
    return rows.weights.shape[0] > _ROWS_MAX and not is_short(rows)


def _conv(rows: Filter, window: Window) -> Draft:
    values = _places(window) | _dilation(window) | {"pad": rows.input_zero_point + BIAS} | _dots(rows)
    tables = {"rows_at": dot_table(rows)}
    if _goes_by_ring(rows, window):
        # Every byte of the input becomes part of a unit once, in a ring of rows.
        scratch_len = _ring_len(window) + window.width.out * _sums_len(rows)
        return Draft("RING_CONV", values, tables=tables, scratch_len=scratch_len)
    k = rows.weights.shape[1]
    pixel_len = _units_len(k) + _sums_len(rows) + k
    return Draft(
        "CONV",
        values | {"strip": 1},
        tables=tables,
        scratch_len=pixel_len + padded_row(k) - k,
        strip_max=min(window.width.out, _STRIP_LEN // pixel_len),
        pixel_len=pixel_len,
    )


def _goes_by_ring(rows: Filter, window: Window) -> bool:
    """Where the ring takes no more than input and output do; many rows far apart would."""
    height, width = window.height, window.width
    tensors = height.size * width.size * window.channels + height.out * width.out * rows.weights.shape[0]
    return window.channels % _UNIT == 0 and height.kernel > 1 and _ring_len(window) <= tensors


def _ring_len(window: Window) -> int:
    """Bytes of units of as many padded rows as the kernel reaches over."""
    row = (window.width.out - 1) * window.width.stride + window.width.reach
    return window.height.reach * row * window.channels // _UNIT * UNIT_LEN


def _units_len(k: int) -> int:
    """Bytes of the units of a pixel's widest block."""
    return UNIT_LEN * blocks_of(k)[0] // _UNIT


def _sums_len(rows: Filter) -> int:
    """Bytes of a pixel's sums."""
    return 0 if is_short(rows) else 4 * rows.weights.shape[0]


def _dots(rows: Filter) -> dict[str, int]:
    m, k = rows.weights.shape
    return {"k": k, "m": m, "short": int(is_short(rows))} | _limits(rows.requantisation)


def _depthwise(computation: Depthwise) -> Draft:
    rows, window = computation.filter, computation.window
    if _is_depthwise3x3(computation):
        return _depthwise3x3(rows, window)
    values = _places(window) | _dilation(window) | _weighted(rows) | {"multiplier": computation.multiplier}
    return Draft("DEPTHWISE", values, tables={"rows_at": rows_table(rows)}, scratch_len=_WORD * len(rows.weights))


def _is_depthwise3x3(computation: Depthwise) -> bool:
    window = computation.window
    square = all(axis.kernel == 3 and axis.dilation == 1 for axis in (window.height, window.width))
    single = computation.multiplier == 1 and window.channels > 1
    return square and single and fits_depthwise3x3(computation.filter)


def _depthwise3x3(rows: Filter, window: Window) -> Draft:
    """Rows lie along the longer axis: fewer of them to begin."""
    c = window.channels
    down, across = window.height, window.width
    in_row, in_col, out_row, out_col = across.size * c, c, across.out * c, c
    if down.size > across.size:
        down, across, in_row, in_col, out_row, out_col = across, down, in_col, in_row, out_col, out_row
        turned = rows.weights.reshape(c, 3, 3).transpose(0, 2, 1).reshape(c, 9)
        rows = replace(rows, weights=np.ascontiguousarray(turned))
    values = {
        **{"rows": down.size, "cols": across.size, "c": c, "in_row": in_row, "in_col": in_col},
        **{"stride_down": down.stride, "stride_across": across.stride},
        **{"before_down": down.before, "before_across": across.before, "pad": rows.input_zero_point + BIAS},
        **{"out_rows": down.out, "out_cols": across.out, "out_row": out_row, "out_col": out_col},
    }
    values |= _limits(rows.requantisation)
    scratch_len = 3 * ((across.out - 1) * across.stride + 3)
    return Draft("DEPTHWISE3X3", values, tables={"rows_at": depthwise3x3_table(rows)}, scratch_len=scratch_len)


def _pool(computation: Pool) -> Draft:
    values = _places(computation.window) | {"low": computation.low + BIAS, "high": computation.high + BIAS}
    return Draft("AVERAGE_POOL" if computation.average else "MAX_POOL", values)


def _mean(computation: Mean) -> Draft:
    bias = -computation.pixels * computation.input_zero_point
    values = {"pixels": computation.pixels, "c": computation.channels, "bias": bias & 0xFFFFFFFF}
    hi, lo, left, right = _words(computation.requantisation.multiplier)
    values |= {"mult_hi": hi, "mult_lo": lo, "left": left, "right": right} | _limits(computation.requantisation)
    return Draft("MEAN", values, scratch_len=_WORD * computation.channels)


def _elementwise(computation: Elementwise) -> Draft:
    operands = computation.operands
    values = {"length": operands.length, "period": operands.period, "b_constant": int(operands.constant is not None)}
    inputs, tables = {"a_at": 0}, {}
    if operands.constant is None:
        inputs["b_at"] = 1
    else:
        tables["b_at"] = biased(operands.constant)
    if isinstance(computation, Extremum):
        return Draft("MAXIMUM" if computation.greatest else "MINIMUM", values, inputs, tables)
    values |= _limits(computation.requantisation)
    if isinstance(computation, Addition):
        sums = sums_of(computation)
        tables |= {"a_table_at": sums.a_table, "b_table_at": sums.b_table}
        return Draft("ADD", values | sums.operands, inputs, tables)
    hi, lo, left, right = _words(computation.requantisation.multiplier)
    values |= {"a_zero": computation.a_zero_point + BIAS, "b_zero": computation.b_zero_point + BIAS}
    values |= {"left": left, "hi": hi, "lo": lo, "away": int(right > 0), "right": right}
    return Draft("MUL", values, inputs, tables)


def _rearrangement(computation: Rearrangement) -> list[Draft]:
    drafts = [_copy(copy) for copy in computation.copies]
    if computation.fill is None:
        return drafts
    return [Draft("FILL", {"length": computation.length, "value": computation.fill + BIAS}, {}), *drafts]


def _copy(copy: Copy) -> Draft:
    values = {"in_at": copy.in_offset, "out_at": copy.out_offset, "size": copy.size}
    idle = _LOOPS - len(copy.counts)
    for name, numbers, filler in (
        ("n", copy.counts, 1),
        ("in_", copy.in_strides, 0),
        ("out_", copy.out_strides, 0),
    ):
        padded = (*(filler for _ in range(idle)), *numbers)
        values |= {f"{name}{loop}": number & 0xFFFFFFFF for loop, number in enumerate(padded)}
    return Draft("COPY", values, {"in_at": copy.source})


def _places(window: Window) -> dict[str, int]:
    height, width = window.height, window.width
    return {
        **{"in_h": height.size, "in_w": width.size, "c": window.channels},
        **{"kernel_h": height.kernel, "kernel_w": width.kernel},
        **{"stride_h": height.stride, "stride_w": width.stride},
        **{"pad_top": height.before, "pad_left": width.before},
        **{"out_h": height.out, "out_w": width.out},
    }


def _dilation(window: Window) -> dict[str, int]:
    return {"dilation_h": window.height.dilation, "dilation_w": window.width.dilation}


def _weighted(rows: Filter) -> dict[str, int]:
    m, k = rows.weights.shape
    return {"pad": rows.input_zero_point + BIAS, "k": k, "m": m} | _limits(rows.requantisation)


def _limits(requantisation: Requantisation) -> dict[str, int]:
    """The output's zero point and clamp as biased bytes."""
    return {
        "zero": requantisation.zero_point + BIAS,
        "low": requantisation.low + BIAS,
        "high": requantisation.high + BIAS,
    }


def _words(multiplier: Multiplier) -> tuple[int, int, int, int]:
    """`mult_hi`, `mult_lo`, `left` and `right` of one channel."""
    return multiplier_words(int(multiplier.q31[0]), int(multiplier.shift[0]))
