"""The operators that can be computed: one table, by which a file is read and from which people learn what is accepted.

What is refused is what the board's kernels cannot do exactly, and what TensorFlow Lite Micro itself refuses.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from . import dense, elementwise, maps, moves, windows
from .dense import MAX_DEPTH
from .filters import MAX_K
from .layer_reader import ACTIVATIONS, MAX_SHIFTED, LayerReader
from .layers import Computation, Layer
from .maps import MAX_FACTOR
from .moves import MAX_LOOPS
from .tflite_reader import Operator
from .windows import MAX_CELLS, MAX_STRIDE

_MAX_JOINED = 256
_Read = Callable[[LayerReader], Computation | None]


class _Reader(NamedTuple):
    """The least and greatest number of inputs, what reads the operator, what it accepts beside int8 activations of one
    scale, and how many of its first inputs are activations; None when it finds that out."""

    least: int
    most: int
    read: _Read
    accepts: str
    activations: int | None = 1


_FUSED = f"fused activation {', '.join(ACTIVATIONS)}"
_WEIGHTS = (
    f"constant int8 weights, per tensor or per channel, at most {MAX_K:,} an output; bias int32 or none; "
    f"accumulators, shifted left by their multiplier, below 2^{MAX_SHIFTED.bit_length() - 1}; {_FUSED}"
)
_STRIDES = f"SAME or VALID; strides and dilations 1 to {MAX_STRIDE:,}"
_POOL = f"batch 1; kernel of 1 to {MAX_CELLS:,} cells; SAME or VALID; strides 1 to {MAX_STRIDE:,}; {_FUSED}"
_PAIR = (
    "one operand of the output's shape; the other the same, one that repeats in it (by channel, scalar), or a constant"
)
_FACTOR = f"input scale below 2^{MAX_FACTOR.bit_length() - 1} times the output's"
_ALIKE = "all quantised alike"
_BLOCKS = (
    f"around one CONV_2D or DEPTHWISE_CONV_2D of stride 1, with constant blocks: its dilation, 1 to {MAX_STRIDE:,}; "
    "padded with the zero point, as TensorFlow Lite does and TensorFlow Lite Micro does not"
)
_SHAPE = "int32, where it makes a RESHAPE's shape, which the file has too"

_READERS = {
    "CONV_2D": _Reader(2, 3, windows.conv_2d, f"batch 1, no groups; {_WEIGHTS}; {_STRIDES}"),
    "DEPTHWISE_CONV_2D": _Reader(2, 3, windows.depthwise_conv_2d, f"batch 1; {_WEIGHTS}; any multiplier; {_STRIDES}"),
    "FULLY_CONNECTED": _Reader(2, 3, dense.fully_connected, f"{_WEIGHTS}; weights format DEFAULT"),
    "MAX_POOL_2D": _Reader(1, 1, windows.max_pool_2d, _POOL),
    "AVERAGE_POOL_2D": _Reader(1, 1, windows.average_pool_2d, _POOL),
    "MEAN": _Reader(2, 2, dense.mean, "over all axes but the last, and those of size 1"),
    "SOFTMAX": _Reader(1, 1, dense.softmax, f"last axis of 1 to {MAX_DEPTH}; output scale 1/256, zero point -128"),
    "RELU": _Reader(1, 1, maps.relu, _FACTOR),
    "RELU6": _Reader(1, 1, maps.relu6, "any scale; clamped by the input's, not requantised, as TFLM does"),
    "LEAKY_RELU": _Reader(1, 1, maps.leaky_relu, "alpha 0 or more"),
    "HARD_SWISH": _Reader(1, 1, maps.hard_swish, "output scale above 1/128 of the input's"),
    "LOGISTIC": _Reader(1, 1, maps.logistic, "output scale 1/256, zero point -128"),
    "TANH": _Reader(1, 1, maps.tanh, "output scale 1/128, zero point 0"),
    "ADD": _Reader(2, 2, elementwise.add, f"{_PAIR}; {_FUSED}", None),
    "SUB": _Reader(2, 2, elementwise.sub, f"{_PAIR}, which comes second, or first if it is one value; {_FUSED}", None),
    "MUL": _Reader(2, 2, elementwise.mul, f"{_PAIR}; {_FUSED}", None),
    "MINIMUM": _Reader(2, 2, elementwise.minimum, f"{_PAIR}; the bytes as they are", None),
    "MAXIMUM": _Reader(2, 2, elementwise.maximum, f"{_PAIR}; the bytes as they are", None),
    "PAD": _Reader(2, 2, moves.pad, f"constant paddings; {_ALIKE}; at most {MAX_LOOPS} loops"),
    "PADV2": _Reader(3, 3, moves.pad, f"constant paddings and value; {_ALIKE}; at most {MAX_LOOPS} loops"),
    "CONCATENATION": _Reader(
        1,
        _MAX_JOINED,
        moves.concatenation,
        f"1 to {_MAX_JOINED} activations, {_ALIKE}; no fused activation",
        _MAX_JOINED,
    ),
    "STRIDED_SLICE": _Reader(
        4,
        4,
        moves.strided_slice,
        f"a constant range for each axis; begin, end and shrink masks; at most {MAX_LOOPS} loops",
    ),
    "TRANSPOSE": _Reader(2, 2, moves.transpose, f"constant axes; at most {MAX_LOOPS} loops"),
    "RESHAPE": _Reader(1, 2, moves.alias, "any shapes of as many values; costs nothing"),
    "EXPAND_DIMS": _Reader(2, 2, moves.alias, "costs nothing"),
    "SQUEEZE": _Reader(1, 1, moves.alias, "costs nothing"),
    "QUANTIZE": _Reader(
        1,
        1,
        maps.quantize,
        f"int8 to int8, {_FACTOR}; first from float32, or from uint8 of the same scale; last to that",
    ),
    "DEQUANTIZE": _Reader(1, 1, maps.dequantize, "as the last, left out: outputs stay int8; or in front of QUANTIZE"),
}
_ELSEWHERE = {
    **{"SPACE_TO_BATCH_ND": _BLOCKS, "BATCH_TO_SPACE_ND": _BLOCKS},
    **{"SHAPE": _SHAPE, "PACK": _SHAPE},
}
"""Operators that no layer is made of: `fusing` or the network accounts for them where they may stand."""

SUPPORTED: dict[str, str] = {name: reader.accepts for name, reader in _READERS.items()} | _ELSEWHERE
"""What is accepted of each operator, as people read it."""


def makes_a_shape(operator: Operator, types: list[str]) -> bool:
    """Whether an operator with outputs of these types belongs to the arithmetic that makes RESHAPE's second input.

    TFLM, and so we, take the new shape from RESHAPE's output as the file has it. Whatever else reads these tensors is
    refused: it wants constants or int8.
    """
    return types == ["INT32"] and (operator.name == "STRIDED_SLICE" or SUPPORTED.get(operator.name) == _SHAPE)


def read_layer(layer: LayerReader) -> Layer | None:
    """The Layer of an operator, or None with at least one problem."""
    operator = layer.operator
    if operator.name not in _READERS:
        where = SUPPORTED.get(operator.name)
        layer.refuse(f"is supported only {where}" if where else "operator is not supported")
        return None
    reader = _READERS[operator.name]
    if not layer.check_counts(reader.least, reader.most):
        return None
    if reader.activations is not None:
        layer.check_activations(range(min(reader.activations, layer.input_count)))
    computation = None if layer.problems else reader.read(layer)
    if layer.problems or computation is None:
        return None
    return Layer(operator.number, operator.name, tuple(layer.activations), layer.output, computation)
