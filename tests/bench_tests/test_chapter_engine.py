"""The chapter "engine" counts what it says, and tells wrong answers from right ones."""

import json
import re
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bench import chapter_engine, engine_times, plain_network
from bench.emulated_board import EmulatedBoard
from bench.emulated_net import Cost, EmulatedNet
from bench.engine_cases import CASES
from bench.engine_models import EXAMPLE, BenchModel, bench_model, model_paths, name_of
from bench.plain_layers import plain_layers
from compiling import compile_bytes, frames_of
from tinyseal_host.model.network import read_network
from tinyseal_host.model.steps import macs_of
from tinyseal_host.model.tflite_reader import read_model

_QUICK = ("dense_640x128", "conv_1d", "softmax")
_NOTE = re.compile(r"(.+; )?[\d.]+ with \d+ calls?; .+")


@pytest.fixture(scope="module")
def rv32() -> EmulatedNet:
    return EmulatedNet("rv32imc")


@pytest.fixture(scope="module")
def motion() -> BenchModel:
    return bench_model(EXAMPLE)


@pytest.mark.parametrize("name", CASES)
def test_a_layer_s_line(name: str, rv32: EmulatedNet) -> None:
    (line,) = chapter_engine.case_lines(name, {"rv32imc": rv32})
    assert line.fault == ""
    assert line.name == name
    assert line.figure > 2  # what is loaded, multiplied, added and stored cannot take less
    assert _NOTE.fullmatch(line.note), line.note


@pytest.mark.parametrize("name", CASES)
def test_macs_are_counted_as_the_compiler_has_them(name: str) -> None:
    case = CASES[name]()
    layers = read_network(read_model(case.file.data, Path(name))).layers
    (layer,) = layers[case.file.before : len(layers) - case.file.after]
    if case.unit == "instructions/MAC":
        assert case.count == macs_of(layer.computation)
    else:
        sizes = {layer.output.size, layer.inputs[0].size}
        assert case.count in sizes


def test_an_inference_is_its_steps_and_the_frame_s_quantising(rv32: EmulatedNet) -> None:
    """What is in no step is quantising 640 values and finishing 128: far below what the layer takes, and not zero."""
    file = CASES["dense_640x128"]().file
    inference = rv32.run(compile_bytes(file.data), frames_of(file.data, [file.frame])[0])
    steps = sum(inference.steps, Cost(0, 0))
    around = inference.whole - steps
    assert len(inference.steps) == 1
    assert around.calls == 2
    assert 640 * 10 < around.instructions < 640 * 200
    assert steps.instructions > 640 * 128 * 4


def test_goals_are_held_against_figures() -> None:
    assert chapter_engine._goal(6.5, most=6.5) == "goal <= 6.5: yes"
    assert chapter_engine._goal(6.51, most=6.5) == "goal <= 6.5: no"
    assert chapter_engine._goal(149.9, least=150) == "goal >= 150: no"
    assert chapter_engine._with_calls(Cost(1000, 2), 100) == "17.64 with 2 calls"


def _do_nothing(board: EmulatedBoard, machine: Any, module: str, name: str) -> Callable[..., int]:
    return lambda *arguments: 0


def test_leaves_that_do_nothing_are_faults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(EmulatedBoard, "_leaf", _do_nothing)
    nets = {"rv32imc": EmulatedNet("rv32imc")}
    for name in _QUICK:
        (line,) = chapter_engine.case_lines(name, nets)
        assert "outputs are not TensorFlow Lite Micro's" in line.fault


def test_one_wrong_output_is_a_fault(monkeypatch: pytest.MonkeyPatch, rv32: EmulatedNet) -> None:
    right = chapter_engine.run_tflm

    def spoilt(data: bytes, inputs: np.ndarray) -> np.ndarray:
        found = right(data, inputs)
        found[0, -1] ^= 1
        return found

    monkeypatch.setattr(chapter_engine, "run_tflm", spoilt)
    (line,) = chapter_engine.case_lines("conv_1d", {"rv32imc": rv32})
    assert line.fault == "1 of 4096 outputs are not TensorFlow Lite Micro's"


def test_the_example_s_line(motion: BenchModel, rv32: EmulatedNet) -> None:
    (line,) = chapter_engine.model_lines(motion, {"rv32imc": rv32})
    assert line.fault == ""
    assert "95,936 MACs" in line.note


def test_a_wrong_output_of_a_model_is_a_fault(motion: BenchModel, rv32: EmulatedNet) -> None:
    output = rv32.run(motion.body, motion.frame).output
    assert motion.fault(output) == ""
    output[1] ^= 1
    assert motion.fault(output) == "1 of 4 outputs are not TensorFlow Lite Micro's"


def test_a_file_that_cannot_be_compiled_is_named(
    tmp_path: Path, motion: BenchModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bad.tflite").write_bytes(motion.data[:1000])
    monkeypatch.setenv("TINYSEAL_MODELS", str(tmp_path))
    monkeypatch.setattr(chapter_engine, "CASES", {})
    lines = {line.name: line for line in chapter_engine.lines()}
    assert set(lines) == {"motion", "xt_motion", "bad"}
    assert lines["bad"].note.startswith("not compiled: ")


def test_times_against_tflm(motion: BenchModel) -> None:
    times = engine_times.against_tflm(motion, turns=1, turn_s=0.001)
    assert times.fault == ""
    assert min(times.ours, times.other) > 1


def test_a_vm_that_answers_wrongly_is_a_fault(motion: BenchModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_times, "_TELL", 'answer["output"][2] ^= 1\nprint(ujson.dumps(answer))')
    times = engine_times.against_tflm(motion, turns=1, turn_s=0.001)
    assert times.fault == "1 of 4 outputs are not TensorFlow Lite Micro's"


@pytest.mark.parametrize("name", ["dense_640x128", "conv_1d", "average_pool", "softmax"])
def test_plain_layer_gives_tflm_s_bytes(name: str) -> None:
    model = _alone(name)
    assert model.fault(_plain(model)) == ""


def _plain(model: BenchModel) -> np.ndarray:
    layers = json.loads(json.dumps(plain_layers(model.network)))
    plain_network.load(layers)
    return np.array(plain_network.run(layers, array("b", model.int8_frame.tobytes())), np.int8)


@pytest.fixture(scope="module", params=chapter_engine.MLPERF)
def mlperf(request: pytest.FixtureRequest) -> BenchModel:
    found = [path for path in model_paths() if name_of(path) == request.param]
    if not found:
        pytest.skip("TINYSEAL_MODELS names no folder of public models")
    return bench_model(found[0])


def test_plain_network_gives_tflm_s_bytes(mlperf: BenchModel) -> None:
    assert mlperf.fault(_plain(mlperf)) == ""


def test_times_against_plain_micropython() -> None:
    """The example's layers have plain loops but for its MEAN; a file with a dense layer alone stands in."""
    model = _alone("dense_640x128")
    times = engine_times.against_plain(model, turns=1, turn_s=0.001)
    assert times.fault == ""
    assert times.other > 20 * times.ours


def test_a_plain_network_that_answers_wrongly_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_times, "_TELL", 'answer["plain_output"][0] ^= 1\nprint(ujson.dumps(answer))')
    times = engine_times.against_plain(_alone("dense_640x128"), turns=1, turn_s=0.001)
    assert times.fault == "plain MicroPython: 1 of 128 outputs are not TensorFlow Lite Micro's"


def _alone(name: str) -> BenchModel:
    data = CASES[name]().file.data
    return BenchModel(name, data, Path(name), read_network(read_model(data, Path(name))), compile_bytes(data))
