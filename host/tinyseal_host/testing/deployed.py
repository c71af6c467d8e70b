"""The model under test, on a board: what it is, and what the host says that it must answer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .. import gate
from ..api import Board, Keys, build
from ..board.inference import Frames, Run, fit_frames
from ..contract_toml import read_contract
from ..errors import Status, TinysealError
from ..files import MODEL_LIMIT, read_bounded
from ..model import reference
from ..model.network import Network, read_network
from ..model.selftest import physical
from ..model.tflite_reader import read_model


@dataclass(frozen=True)
class DeployedModel:
    """A model that a board has accepted: its release's name, version, labels and bytes, and the files it is from."""

    board: Board
    name: str
    version: int
    labels: tuple[str, ...]
    release: bytes
    path: Path
    contract: Path

    def infer(self, frames: Frames) -> Run:
        """`Board.infer`."""
        return self.board.infer(frames)

    def expected(self, frames: Frames) -> list[tuple[Status, tuple[int, ...]]]:
        """What the host computes for frames [n, values]: what the gate says of each, and the int8 outputs if OK.

        By the host's own gate and reference, which know nothing of the board's code. TinysealError.
        """
        rules = read_contract(self.contract)
        network = read_network(read_model(read_bounded(self.path, MODEL_LIMIT), self.path))
        if not isinstance(network, Network):
            raise TinysealError(f"{self.path}: {network.problems[0]}")
        found: list[tuple[Status, tuple[int, ...]]] = []
        for frame in np.ascontiguousarray(fit_frames(frames, rules.type, "frames")):
            status = gate.check(frame, rules)
            scores = () if status else tuple(reference.run(network, physical(frame, rules)).tolist())
            found.append((status, scores))
        return found


def deploy(board: Board, keys: Keys, model: Path, contract: Path) -> DeployedModel:
    """Build, seal and push, in the oldest version that the board still accepts: testing does not raise its floor."""
    status = board.status() or {"floor": 0, "slots": []}
    versions = [slot.get("version", 0) for slot in status["slots"] if slot]
    release = build(model, contract, version=max(1, status["floor"], *versions), keys=keys)
    pushed = board.deploy(release, keys).pushed
    return DeployedModel(board, pushed.name, pushed.version, pushed.labels, release, model, contract)
