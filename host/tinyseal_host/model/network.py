"""A Model as a checked network: its layers in order, and everything that cannot be done.

All that is wrong with a file is collected, so that its author learns it at once.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..files import MODEL_LIMIT
from ..program import MAX_OUTPUT_LEN
from .fusing import operators_to_read
from .layer_reader import LayerReader, activation_problems
from .layers import Alias, Layer
from .operators import makes_a_shape, read_layer
from .tflite_reader import Model, Operator, Tensor, shape_text

_MAX_WEIGHTS = MODEL_LIMIT // 2  # the largest flash of a board; also bounds the work on a file that names weights often
_UINT8_ZERO = 128  # of int8 zero, where uint8 and int8 are the same numbers


@dataclass(frozen=True)
class Network:
    """Layers that can be computed, in order, from the int8 tensor `input` to the int8 tensor `output`."""

    layers: tuple[Layer, ...]
    input: Tensor
    output: Tensor
    left_out: str
    """DEQUANTIZE or QUANTIZE where the file ends in it, to float32 or uint8: the output stays int8. Else nothing."""


@dataclass(frozen=True)
class Unsupported:
    """Why a Model is no Network: at least one text, each of which names a layer and its operator, or the model."""

    problems: tuple[str, ...]


def read_network(model: Model) -> Network | Unsupported:
    """The Network of a Model, or all its problems."""
    problems: list[str] = []
    folded, left_out = set(), ""
    inputs, outputs = model.inputs, model.outputs
    for operator in model.operators:
        if operator.inputs == inputs and _is_edge(model, operator, "QUANTIZE", inside=operator.outputs):
            inputs = operator.outputs
            folded.add(operator.number)
        elif operator.outputs == outputs and _is_edge(model, operator, "DEQUANTIZE", inside=operator.inputs):
            outputs, left_out = operator.inputs, operator.name
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
    for operator, spacing in operators_to_read(model):
        types = [model.tensors[index].type for index in operator.outputs]
        if operator.number in folded or makes_a_shape(operator, types):
            continue
        reader = LayerReader(model, operator, known, spacing)
        weights += reader.weight_bytes
        if weights > _MAX_WEIGHTS:
            problems.append(f"layer {operator.number} ({operator.name}): weights exceed {_MAX_WEIGHTS} bytes")
            break
        layer = read_layer(reader)
        name = model.operators[operator.number].name
        problems += [f"layer {operator.number} ({name}): {text}" for text in reader.problems]
        if layer is not None:
            layers.append(layer)
        known.update(operator.outputs)
    if result is not None and not problems and result.index not in known:
        problems.append(f"model output is tensor {result.index}, which no layer computes")
    if not problems and all(isinstance(layer.computation, Alias) for layer in layers):
        problems.append("no layer computes anything")
    if problems or entry is None or result is None:
        return Unsupported(tuple(problems))
    return Network(tuple(layers), entry, result, left_out)


def _is_edge(model: Model, operator: Operator, from_float: str, *, inside: tuple[int, ...]) -> bool:
    """Whether an operator at an edge only leads from float32, or from uint8, to the tensor `inside`, or back.

    `from_float` is the operator that does so for float32. For uint8 both must be the same numbers: one scale, zero
    points 128 apart.
    """
    outside = operator.outputs if inside == operator.inputs else operator.inputs
    if len(inside) != 1 or len(outside) != 1:
        return False
    near, far = model.tensors[inside[0]], model.tensors[outside[0]]
    if far.type == "FLOAT32":
        return operator.name == from_float
    same_numbers = (
        near.scales.tolist() == far.scales.tolist()
        and (near.zero_points + _UINT8_ZERO).tolist() == far.zero_points.tolist()
    )
    return operator.name == "QUANTIZE" and far.type == "UINT8" and near.type == "INT8" and same_numbers


def _edge(what: str, model: Model, indices: tuple[int, ...], problems: list[str]) -> Tensor | None:
    if len(indices) != 1:
        problems.append(f"model has {len(indices)} {what}s, wanted 1")
        return None
    tensor = model.tensors[indices[0]]
    problems += [f"model {what} {text}" for text in activation_problems(tensor)]
    return tensor
