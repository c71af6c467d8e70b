"""What a board does for each layer: its steps, operands and tables, before anything has a place (FORMAT.md)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .addition import sums_of
from .convolution import Window
from .dot_steps import convolution, dense, goes_by_ring, is_split, pixel_rows, stays_behind
from .drafts import Draft, dilation, limits, places
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
from .quantisation import Multiplier
from .tables import (
    BIAS,
    biased,
    depthwise3x3_table,
    exponential_table,
    fits_depthwise3x3,
    multiplier_words,
    rows_table,
)

_LOOPS = 4
_WORD = 4  # bytes


def works_in_place(computation: Computation) -> bool:
    """Whether the output may begin where input 0 does, or where any input of its size does if there are more.

    True where every value is read before what is written can reach it: see FORMAT.md for the order of each operator.
    """
    match computation:
        case Map() | Addition() | Multiplication() | Extremum():
            return True
        case FullyConnected(rows, pixels):
            return not is_split(rows) if pixels == 1 else rows.weights.shape[0] <= rows.weights.shape[1]
        case Convolution(rows, window) if window.step is not None:
            return window.height.out * window.width.out == 1 or rows.weights.shape[0] <= window.step
        case Convolution(rows, window) if goes_by_ring(rows, window):
            return stays_behind(rows, window)
        case Depthwise(_, window) if _is_depthwise3x3(computation):
            return all(axis.stride == 1 and axis.out == axis.size for axis in (window.height, window.width))
        case _:
            return False


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
            drafts = dense(rows) if pixels == 1 else [pixel_rows(rows, step=rows.weights.shape[1], pixels=pixels)]
        case Convolution(rows, window) if window.step is not None:
            drafts = [pixel_rows(rows, step=window.step, pixels=window.height.out * window.width.out)]
        case Convolution(rows, window):
            drafts = [convolution(rows, window)]
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


def _depthwise(computation: Depthwise) -> Draft:
    rows, window = computation.filter, computation.window
    if _is_depthwise3x3(computation):
        return _depthwise3x3(rows, window)
    values = places(window) | dilation(window) | _weighted(rows) | {"multiplier": computation.multiplier}
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
    values |= limits(rows.requantisation)
    scratch_len = 3 * ((across.out - 1) * across.stride + 3)
    return Draft("DEPTHWISE3X3", values, tables={"rows_at": depthwise3x3_table(rows)}, scratch_len=scratch_len)


def _pool(computation: Pool) -> Draft:
    values = places(computation.window) | {"low": computation.low + BIAS, "high": computation.high + BIAS}
    return Draft("AVERAGE_POOL" if computation.average else "MAX_POOL", values)


def _mean(computation: Mean) -> Draft:
    bias = -computation.pixels * computation.input_zero_point
    values = {"pixels": computation.pixels, "c": computation.channels, "bias": bias & 0xFFFFFFFF}
    hi, lo, left, right = _words(computation.requantisation.multiplier)
    values |= {"mult_hi": hi, "mult_lo": lo, "left": left, "right": right} | limits(computation.requantisation)
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
    values |= limits(computation.requantisation)
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


def _weighted(rows: Filter) -> dict[str, int]:
    m, k = rows.weights.shape
    return {"pad": rows.input_zero_point + BIAS, "k": k, "m": m} | limits(rows.requantisation)


def _words(multiplier: Multiplier) -> tuple[int, int, int, int]:
    """`mult_hi`, `mult_lo`, `left` and `right` of one channel."""
    return multiplier_words(int(multiplier.q31[0]), int(multiplier.shift[0]))
