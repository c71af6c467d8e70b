"""What reading any operator has in common: its tensors, what activations must be, and the list of its problems."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

import numpy as np

from .quantisation import INT8_MAX, INT8_MIN, Int64, Multiplier
from .tflite_reader import ABSENT, Model, Operator, Tensor, shape_text

_MAX_SHIFTED = 1 << 29  # the kernels' bound on |accumulator * 2^left|, FORMAT.md "Rows table"
_MAX_LEFT = 28


class LayerReader:
    """One operator of `model`, which may read the tensors `known`; what is wrong with it gathers in `problems`."""

    def __init__(self, model: Model, operator: Operator, known: AbstractSet[int]) -> None:
        self.problems: list[str] = []
        self.operator = operator
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

    def check_tensors(self, least: int, most: int) -> None:
        """Refuse all but `least` to `most` inputs and one output, and all but int8 activations in order."""
        if not least <= len(self._inputs) <= most or len(self._outputs) != 1:
            counts = f"{len(self._inputs)} inputs and {len(self._outputs)} outputs"
            self.refuse(f"has {counts}, wanted {least if least == most else f'{least} to {most}'} and 1")
            return
        for what, tensor in (("input", self.input), ("output", self.output)):
            self.problems += [f"{what} {text}" for text in activation_problems(tensor)]
        if self.input.index not in self._known:
            self.refuse(f"reads tensor {self.input.index}, which no earlier layer computes")
        if self.output.index in self._known:
            self.refuse(f"writes tensor {self.output.index} again")

    def check_bound(self, bound: Int64, multiplier: Multiplier) -> None:
        """Refuse what the kernels' 32 bits cannot hold; `bound` is the greatest |accumulator| of each output."""
        left = int(multiplier.left.max())
        if left > _MAX_LEFT:
            self.refuse(f"scales ask for a left shift of {left}, wanted at most {_MAX_LEFT}")
            return
        worst = int((bound << multiplier.left).max())
        if worst >= _MAX_SHIFTED:
            self.refuse(f"accumulator can reach {worst}, wanted below {_MAX_SHIFTED}")


def activation_problems(tensor: Tensor) -> list[str]:
    """Why a tensor cannot be an int8 activation with one scale."""
    problems = []
    if tensor.type != "INT8":
        problems.append(f"is {tensor.type}, wanted INT8")
    elif len(tensor.scales) != 1 or len(tensor.zero_points) != 1:
        problems.append(f"has {len(tensor.scales)} scales and {len(tensor.zero_points)} zero points, wanted 1 of each")
    elif not (np.isfinite(tensor.scales[0]) and tensor.scales[0] > 0):
        problems.append(f"has scale {tensor.scales[0]}, wanted a positive number")
    elif not INT8_MIN <= tensor.zero_points[0] <= INT8_MAX:
        problems.append(f"has zero point {tensor.zero_points[0]}, wanted {INT8_MIN} to {INT8_MAX}")
    if tensor.data_bytes:
        problems.append("is a constant, wanted an activation")
    if not tensor.plain:
        problems.append("is sparse or a variable, wanted a plain tensor")
    if tensor.size == 0:
        problems.append(f"has no values (shape {shape_text(tensor.shape)})")
    return problems


def quantisation(tensor: Tensor) -> tuple[float, int]:
    """Scale and zero point of a checked activation."""
    return float(tensor.scales[0]), int(tensor.zero_points[0])


_MISSING = Tensor(ABSENT, "missing", (), np.empty(0, np.float32), np.empty(0, np.int64), 0, 0, None, True)
