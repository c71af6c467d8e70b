"""Reads a `.tflite` into plain frozen data, strictly: a damaged or hostile file is a one-line TinysealError.

Field numbers are those of TensorFlow's `schema.fbs`. Only wholeness is judged here, what a file means by `operators`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tflite import BuiltinOperator, BuiltinOptions, TensorType

from ..errors import TinysealError
from .flatbuffer import NO_FIELDS, FlatbufferError, Table, root
from .tflite_options import OPTIONS, Kind, Option, names_of

MAX_ITEMS = 4096
"""Tensors, buffers or operator codes in one file; models for microcontrollers have some hundreds."""
MAX_OPERATORS = 1024
"""Operators in one file."""
_MAX_OPERANDS = 256
_MAX_RANK = 8
_MAX_ELEMENTS = 1 << 31
_SCHEMA_VERSION = 3
ABSENT = -1
"""Stands for an optional input that an operator does without."""


_OPERATORS = names_of(BuiltinOperator)
_TYPES = names_of(TensorType)
_DTYPES = {
    **{"FLOAT32": "<f4", "FLOAT16": "<f2", "FLOAT64": "<f8", "BOOL": "|b1", "UINT8": "|u1", "INT8": "|i1"},
    **{"INT16": "<i2", "UINT16": "<u2", "INT32": "<i4", "UINT32": "<u4", "INT64": "<i8", "UINT64": "<u8"},
}


@dataclass(frozen=True)
class Tensor:
    """One tensor. `data` is a view of the file in the tensor's shape, None for an activation or a type numpy lacks."""

    index: int
    type: str
    shape: tuple[int, ...]
    scales: npt.NDArray[np.float32] = field(repr=False)
    zero_points: npt.NDArray[np.int64] = field(repr=False)
    quantised_dimension: int
    data_bytes: int
    data: npt.NDArray[np.generic] | None = field(repr=False)
    plain: bool
    """Neither sparse nor a variable."""

    @property
    def size(self) -> int:
        """Number of values."""
        return math.prod(self.shape)


@dataclass(frozen=True)
class Operator:
    """One operator; `number` counts from 0 in the file's order, `inputs` and `outputs` are tensor indices or ABSENT."""

    number: int
    name: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Mapping[str, Option]


@dataclass(frozen=True)
class Model:
    """The one graph of a file, operators in the order of execution."""

    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


def read_model(data: bytes, path: Path) -> Model:
    """The Model in the bytes of the file `path`; TinysealError when they are no whole `.tflite` with one subgraph."""
    place = ""  # which tensor or layer is being read, for the message
    try:
        model = root(data, b"TFL3")
        if model.integer(0, "I") != _SCHEMA_VERSION:
            raise FlatbufferError(f"schema version is {model.integer(0, 'I')}, wanted {_SCHEMA_VERSION}")
        subgraphs = model.tables(2, MAX_ITEMS)
        if len(subgraphs) != 1:
            raise FlatbufferError(f"has {len(subgraphs)} subgraphs, wanted 1")
        buffers = model.tables(4, MAX_ITEMS)
        names = [_operator_name(code) for code in model.tables(1, MAX_ITEMS)]
        tensors = []
        for index, table in enumerate(subgraphs[0].tables(0, MAX_ITEMS)):
            place = f"tensor {index}: "
            tensors.append(_tensor(index, table, buffers))
        operators = []
        for number, table in enumerate(subgraphs[0].tables(3, MAX_OPERATORS)):
            place = f"layer {number}: "
            name = names[_within("operator code", table.integer(0, "I"), len(names))]
            place = f"layer {number} ({name}): "
            operators.append(_operator(number, name, table, len(tensors)))
        place = "graph: "
        inputs, outputs = (_indices(subgraphs[0], field_number, len(tensors), 0) for field_number in (1, 2))
    except FlatbufferError as error:
        raise TinysealError(f"{path}: not a whole .tflite: {place}{error}") from error
    return Model(tuple(tensors), tuple(operators), inputs, outputs)


