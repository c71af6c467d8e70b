"""One inference on an emulated board: instructions and leaf calls of every step."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from emulation import Architecture
from tinyseal_host.formats import SIGNATURE_LEN

from .emulated_board import EmulatedBoard, modules_behind

_VERSION = 3  # what `compile_bytes` gives


@dataclass(frozen=True)
class Cost:
    """Instructions inside of leaves, and how often leaves were called."""

    instructions: int
    calls: int

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.instructions + other.instructions, self.calls + other.calls)

    def __sub__(self, other: "Cost") -> "Cost":
        return Cost(self.instructions - other.instructions, self.calls - other.calls)


@dataclass(frozen=True)
class Inference:
    """The int8 output, what each step of the program took, and what all did, with quantising and finishing."""

    output: np.ndarray
    steps: list[Cost]
    whole: Cost


class EmulatedNet:
    """Runs networks with the leaves of one architecture; bounds of memory accesses are not checked, for speed."""

    def __init__(self, architecture: Architecture) -> None:
        self._board = EmulatedBoard(architecture, modules_behind("release", "net"), strict=False)

    def run(self, body: bytes, frame: np.ndarray) -> Inference:
        """Of a release but for its signature, which is not looked at, and a float32 frame."""
        release = bytearray(body + bytes(SIGNATURE_LEN))
        parts = self._board.modules["release"].Release(release, _VERSION)
        net = self._board.modules["net"].Net(
            release, parts.program_at, parts.program_len, parts.tables_at, parts.tables_len
        )
        steps: list[Cost] = []
        net._steps = [_Counted(step, self, steps) for step in net._steps]
        self._board.forget()
        net.run(bytearray(frame.astype("<f4").tobytes()))
        return Inference(np.array(net.output, np.int8), steps, self.cost())

    def cost(self) -> Cost:
        """Of all leaves since the inference began."""
        return Cost(self._board.instructions.total(), self._board.calls.total())


class _Counted:
    """A step that notes what it took."""

    def __init__(self, step: Any, net: EmulatedNet, costs: list[Cost]) -> None:
        self._step, self._net, self._costs = step, net, costs

    def run(self, *arguments: Any) -> None:
        before = self._net.cost()
        self._step.run(*arguments)
        self._costs.append(self._net.cost() - before)
