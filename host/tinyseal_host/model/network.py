"""A Model as a checked network: its layers in order, and everything that cannot be done.

All that is wrong with a file is collected, so that its author learns it at once.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..files import MODEL_LIMIT
from ..program import MAX_OUTPUT_LEN
from .layer_reader import LayerReader, activation_problems
from .layers import Alias, Layer
from .operators import read_layer
from .tflite_reader import Model, Operator, Tensor, shape_text

_MAX_WEIGHTS = MODEL_LIMIT // 2  # the largest flash of a board; also bounds the work on a file that names weights often
_SHAPE_OPERATORS = ("SHAPE", "STRIDED_SLICE", "PACK")


@dataclass(frozen=True)
class Network:
    """Layers that can be computed, in order, from the int8 tensor `input` to the int8 tensor `output`."""

    layers: tuple[Layer, ...]
    input: Tensor
    output: Tensor
    float_output: bool
    """Whether the file ends in a DEQUANTIZE, which is left out: the output stays int8."""


@dataclass(frozen=True)
class Unsupported:
    """Why a Model is no Network: at least one text, each of which names a layer and its operator, or the model."""

    problems: tuple[str, ...]


def read_network(model: Model) -> Network | Unsupported:
    """The Network of a Model, or all its problems."""
    problems: list[str] = []
    folded = set()
    inputs, outputs = model.inputs, model.outputs
    for operator in model.operators:
        if operator.name == "QUANTIZE" and operator.inputs == inputs and _is_float(model, inputs):
            inputs = operator.outputs
            folded.add(operator.number)
        elif operator.name == "DEQUANTIZE" and operator.outputs == outputs and _is_float(model, outputs):
            outputs = operator.inputs
            folded.add(operator.number)
    entry = _edge("input", model, inputs, problems)
    result = _edge("output", model, outputs, problems)
    if entry is not None and entry.shape[:1] != (1,):
        problems.append(f"model input has shape {shape_text(entry.shape)}, wanted a batch of 1")
    if result is not None and not 1 <= result.size <= MAX_OUTPUT_LEN:
        problems.append(f"model output has {result.size} values, wanted 1 to {MAX_OUTPUT_LEN}")
    known = set(inputs)
    layers = []
    weights = 0
    for operator in model.operators:
        if operator.number in folded or _computes_a_shape(model, operator):
            continue
        reader = LayerReader(model, operator, known)
        weights += reader.weight_bytes
        if weights > _MAX_WEIGHTS:
            problems.append(f"layer {operator.number} ({operator.name}): weights exceed {_MAX_WEIGHTS} bytes")
            break
        layer = read_layer(reader)
        problems += [f"layer {operator.number} ({operator.name}): {text}" for text in reader.problems]
        if layer is not None:
            layers.append(layer)
        known.update(operator.outputs)
    if result is not None and not problems and result.index not in known:
        problems.append(f"model output is tensor {result.index}, which no layer computes")
    if not problems and all(isinstance(layer.computation, Alias) for layer in layers):
        problems.append("no layer computes anything")
    if problems or entry is None or result is None:
        return Unsupported(tuple(problems))
    return Network(tuple(layers), entry, result, outputs != model.outputs)


def _is_float(model: Model, indices: tuple[int, ...]) -> bool:
    return len(indices) == 1 and model.tensors[indices[0]].type == "FLOAT32"


def _computes_a_shape(model: Model, operator: Operator) -> bool:
    """Whether an operator belongs to the arithmetic with which Keras makes RESHAPE's second input.

    TFLM, and so we, take the new shape from RESHAPE's output as the file has it. Whatever else reads these tensors is
    refused: it wants constants or int8.
    """
    types = [model.tensors[index].type for index in operator.outputs]
    return operator.name in _SHAPE_OPERATORS and types == ["INT32"]


def _edge(what: str, model: Model, indices: tuple[int, ...], problems: list[str]) -> Tensor | None:
    if len(indices) != 1:
        problems.append(f"model has {len(indices)} {what}s, wanted 1")
        return None
    tensor = model.tensors[indices[0]]
    problems += [f"model {what} {text}" for text in activation_problems(tensor)]
    return tensor
