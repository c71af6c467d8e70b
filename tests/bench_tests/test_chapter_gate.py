"""The chapter "gate" keeps the design's figures, and tells wrong answers from right ones."""

import pytest
from bench import chapter_gate
from bench.emulated_board import EmulatedBoard, modules_behind
from gate_cases import NUMPY, SATURATED


@pytest.fixture(scope="module")
def board() -> EmulatedBoard:
    return EmulatedBoard("rv32imc", modules_behind("gate", "kernels"))


@pytest.mark.parametrize("kind", NUMPY)
def test_the_goals_are_reached(board: EmulatedBoard, kind: str) -> None:
    cost = chapter_gate.cost_of(board, chapter_gate.case_of(kind))
    assert cost.fault == ""
    assert set(cost.by_leaf) == {
        "float32": {"gate._scan"}, "int16": {"raw._scan16"}, "int8": {"raw._scan8"}, "uint8": {"raw._scan8"},
    }[kind]  # fmt: skip
    assert 0 < cost.gate / chapter_gate.LENGTH <= 35
    assert 0 < (cost.gate + cost.quantise) / chapter_gate.LENGTH <= 115


@pytest.mark.parametrize("name", chapter_gate._OPTIONAL)
def test_a_check_costs_only_when_it_is_asked_for(board: EmulatedBoard, name: str) -> None:
    leaves = {
        "saturated": {"_saturated"},
        "flat": {"_extremes"},
        "step": {"_steps"},
        "mean": {"_sums", "_first_spread"},
        "all": {"_saturated", "_extremes", "_steps", "_sums", "_first_spread"},
    }[name]
    cost = chapter_gate.cost_of(board, chapter_gate.case_of("int16", chapter_gate._OPTIONAL[name]))
    assert cost.fault == ""
    more = {leaf.partition(".")[2] for leaf in cost.by_leaf if leaf.startswith("gate_more.")}
    assert more == leaves | {"_begin", "_first"}


def test_a_refused_frame_and_a_wrong_byte_are_faults(board: EmulatedBoard) -> None:
    case = chapter_gate.case_of("int16", SATURATED)
    case.channels[0].max_saturated = 0
    case.channels[0].rails = (50, 150)
    assert chapter_gate.cost_of(board, case).fault == "status 5 for a frame that keeps the contract"


def test_other_bytes_are_a_fault(board: EmulatedBoard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chapter_gate, "_ZERO_POINT", 4)
    right = chapter_gate.quantise_table
    monkeypatch.setattr(chapter_gate, "quantise_table", lambda scale, _: right(scale, 3))
    assert chapter_gate.cost_of(board, chapter_gate.case_of("float32")).fault == "other bytes than rounding gives"
