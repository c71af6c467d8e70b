"""The campaign cut into parts, each of which runs in a process of its own."""

import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tflite_boundaries import BOUNDARIES
from tflite_fusing import EDGES
from tflite_graphs import branches
from tflite_parts import RandomModel
from tflite_strategies import STRATEGIES
from tinyseal_host import example

from conformance.cases import NotSupportedError, draw, public_model
from conformance.judging import judge
from conformance.tally import Tally

_A_START = 40  # cases of one start of the VM
_FRAMES = 12  # of noise, and as many of extremes, for each model
_GRAPHS = {name: STRATEGIES[name] for name in ("network", "residual", "stack")} | {"branches": branches()}
_OPERATORS = {name: strategy for name, strategy in STRATEGIES.items() if name not in _GRAPHS}
RANDOM = {
    "operators": _OPERATORS | {f"{name} edges": strategy for name, strategy in EDGES.items()},
    "graphs": _GRAPHS,
    "boundaries": BOUNDARIES,
}
"""The strategies of the stages that draw files, by name."""
_SHARE = {"operators": 1, "graphs": 4, "boundaries": 2}  # of the cases of a strategy, in units of --cases
_SAMPLED = {"machine-code": ("rv32imc", "xtensawin"), "plain": ("plain",)}
"""Stages that run some cases of all strategies by engines of their own."""
_SAMPLE = 20  # one case in so many
STAGES = ("models", "operators", "graphs", "boundaries", *_SAMPLED)


class Part(NamedTuple):
    """What one call of `run` does; `name` is of a strategy or a path."""

    stage: str
    kind: str
    name: str
    count: int
    seed: int


def parts(stage: str, cases: int, seed: int) -> Iterator[Part]:
    """The parts of a stage with `cases` cases an operator."""
    if stage == "models":
        for path in model_paths():
            yield Part(stage, stage, str(path), _FRAMES, seed)
        return
    for kind, strategies in RANDOM.items():
        if stage != kind and stage not in _SAMPLED:
            continue
        count = cases * _SHARE[kind] if stage == kind else max(1, cases * _SHARE[kind] // _SAMPLE)
        for name in strategies:
            for start in range(0, count, _A_START):
                number = zlib.crc32(f"{seed} {stage} {kind} {name} {start}".encode())
                yield Part(stage, kind, name, min(_A_START, count - start), number)


def model_paths() -> list[Path]:
    """The files that TINYSEAL_MODELS leads to, or the example's."""
    folder = os.environ.get("TINYSEAL_MODELS")
    if not folder:
        return [Path(example.__file__).with_name("motion.tflite")]
    return sorted(Path(folder).glob("*.tflite"))


def run(part: Part, folder: Path) -> Tally:
    """The Tally of a part; what fails is kept in `folder`."""
    if part.stage == "models":
        return _run_model(part, folder)
    models = draw(RANDOM[part.kind][part.name], part.count, part.seed)
    engines = _SAMPLED.get(part.stage, ("host", "board"))
    where = f"{part.stage}, {part.name}, part seed {part.seed}"
    return judge(models, engines, folder, where)


def _run_model(part: Part, folder: Path) -> Tally:
    path = Path(part.name)
    try:
        model: RandomModel = public_model(path, part.count, part.seed)
    except NotSupportedError as error:
        return Tally(models=1, differ=1, wrong=[f"{path}: refused: {error}"])
    tally = judge([model], ("host", "board"), folder, str(path))
    return Tally(models=1, values=tally.values, differ=tally.differ, wrong=tally.wrong)
