"""The figures that README.md quotes are those that `make bench` prints."""

import re
from pathlib import Path

from bench import chapter_engine, chapter_gate, chapter_open
from bench.emulated_net import EmulatedNet
from bench.engine_cases import CASES
from bench.engine_models import EXAMPLE, MLPERF, NAMES, bench_model
from emulation import ARCHITECTURES

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def test_instructions_are_as_quoted():
    """Counts are exact and repeatable; the heap depends on the VM's C code, and is held to the design's limit."""
    (block,) = re.findall(r"^```\nopen\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    quoted = {line.split()[0]: line.split()[1] for line in block.splitlines()}
    printed = {line.name: line for line in chapter_open.lines()}
    assert set(quoted) == set(printed)
    for name, line in printed.items():
        if name.startswith("open_heap"):
            assert line.figure <= 12 * 1024
        else:
            assert str(line).split()[1] == quoted[name], name


def test_the_gate_s_figures_are_as_quoted():
    (block,) = re.findall(r"^```\ngate\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    assert block.splitlines() == [str(line) for line in chapter_gate.lines()]


def test_the_engine_s_figures_are_as_quoted():
    """Layers and the example are counted anew; the public models' lines, and those of times, are there."""
    (block,) = re.findall(r"^```\nengine\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    quoted = {line.split()[0]: line for line in block.splitlines()}
    counted = {name for plain in (*CASES, "motion", *NAMES.values()) for name in (plain, f"xt_{plain}")}
    assert set(quoted) == counted | {f"{kind}_ratio_{name}" for kind in ("tflm", "plain") for name in MLPERF}
    nets = {architecture: EmulatedNet(architecture) for architecture in ARCHITECTURES}
    printed = [line for name in CASES for line in chapter_engine.case_lines(name, nets)]
    printed += chapter_engine.model_lines(bench_model(EXAMPLE), nets)
    for line in printed:
        assert str(line) == quoted[line.name]
