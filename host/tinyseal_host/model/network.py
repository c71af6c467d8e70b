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
from .tflite_reader import Model, Tensor, shape_text

_MAX_WEIGHTS = MODEL_LIMIT // 2  # the largest flash of a board; also bounds the work on a file that names weights often


@dataclass(frozen=True)
class Network:
    """Layers that can be computed, in order, from the int8 tensor `input` to the int8 tensor `output`."""

    layers: tuple[Layer, ...]
    input: Tensor
    output: Tensor


@dataclass(frozen=True)
class Unsupported:
    """Why a Model is no Network: at least one text, each of which names a layer and its operator, or the model."""

    problems: tuple[str, ...]


def read_network(model: Model) -> Network | Unsupported:
    """The Network of a Model, or all its problems."""
    problems: list[str] = []
    entry = _edge("input", model, model.inputs, problems)
    result = _edge("output", model, model.outputs, problems)
    if entry is not None and entry.shape[:1] != (1,):
        problems.append(f"model input has shape {shape_text(entry.shape)}, wanted a batch of 1")
    if result is not None and not 1 <= result.size <= MAX_OUTPUT_LEN:
        problems.append(f"model output has {result.size} values, wanted 1 to {MAX_OUTPUT_LEN}")
    known = set(model.inputs)
    layers = []
    weights = 0
    for operator in model.operators:
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
    return Network(tuple(layers), entry, result)


def _edge(what: str, model: Model, indices: tuple[int, ...], problems: list[str]) -> Tensor | None:
    if len(indices) != 1:
        problems.append(f"model has {len(indices)} {what}s, wanted 1")
        return None
    tensor = model.tensors[indices[0]]
    problems += [f"model {what} {text}" for text in activation_problems(tensor)]
    return tensor
