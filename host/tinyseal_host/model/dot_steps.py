"""Steps with a dot table, ROWS, CONV and RING_CONV: which of them a layer becomes, and how much scratch it takes."""

from __future__ import annotations

from dataclasses import replace

from .convolution import Window
from .drafts import Draft, dilation, limits, places
from .layers import Filter
from .tables import BIAS, UNIT_LEN, blocks_of, dot_table, is_short, padded_row

_UNIT = 8  # inputs
_ROWS_MAX = 128  # of a step with sums: what a step costs is a hundredth of them
_STRIP_LEN = 2048  # bytes of scratch up to which pixels share a turn: what a turn costs no longer counts then


def pixel_rows(rows: Filter, *, step: int, pixels: int) -> Draft:
    """ROWS over inputs `step` bytes apart."""
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


def dense(rows: Filter) -> list[Draft]:
    """ROWS for one input: one step, or several where the sums of all outputs at once would fill the scratch."""
    m = rows.weights.shape[0]
    if not is_split(rows):
        return [pixel_rows(rows, step=rows.weights.shape[1], pixels=1)]
    drafts = []
    for first in range(0, m, _ROWS_MAX):
        draft = pixel_rows(rows.part(first, first + _ROWS_MAX), step=rows.weights.shape[1], pixels=1)
        drafts.append(replace(draft, values={**draft.values, "out_at": first}))
    return drafts


def is_split(rows: Filter) -> bool:
    """Whether `dense` makes several steps of a filter."""
    return rows.weights.shape[0] > _ROWS_MAX and not is_short(rows)


def convolution(rows: Filter, window: Window) -> Draft:
    """RING_CONV or CONV."""
    values = places(window) | dilation(window) | {"pad": rows.input_zero_point + BIAS} | _dots(rows)
    tables = {"rows_at": dot_table(rows)}
    if goes_by_ring(rows, window):
        # Every byte of the input becomes part of a unit once, in a ring of rows.
        return Draft("RING_CONV", values, tables=tables, scratch_len=_ring_len(rows, window))
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


def goes_by_ring(rows: Filter, window: Window) -> bool:
    """Whether a convolution is a RING_CONV: where its scratch takes no more than input and output do."""
    height, width = window.height, window.width
    tensors = height.size * width.size * window.channels + height.out * width.out * rows.weights.shape[0]
    return window.channels % _UNIT == 0 and height.kernel > 1 and _ring_len(rows, window) <= tensors


def _ring_len(rows: Filter, window: Window) -> int:
    """Bytes of units of as many padded rows as the kernel reaches over, and of a row's sums."""
    row = (window.width.out - 1) * window.width.stride + window.width.reach
    return window.height.reach * row * window.channels // _UNIT * UNIT_LEN + window.width.out * _sums_len(rows)


def _units_len(k: int) -> int:
    """Bytes of the units of a pixel's widest block."""
    return UNIT_LEN * blocks_of(k)[0] // _UNIT


def _sums_len(rows: Filter) -> int:
    """Bytes of a pixel's sums."""
    return 0 if is_short(rows) else 4 * rows.weights.shape[0]


def _dots(rows: Filter) -> dict[str, int]:
    m, k = rows.weights.shape
    return {"k": k, "m": m, "short": int(is_short(rows))} | limits(rows.requantisation)


def stays_behind(rows: Filter, window: Window) -> bool:
    """Whether no row of the output ends behind the rows of the input that have become units by then."""
    height, in_row = window.height, window.width.size * window.channels
    out_row = window.width.out * rows.weights.shape[0]
    read = (min(y * height.stride - height.before + height.reach, height.size) for y in range(height.out))
    return all((y + 1) * out_row <= rows_read * in_row or rows_read == height.size for y, rows_read in enumerate(read))
