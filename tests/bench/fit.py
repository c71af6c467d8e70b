"""Fits the costs with which `inspect` predicts instructions, to counts of random layers on emulated boards.

    PYTHONPATH=tests .venv/bin/python -m bench.fit

writes `instruction_costs.json` anew, in about a minute. To be run when a kernel has changed; the same kernels give the
same file.
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from compiling import compile_bytes, frames_of
from emulation import Architecture
from tinyseal_host.formats import SIGNATURE_LEN, parse_release
from tinyseal_host.model.instructions import ARCHITECTURES, COSTS, FRAME, Operands, frame_operands, work_of
from tinyseal_host.program import OPERATORS

from . import layer_files
from .emulated_net import Cost, EmulatedNet, Inference
from .layer_files import LayerFile

_LAYERS = 16  # of each kind
_SEED = 3


@dataclass(frozen=True)
class Sample:
    """A step that was run: its name and operands, and the instructions that it took."""

    name: str
    operands: Operands
    instructions: int


def random_layers(rng: np.random.Generator, kinds: int) -> Iterator[LayerFile]:
    """`kinds` files of every kind, of sizes as small models have them."""
    for _ in range(kinds):
        seed = int(rng.integers(1 << 30))
        size = int(rng.integers(3, 24)), int(rng.integers(3, 24))
        c, m = (int(2 ** rng.uniform(0, 6)) for _ in range(2))
        kernel = int(rng.integers(1, 5)), int(rng.integers(1, 5))
        stride, padding = int(rng.integers(1, 3)), str(rng.choice(["SAME", "VALID"]))
        kernel = tuple(min(n, most) for n, most in zip(kernel, size, strict=True))
        window = {"stride": stride, "padding": padding, "seed": seed}
        shape = (1, *size, min(c, 7))
        yield layer_files.dense(int(rng.integers(1, 700)), int(rng.integers(1, 140)), seed=seed)
        yield layer_files.dense(int(rng.integers(1, 70)), int(rng.integers(1, 20)), seed=seed)
        yield layer_files.convolution(size, c, m, (1, 1), seed=seed)
        yield layer_files.convolution(size, min(c, 20), min(m, 20), kernel, **window)
        yield layer_files.convolution((1, size[0] * size[1]), min(c, 20), m, (1, kernel[1] + 1), seed=seed)
        yield layer_files.convolution(size, 8 * int(rng.integers(1, 4)), min(m, 20), (3, kernel[1]), **window)
        yield layer_files.depthwise(size, min(c, 20) + 1, (3, 3), **window)
        yield layer_files.depthwise(size, min(c, 20), kernel, multiplier=int(rng.choice([1, 1, 1, 3])), **window)
        yield layer_files.mean(size, c, seed=seed)
        yield layer_files.softmax(int(rng.choice([1, 1, 5])), int(rng.integers(2, 60)), seed=seed)
        yield layer_files.logistic(shape, seed=seed)
        yield layer_files.pad(size, min(c, 4), int(rng.integers(1, 4)), seed=seed)
        yield layer_files.transpose(shape, (0, *(1 + rng.permutation(3)).tolist()), seed=seed)
        for name in ("MAX_POOL_2D", "AVERAGE_POOL_2D"):
            yield layer_files.pool(name, size, min(c, 20), kernel, **window)
            yield layer_files.pool(name, size, c, size, seed=seed)
        for name in ("ADD", "SUB", "MUL", "MINIMUM", "MAXIMUM"):
            scale = 0.04 if seed & 1 else 0.0413
            yield layer_files.pair(name, shape, constant=bool(rng.integers(2)), scale=scale, seed=seed)


def samples_of(net: EmulatedNet, body: bytes, frame: np.ndarray) -> list[Sample]:
    """Of the steps of one inference, and of what is no step."""
    program = parse_release(body + bytes(SIGNATURE_LEN)).program
    inference: Inference = net.run(body, frame)
    steps = zip(program.steps, inference.steps, strict=True)
    around = inference.whole - sum(inference.steps, Cost(0, 0))
    return [
        *(Sample(step.name, step.operands, cost.instructions) for step, cost in steps),
        Sample(FRAME, frame_operands(program), around.instructions),
    ]


def random_samples(architecture: Architecture, seed: int, kinds: int) -> list[Sample]:
    """Of random layers."""
    net = EmulatedNet(architecture)
    found: list[Sample] = []
    for file in random_layers(np.random.default_rng(seed), kinds):
        found += samples_of(net, compile_bytes(file.data), frames_of(file.data, [file.frame])[0])
    return found


def fit(samples: list[Sample]) -> dict[str, float]:
    """The costs, none below zero, that leave the least squares of relative errors for steps of one name."""
    works = [work_of(sample.name, sample.operands) for sample in samples]
    counts = np.array([sample.instructions for sample in samples], float)
    units = list(works[0])
    kept = units
    while True:
        matrix = np.array([[work[unit] for unit in kept] for work in works], float) / counts[:, None]
        found = dict(zip(kept, np.linalg.lstsq(matrix, np.ones(len(works)), rcond=None)[0], strict=True))
        lowest = min(kept, key=found.__getitem__)
        if found[lowest] >= 0:
            return {unit: round(float(found.get(unit, 0)), 2) for unit in units}
        kept = [unit for unit in kept if unit != lowest]


def main() -> None:
    """Write the file."""
    costs: dict[str, dict[str, dict[str, float]]] = {}
    for architecture in ARCHITECTURES:
        by_name: dict[str, list[Sample]] = defaultdict(list)
        for sample in random_samples(architecture, _SEED, _LAYERS):
            by_name[sample.name].append(sample)
        costs[architecture] = {name: fit(by_name[name]) for name in [*(n for n, _ in OPERATORS.values()), FRAME]}
    COSTS.write_text(json.dumps(costs, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
