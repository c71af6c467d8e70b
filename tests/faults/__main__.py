"""`python -m faults`: faults put into the example's test frames; a line for each kind and level.

The limits come from the training recordings. With `--training` those are the frames as well, a tenth of them at a time
held against limits that the other nine tenths gave: that is where the choice of checks and margins comes from.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache

import numpy as np
from tinyseal_host.contract_toml import read_contract

from .contracts import CHANNELS, contract
from .injections import FAULTS
from .network import FOLDER
from .trial import HEAD, REACHES, Outcome, Trial

_TENTHS = 10


def test_split() -> Trial:
    """The test frames against motion.toml."""
    frames = _load("frames.npy")
    return Trial(frames, [read_contract(FOLDER / "motion.toml")] * len(frames), _load("training.npy"))


def training_split() -> Trial:
    """The training frames, each against the contract that those of the other tenths give."""
    frames = _load("training.npy")
    tenth = np.arange(len(frames)) % _TENTHS
    made = [contract(frames[tenth != number].reshape(int((tenth != number).sum()), -1)) for number in range(_TENTHS)]
    return Trial(frames, [made[number] for number in tenth], frames)


SPLITS: dict[str, Callable[[], Trial]] = {"test": cache(test_split), "training": cache(training_split)}
Job = tuple[str, int]


def jobs() -> list[Job]:
    """What is run: the clean frames, every fault, and the adversary at every reach."""
    faults = [("fault", number) for number in range(len(FAULTS))]
    return [("clean", 0), *faults, *(("adversary", number) for number in range(len(REACHES)))]


def run(split: str, job: Job) -> Outcome:
    """One job."""
    trial, (what, number) = SPLITS[split](), job
    if what == "clean":
        return trial.clean()
    return trial.run(FAULTS[number]) if what == "fault" else trial.attack(REACHES[number])


def last_line(outcomes: Sequence[Outcome]) -> str:
    """The summary; the first outcome is that of the clean frames."""
    clean, *faulty = outcomes
    kinds = len({outcome.kind for outcome in faulty})
    return f"faults: {kinds} kinds, {clean.refused} clean frames refused of {clean.frames}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run all on as many processes as there are cores."""
    parser = argparse.ArgumentParser(prog="faults", description="What the gate catches, and what it costs.")
    parser.add_argument("--training", action="store_true", help="the training frames, cross-validated")
    split = "training" if parser.parse_args(arguments).training else "test"
    print(HEAD)
    outcomes = []
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for outcome in pool.map(run, [split] * len(jobs()), jobs()):
            print(outcome, flush=True)
            outcomes.append(outcome)
    print(last_line(outcomes))
    return 0


def _load(name: str) -> np.ndarray:
    """float32 [frames, samples, channels]."""
    frames = np.load(FOLDER / name)
    return frames.reshape(len(frames), -1, CHANNELS)


if __name__ == "__main__":
    sys.exit(main())
