"""One fault in every frame: what the gate says, and what the network says of what the gate lets through."""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from tinyseal_host.contract import Contract
from tinyseal_host.errors import Status
from tinyseal_host.gate import examine

from .adversary import attack
from .injections import FAULTS, Fault, Scene
from .network import Classifier

SEED = 5
REACHES = (0.1, 0.3, 1.0)
"""How far an adversary moves a value, in standard deviations of its channel in the training recordings."""


@dataclass
class Outcome:
    """Of one kind of fault at one level: frames by status, and how many that passed change class."""

    kind: str
    level: str
    statuses: Counter[Status] = field(default_factory=Counter)
    changed: int = 0

    @property
    def frames(self) -> int:
        return self.statuses.total()

    @property
    def passed(self) -> int:
        return self.statuses[Status.OK]

    @property
    def refused(self) -> int:
        return self.frames - self.passed

    def __str__(self) -> str:
        refusals = sorted(status for status in self.statuses if status is not Status.OK)
        reasons = ", ".join(f"{status.name.lower()} {self.statuses[status]}" for status in refusals)
        share = f"{self.changed} of {self.passed}"
        return f"{self.kind:<18} {self.level:<20} {self.frames:>6} {self.refused:>8} {share:>11}  {reasons}".rstrip()


HEAD = f"{'fault':<18} {'level':<20} {'frames':>6} {'refused':>8} {'misled':>11}  refused for"


class Trial:
    """Frames, float32 [frames, samples, channels], each with the contract that it is held against.

    `training`, in the same shape, says how strong a fault is.
    """

    def __init__(self, frames: np.ndarray, contracts: list[Contract], training: np.ndarray) -> None:
        self._frames, self._contracts = frames, contracts
        self._least, self._greatest = training.min(axis=(0, 1)), training.max(axis=(0, 1))
        self._deviation = training.std(axis=(0, 1), dtype=np.float64)
        self._classifier = Classifier()
        self._answers = [self._classifier.top(frame) for frame in frames]

    def clean(self) -> Outcome:
        """The frames as they are."""
        outcome = Outcome("none", "clean")
        for number, frame in enumerate(self._frames):
            self._hold(outcome, number, frame)
        return outcome

    def run(self, fault: Fault) -> Outcome:
        """Every variant of a fault in every frame."""
        outcome = Outcome(fault.kind, fault.level)
        for number in range(len(self._frames)):
            for faulty in fault.variants(self._scene(FAULTS.index(fault), number)):
                self._hold(outcome, number, faulty)
        return outcome

    def attack(self, reach: float) -> Outcome:
        """An adversary at every frame."""
        outcome = Outcome("adversary", f"{reach:g} deviation{'' if reach == 1 else 's'}")
        far = (reach * self._deviation).astype(np.float32)
        for number, frame in enumerate(self._frames):
            rng = np.random.default_rng([SEED, len(FAULTS), number])

            def passes(tried: np.ndarray, number: int = number) -> bool:
                return self._status(number, tried) is Status.OK

            self._hold(outcome, number, attack(frame, far, self._classifier.scores, passes, rng))
        return outcome

    def _scene(self, fault: int, number: int) -> Scene:
        rng = np.random.default_rng([SEED, fault, number])
        before = self._frames[number - 1]
        return Scene(self._frames[number], before, self._least, self._greatest, self._deviation, rng)

    def _status(self, number: int, frame: np.ndarray) -> Status:
        return examine(np.ascontiguousarray(frame, np.float32), self._contracts[number]).status

    def _hold(self, outcome: Outcome, number: int, frame: np.ndarray) -> None:
        status = self._status(number, frame)
        outcome.statuses[status] += 1
        if status is Status.OK:
            outcome.changed += self._classifier.top(frame.astype(np.float32)) != self._answers[number]