def _operator_name(code: Table) -> str:
    # Codes above 126 stand in the second field only; older files have the first field only (schema.fbs, v3a).
    number = max(code.integer(0, "b"), code.integer(3, "i"))
    return _OPERATORS.get(number, f"OPERATOR {number}")


def _tensor(index: int, table: Table, buffers: list[Table]) -> Tensor:
    sizes = table.numbers(0, "<i4")
    if len(sizes) > _MAX_RANK:
        raise FlatbufferError(f"has {len(sizes)} dimensions, wanted at most {_MAX_RANK}")
    shape = tuple(int(size) for size in sizes)
    if min(shape, default=0) < 0 or math.prod(shape) >= _MAX_ELEMENTS:
        raise FlatbufferError(f"shape is {shape_text(shape)}, wanted sizes from 0 and below {_MAX_ELEMENTS} values")
    number = table.integer(1, "b")
    tensor_type = _TYPES.get(number, f"TYPE {number}")
    buffer = buffers[_within("buffer", table.integer(2, "I"), len(buffers))]
    if buffer.integer(1, "Q") > 1 or buffer.integer(2, "Q") > 1:
        raise FlatbufferError("its data lie outside the flatbuffer, wanted inside")
    raw = buffer.numbers(0, "|u1")
    data = None
    if len(raw) and tensor_type in _DTYPES:
        dtype = np.dtype(_DTYPES[tensor_type])
        if len(raw) != math.prod(shape) * dtype.itemsize:
            wanted = f"{math.prod(shape) * dtype.itemsize} for {shape_text(shape)} of {tensor_type}"
            raise FlatbufferError(f"has {len(raw)} bytes of data, wanted {wanted}")
        data = raw.view(dtype).reshape(shape)
    quantisation = table.table(4) or NO_FIELDS
    return Tensor(
        index=index,
        type=tensor_type,
        shape=shape,
        scales=quantisation.numbers(2, "<f4").astype(np.float32, copy=False),
        zero_points=quantisation.numbers(3, "<i8").astype(np.int64, copy=False),
        quantised_dimension=quantisation.integer(6, "i"),
        data_bytes=len(raw),
        data=data,
        plain=not table.integer(5, "B") and table.table(6) is None,
    )


def _operator(number: int, name: str, table: Table, tensor_count: int) -> Operator:
    inputs = _indices(table, 1, tensor_count, ABSENT)
    outputs = _indices(table, 2, tensor_count, 0)
    options: dict[str, Option] = {}
    if name in OPTIONS:
        union, fields = OPTIONS[name]
        found = table.integer(3, "B")
        if found not in (union, BuiltinOptions.NONE):
            raise FlatbufferError(f"options are of kind {found}, wanted {union}")
        given = table.table(4) or NO_FIELDS
        for option, (field_number, kind, default) in fields.items():
            options[option] = _option(given, field_number, kind, default)
    return Operator(number, name, inputs, outputs, options)


def _option(table: Table, number: int, kind: Kind, default: Option) -> Option:
    if kind == "f":
        return table.real(number, float(default))
    if isinstance(kind, str):
        return table.integer(number, kind, int(default))
    value = table.integer(number, "b")  # every enumeration's default is its value 0
    return kind.get(value, f"number {value}")


def _indices(table: Table, number: int, count: int, least: int) -> tuple[int, ...]:
    found = table.numbers(number, "<i4")
    if len(found) > _MAX_OPERANDS:
        raise FlatbufferError(f"has {len(found)} inputs or outputs, wanted at most {_MAX_OPERANDS}")
    for index in found:
        if not least <= index < count:
            raise FlatbufferError(f"tensor {index} is named, there are {count}")
    return tuple(int(index) for index in found)


def _within(what: str, index: int, count: int) -> int:
    if index >= count:
        raise FlatbufferError(f"{what} {index} is named, there are {count}")
    return index


def shape_text(shape: tuple[int, ...]) -> str:
    """A shape as people write it, `1x100x6`; `scalar` without dimensions."""
    return "x".join(map(str, shape)) or "scalar"
