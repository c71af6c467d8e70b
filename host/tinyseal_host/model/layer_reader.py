"""What reading any operator has in common: its tensors, what activations must be, and the list of its problems."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from typing import cast

import numpy as np

from .fusing import Spacing
from .quantisation import INT8_MAX, INT8_MIN, Int64, Multiplier
from .tflite_reader import ABSENT, Model, Operator, Tensor, shape_text

MAX_SHIFTED = 1 << 29
"""The kernels' bound on |accumulator * 2^left|, FORMAT.md "Rows table"."""
_MAX_LEFT = 28
_MAX_FEW = 4
ACTIVATIONS = ("NONE", "RELU", "RELU6")
"""Fused activations that are computed."""


class LayerReader:
    """One operator of `model`, which may read the tensors `known`; what is wrong with it gathers in `problems`.

    `spacing` is what stands around a convolution and is computed with it.
    """

    def __init__(
        self, model: Model, operator: Operator, known: AbstractSet[int], spacing: Spacing | None = None
    ) -> None:
        self.problems: list[str] = []
        self.operator = operator
        self.spacing = spacing
        self._model = model
        self.activations: list[Tensor] = []
        self._known = known
        self._inputs = [None if index == ABSENT else model.tensors[index] for index in operator.inputs]
        self._outputs = [model.tensors[index] for index in operator.outputs]

    @property
    def weight_bytes(self) -> int:
        """Bytes of the operator's constant inputs."""
        return sum(tensor.data_bytes for tensor in self._inputs if tensor is not None)

    @property
    def input(self) -> Tensor:
        """The activation that is read; an empty tensor when there is none."""
        return self.tensor(0)

    @property
    def output(self) -> Tensor:
        """The activation that is written; `check_tensors` holds that there is one."""
        return self._outputs[0]

    def tensor(self, position: int) -> Tensor:
        """An input; an empty tensor when there is none."""
        return self.optional(position) or _MISSING

    def optional(self, position: int) -> Tensor | None:
        """An input that the operator may do without."""
        return self._inputs[position] if position < len(self._inputs) else None

    def refuse(self, text: str) -> None:
        """Add a problem."""
        self.problems.append(text)

    def check_counts(self, least: int, most: int) -> bool:
        """Whether there are `least` to `most` inputs and one output; refuses anything else."""
        if not least <= len(self._inputs) <= most or len(self._outputs) != 1:
            counts = f"{len(self._inputs)} inputs and {len(self._outputs)} outputs"
            self.refuse(f"has {counts}, wanted {least if least == most else f'{least} to {most}'} and 1")
            return False
        return True

    def check_activations(self, positions: Iterable[int]) -> None:
        """Refuse all but int8 activations, in order, at these inputs and the output; `activations` are those inputs."""
        self.activations = [self.tensor(position) for position in positions]
        named = [("input", tensor) for tensor in self.activations] + [("output", self.output)]
        for what, tensor in named:
            self.problems += [f"{what} {text}" for text in activation_problems(tensor)]
        for tensor in self.activations:
            if tensor.index not in self._known:
                self.refuse(f"reads tensor {tensor.index}, which no earlier layer computes")
        if self.output.index in self._known:
            self.refuse(f"writes tensor {self.output.index} again")

    def constant(self, position: int, what: str, type_name: str) -> Tensor | None:
        """A plain constant input of that type; None after a refusal."""
        tensor = self.tensor(position)
        if tensor.data is None or tensor.type != type_name or not tensor.plain:
            self.refuse(f"{what} are {shape_text(tensor.shape)} {tensor.type}, wanted plain constant {type_name}")
            return None
        return tensor

    def integers(self, position: int, what: str) -> list[int] | None:
        """The values of a constant INT32 input; None after a refusal."""
        tensor = self.constant(position, what, "INT32")
        return None if tensor is None or tensor.data is None else [int(value) for value in tensor.data.flat]

    def integers_of(self, operator: Operator, position: int) -> list[int]:
        """The few values of a constant INT32 input of another operator; nothing when it has none, or many."""
        index = operator.inputs[position] if position < len(operator.inputs) else ABSENT
        tensor = _MISSING if index == ABSENT else self._model.tensors[index]
        if tensor.data is None or tensor.type != "INT32" or not tensor.plain or tensor.size > _MAX_FEW:
            return []
        return [int(value) for value in tensor.data.flat]

    def option(self, name: str) -> int:
        """An option that is an integer."""
        return cast(int, self.operator.options[name])

    def activation(self) -> str | None:
        """The fused activation; None after a refusal."""
        activation = str(self.operator.options["activation"])
        if activation not in ACTIVATIONS:
            self.refuse(f"activation is {activation}, wanted {', '.join(ACTIVATIONS)}")
            return None
        return activation

    @property
    def input_count(self) -> int:
        """How many inputs the operator names."""
        return len(self._inputs)

    def check_bound(self, bound: Int64, multiplier: Multiplier) -> None:
        """Refuse what the kernels' 32 bits cannot hold; `bound` is the greatest |accumulator| of each output."""
        left = int(multiplier.left.max())
        if left > _MAX_LEFT:
            self.refuse(f"scales ask for a left shift of {left}, wanted at most {_MAX_LEFT}")
            return
        worst = int((bound << multiplier.left).max())
        if worst >= MAX_SHIFTED:
            self.refuse(f"accumulator can reach {worst}, wanted below {MAX_SHIFTED}")


def activation_problems(tensor: Tensor) -> list[str]:
    """Why a tensor cannot be an int8 activation with one scale."""
    problems = quantisation_problems(tensor)
    if tensor.data_bytes:
        problems.append("is a constant, wanted an activation")
    if not tensor.plain:
        problems.append("is sparse or a variable, wanted a plain tensor")
    if tensor.size == 0:
        problems.append(f"has no values (shape {shape_text(tensor.shape)})")
    return problems


def quantisation_problems(tensor: Tensor) -> list[str]:
    """Why a tensor is not int8 with one scale."""
    if tensor.type != "INT8":
        return [f"is {tensor.type}, wanted INT8"]
    if len(tensor.scales) != 1 or len(tensor.zero_points) != 1:
        return [f"has {len(tensor.scales)} scales and {len(tensor.zero_points)} zero points, wanted 1 of each"]
    if not (np.isfinite(tensor.scales[0]) and tensor.scales[0] > 0):
        return [f"has scale {tensor.scales[0]}, wanted a positive number"]
    if not INT8_MIN <= tensor.zero_points[0] <= INT8_MAX:
        return [f"has zero point {tensor.zero_points[0]}, wanted {INT8_MIN} to {INT8_MAX}"]
    return []


def quantisation(tensor: Tensor) -> tuple[float, int]:
    """Scale and zero point of a checked activation."""
    return float(tensor.scales[0]), int(tensor.zero_points[0])


_MISSING = Tensor(ABSENT, "missing", (), np.empty(0, np.float32), np.empty(0, np.int64), 0, 0, None, True)
