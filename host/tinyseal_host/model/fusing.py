"""The operators of a file as they are read: what several of them compute together becomes one.

* SPACE_TO_BATCH_ND, a convolution with stride 1, BATCH_TO_SPACE_ND: one convolution with dilation. That is how
  converters write a dilated Conv1D, with names for the shapes between them, and with a batch of 1 in the file where
  there are more. TensorFlow Lite Micro believes that batch, and pads blocks with 0: the bytes here are TensorFlow
  Lite's, which counts the batch itself and pads with the zero point.
* DEQUANTIZE and QUANTIZE: one map from int8 to int8.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from .tflite_reader import Model, Operator, Tensor

_ALIASES = ("RESHAPE", "EXPAND_DIMS", "SQUEEZE")
_CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D")
_Readers = dict[int, list[Operator]]
"""The operators that read a tensor."""


@dataclass(frozen=True)
class Spacing:
    """The operators around a convolution, and the tensors between, all of which have its quantisation on their side."""

    space_to_batch: Operator
    batch_to_space: Operator
    before: tuple[Tensor, ...]
    after: tuple[Tensor, ...]


def operators_to_read(model: Model) -> Iterator[tuple[Operator, Spacing | None]]:
    """The operators of a Model in order; a convolution with a Spacing reads and writes what the three together do."""
    readers: _Readers = {}
    for operator in model.operators:
        for index in set(operator.inputs):
            readers.setdefault(index, []).append(operator)
    spacings, skipped = _spacings(model, readers)
    dequantised = _dequantised(model, readers)
    skipped.update(operator.number for operator in dequantised.values())
    for operator in model.operators:
        if operator.number in skipped:
            continue
        spacing = spacings.get(operator.number)
        if spacing is not None:
            inputs = (spacing.space_to_batch.inputs[0], *operator.inputs[1:])
            yield replace(operator, inputs=inputs, outputs=spacing.batch_to_space.outputs), spacing
        elif operator.name == "QUANTIZE" and operator.inputs[:1] and operator.inputs[0] in dequantised:
            source = dequantised[operator.inputs[0]]
            yield replace(operator, name="DEQUANTIZE", inputs=source.inputs), None
        else:
            yield operator, None


def _dequantised(model: Model, readers: _Readers) -> dict[int, Operator]:
    """The DEQUANTIZE behind each tensor that only QUANTIZEs read."""
    return {
        operator.outputs[0]: operator
        for operator in model.operators
        if operator.name == "DEQUANTIZE"
        and len(operator.outputs) == 1
        and operator.outputs[0] not in model.outputs
        and {reader.name for reader in readers.get(operator.outputs[0], [])} == {"QUANTIZE"}
    }


def _spacings(model: Model, readers: _Readers) -> tuple[dict[int, Spacing], set[int]]:
    """Each Spacing by its convolution's number, and the numbers of all operators that it stands for."""
    found: dict[int, Spacing] = {}
    skipped: set[int] = set()
    for operator in model.operators:
        if operator.name != "SPACE_TO_BATCH_ND" or not operator.inputs:
            continue
        first, before, renamed = _follow(model, readers, operator)
        if first is None or first.name not in _CONVOLUTIONS:
            continue
        last, after, renamed_again = _follow(model, readers, first)
        if last is None or last.name != "BATCH_TO_SPACE_ND" or len(last.outputs) != 1:
            continue
        found[first.number] = Spacing(operator, last, before, after)
        skipped |= {operator.number, last.number, *renamed, *renamed_again}
    return found, skipped


def _follow(
    model: Model, readers: _Readers, operator: Operator
) -> tuple[Operator | None, tuple[Tensor, ...], tuple[int, ...]]:
    """What alone reads the output of an operator, through aliases; the tensors and the aliases' numbers on the way."""
    tensors: list[Tensor] = []
    aliases: list[int] = []
    while len(operator.outputs) == 1 and len(aliases) < len(model.operators):
        tensor = model.tensors[operator.outputs[0]]
        tensors.append(tensor)
        following = readers.get(tensor.index, [])
        if len(following) != 1 or tensor.index in model.outputs or following[0].inputs[0] != tensor.index:
            break
        operator = following[0]
        if operator.name not in _ALIASES:
            return operator, tuple(tensors), tuple(aliases)
        aliases.append(operator.number)
    return None, (), ()
