"""Predicted instructions against counts of the shipped machine code in emulation."""

import os
from pathlib import Path

import numpy as np
import pytest
from bench.emulated_net import EmulatedNet
from bench.engine_models import EXAMPLE, bench_model
from bench.fit import Sample, fit, random_samples, samples_of
from compiling import FLOAT_MODELS, SUPPORTED_MODELS
from emulation import ARCHITECTURES, Architecture
from tinyseal_host.model.instructions import FRAME, predicted, predicted_step, work_of
from tinyseal_host.program import OPERATORS

_WITHIN = 0.05
_SEED = 99  # other layers than those that the costs are fitted to
_NAMES = {*(name for name, _ in OPERATORS.values()), FRAME}


@pytest.fixture(scope="module")
def nets() -> dict[Architecture, EmulatedNet]:
    return {architecture: EmulatedNet(architecture) for architecture in ARCHITECTURES}


def error(found: int, counted: int) -> float:
    return abs(found - counted) / counted


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_steps_of_random_layers(architecture: Architecture) -> None:
    samples = random_samples(architecture, _SEED, 3)
    assert {sample.name for sample in samples} == _NAMES
    for sample in samples:
        found = predicted_step(sample.name, sample.operands, architecture)
        assert error(found, sample.instructions) < _WITHIN, (sample, found)


def small(name: str) -> bool:
    """On Xtensa the largest take half a minute: `make bench` has them."""
    return name not in ("kws_ref_model.tflite", "pretrainedResnet_quant.tflite")


_MODELS = ["example", *SUPPORTED_MODELS, *FLOAT_MODELS]
_RUNS = [(name, architecture) for name in _MODELS for architecture in ARCHITECTURES]


@pytest.mark.parametrize(("name", "architecture"), [run for run in _RUNS if small(run[0]) or run[1] == "rv32imc"])
def test_whole_models(name: str, architecture: Architecture, nets: dict[Architecture, EmulatedNet]) -> None:
    """The sum, and every step that matters."""
    folder = os.environ.get("TINYSEAL_MODELS")
    if name != "example" and not folder:
        pytest.skip("TINYSEAL_MODELS names no folder of public models")
    model = bench_model(EXAMPLE if name == "example" else Path(folder or "") / name)
    samples = samples_of(nets[architecture], model.body, model.frame)
    whole = sum(sample.instructions for sample in samples)
    assert error(predicted(model.program, architecture), whole) < _WITHIN
    for sample in samples:
        if sample.instructions > whole / 100 and sample.name != FRAME:
            found = predicted_step(sample.name, sample.operands, architecture)
            assert error(found, sample.instructions) < _WITHIN, (sample, found)


def test_fitting_finds_the_costs_behind_the_counts() -> None:
    rng = np.random.default_rng(1)
    samples = []
    for length, period in rng.integers(1, 500, (20, 2)).tolist():
        operands = {"length": length * period, "period": period}
        work = work_of("MUL", operands)
        samples.append(Sample("MUL", operands, 90 * work["call"] + 7 * work["value"] + 2 * work["turn"]))
    assert fit(samples) == pytest.approx({"call": 90, "value": 7, "turn": 2}, abs=0.02)


def test_no_cost_is_below_zero() -> None:
    """A thing that makes a step cheaper stands for something else: it is left out, and the rest fitted without it."""
    samples = [
        Sample("MUL", {"length": 100 * n, "period": period}, 1000 + 700 * n - 100 * n // period)
        for n in range(1, 10)
        for period in (2, 5)
    ]
    costs = fit(samples)
    assert costs["turn"] == 0
    assert min(costs.values()) >= 0
