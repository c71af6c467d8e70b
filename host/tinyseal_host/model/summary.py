"""Describes a `.tflite` for people, whether or not it can be compiled."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .arena import live_bytes
from .instructions import ARCHITECTURES, FRAME, predicted_step
from .network import Network, Unsupported, read_network
from .plan import Plan, plan_network
from .tflite_reader import ABSENT, Model, Operator, read_model, shape_text

_WEIGHTED = {"CONV_2D": slice(1, None), "DEPTHWISE_CONV_2D": slice(1, 3), "FULLY_CONNECTED": slice(1, None)}
"""The dimensions of the weights that each output value takes: a depthwise output takes one channel only."""


@dataclass(frozen=True)
class LayerCost:
    """What a layer takes on a board.

    Bytes: its tables in the release; in the arena what is alive while it runs, which is its inputs, its output, tensors
    kept for later layers and scratch; and of these the scratch alone. Instructions by architecture, as predicted.
    """

    table_bytes: int
    live_bytes: int
    scratch_bytes: int
    instructions: Mapping[str, int]


@dataclass(frozen=True)
class ArenaSummary:
    """Bytes of the arena; of the tensors alive in one layer at their most, which no plan can do without, what works in
    place counted once; and of all that is alive in one layer at its most, scratch as well."""

    bytes: int
    lower_bound: int
    most_live: int


@dataclass(frozen=True)
class LayerSummary:
    """One operator of the file; `macs` and `weight_bytes`, of its constants in the file, are 0 where there are none."""

    number: int
    operator: str
    output_shape: str
    macs: int
    weight_bytes: int
    cost: LayerCost | None
    """None where a board does nothing: aliases, shape arithmetic, edges; and for a model that cannot be compiled."""


@dataclass(frozen=True)
class EdgeSummary:
    """An input or output of the model; scale and zero point are None without quantisation."""

    type: str
    shape: str
    scale: float | None
    zero_point: int | None

    @property
    def text(self) -> str:
        """All of it in one line: `1x100x6 INT8, scale 0.246, zero point -15`."""
        if self.scale is None:
            return f"{self.shape} {self.type}"
        return f"{self.shape} {self.type}, scale {self.scale:g}, zero point {self.zero_point}"


@dataclass(frozen=True)
class ModelSummary:
    """What a `.tflite` holds. `arena` is None and `problems` says why when it cannot be compiled."""

    layers: tuple[LayerSummary, ...]
    inputs: tuple[EdgeSummary, ...]
    outputs: tuple[EdgeSummary, ...]
    arena: ArenaSummary | None
    instructions: Mapping[str, int]
    """Of one inference by architecture, as predicted, the frame's quantising included; empty without an arena."""
    problems: tuple[str, ...]
    notes: tuple[str, ...]
    """What a board does otherwise than the file says."""

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one frame, those with padding counted."""
        return sum(layer.macs for layer in self.layers)

    @property
    def weight_bytes(self) -> int:
        """Bytes of constants that the layers read."""
        return sum(layer.weight_bytes for layer in self.layers)


def describe(data: bytes, path: Path) -> ModelSummary:
    """The ModelSummary of the bytes of the `.tflite` at `path`; TinysealError only for a damaged file."""
    model = read_model(data, path)
    network = read_network(model)
    notes: tuple[str, ...] = ()
    costs: Mapping[int, LayerCost] = {}
    instructions: Mapping[str, int] = {}
    if isinstance(network, Unsupported):
        arena, problems = None, network.problems
    else:
        plan = plan_network(network)
        arena, problems = ArenaSummary(plan.arena_len, plan.lower_bound, max(live_bytes(plan.buffers))), ()
        costs, notes = _costs(plan), _notes(network)
        edges = {"input_len": network.input.size, "output_len": network.output.size}
        instructions = {
            name: predicted_step(FRAME, edges, name) + sum(cost.instructions[name] for cost in costs.values())
            for name in ARCHITECTURES
        }
    return ModelSummary(
        layers=tuple(_layer(model, operator, costs.get(operator.number)) for operator in model.operators),
        inputs=tuple(_edge(model, index) for index in model.inputs),
        outputs=tuple(_edge(model, index) for index in model.outputs),
        arena=arena,
        instructions=instructions,
        problems=problems,
        notes=notes,
    )


def _costs(plan: Plan) -> dict[int, LayerCost]:
    """By layer number."""
    live = live_bytes(plan.buffers)
    scratch = live_bytes([buffer for buffer in plan.buffers if buffer.scratch])
    scratch += [0] * (len(live) - len(scratch))
    found = {}
    for number, steps in plan.layers.items():
        fullest = max(steps, key=lambda step: live[step])
        tables = {table for step in steps for table in plan.steps[step].tables.values()}
        instructions = {
            name: sum(predicted_step(plan.steps[step].name, plan.steps[step].values, name) for step in steps)
            for name in ARCHITECTURES
        }
        found[number] = LayerCost(sum(map(len, tables)), live[fullest], scratch[fullest], instructions)
    return found


def _notes(network: Network) -> tuple[str, ...]:
    if not network.left_out:
        return ()
    if network.left_out == "QUANTIZE":
        return ("the last QUANTIZE is left out: outputs are int8, those of the file are uint8 = output + 128",)
    scale, zero_point = float(network.output.scales[0]), int(network.output.zero_points[0])
    return (f"the last DEQUANTIZE is left out: outputs are int8, value = {scale:g} * (output - {zero_point})",)


def _layer(model: Model, operator: Operator, cost: LayerCost | None) -> LayerSummary:
    shape = model.tensors[operator.outputs[0]].shape if operator.outputs else ()
    macs = 0
    if operator.name in _WEIGHTED and len(operator.inputs) > 1 and operator.inputs[1] != ABSENT:
        weights = model.tensors[operator.inputs[1]].shape
        macs = math.prod(shape) * math.prod(weights[_WEIGHTED[operator.name]])
    constants = (model.tensors[index].data_bytes for index in operator.inputs if index != ABSENT)
    return LayerSummary(operator.number, operator.name, shape_text(shape), macs, sum(constants), cost)


def _edge(model: Model, index: int) -> EdgeSummary:
    tensor = model.tensors[index]
    scale = float(tensor.scales[0]) if tensor.scales.size else None
    zero_point = int(tensor.zero_points[0]) if tensor.zero_points.size else None
    return EdgeSummary(tensor.type, shape_text(tensor.shape), scale, zero_point)
