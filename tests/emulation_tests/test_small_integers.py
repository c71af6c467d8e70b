"""What a frame's Python code hands to leaves, and gets back, are small integers on a board, of 31 bits: none allocates.

A PC's have 63 bits, so that a run there with the heap locked says nothing about them.
"""

from collections.abc import Callable
from typing import Any

import pytest
from bench import chapter_gate, layer_files
from bench.emulated_board import EmulatedBoard, modules_behind
from bench.emulated_net import EmulatedNet
from compiling import compile_bytes, frames_of
from emulation import Machine

_END = 1 << 30
_ALL = chapter_gate.SATURATED | chapter_gate.FLAT | chapter_gate.STEP | chapter_gate.MEAN | chapter_gate.DEVIATION
LAYERS = {
    "dense": lambda: layer_files.dense(40, 8),
    "convolution": lambda: layer_files.convolution((6, 6), 3, 4, (3, 3)),
    "1x1": lambda: layer_files.convolution((6, 6), 16, 4, (1, 1)),
    "1-d": lambda: layer_files.convolution((1, 24), 8, 4, (1, 5)),
    "depthwise": lambda: layer_files.depthwise((6, 6), 4, (3, 3)),
    "depthwise of two": lambda: layer_files.depthwise((6, 6), 4, (2, 3), multiplier=2),
    "add": lambda: layer_files.pair("ADD", (1, 4, 4, 4), constant=False),
    "mul": lambda: layer_files.pair("MUL", (1, 4, 4, 4), constant=True),
    "logistic": lambda: layer_files.logistic((1, 4, 4, 4)),
    "average": lambda: layer_files.pool("AVERAGE_POOL_2D", (6, 6), 4, (2, 2)),
    "mean": lambda: layer_files.mean((5, 5), 8),
    "softmax": lambda: layer_files.softmax(1, 12),
}


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The calls with an integer that is none of a board's small ones."""
    found: list[str] = []
    plain = EmulatedBoard._leaf

    def watched(board: EmulatedBoard, machine: Machine, module: str, name: str) -> Callable[..., int]:
        leaf = plain(board, machine, module, name)

        def call(*arguments: Any) -> int:
            result = leaf(*arguments)
            integers = [*(value for value in arguments if isinstance(value, int)), result]
            if any(not -_END <= value < _END for value in integers):
                found.append(f"{module}.{name}{integers}")
            return result

        return call

    monkeypatch.setattr(EmulatedBoard, "_leaf", watched)
    return found


def test_a_large_one_is_found(large: list[str]) -> None:
    board = EmulatedBoard("rv32imc", modules_behind("memory"))
    leaf = board.modules["memory"]._difference
    for count in (0, -1, -_END):
        leaf(b"", b"", count)
    assert large == []
    leaf(b"", b"", -_END - 1)
    assert large == [f"memory._difference[{-_END - 1}, 0]"]


@pytest.mark.parametrize("kind", ["float32", "int16", "int8", "uint8"])
def test_the_gate_s(large: list[str], kind: str) -> None:
    board = EmulatedBoard("rv32imc", modules_behind("gate", "kernels"))
    cost = chapter_gate.cost_of(board, chapter_gate.case_of(kind, _ALL))
    assert cost.fault == ""
    assert cost.calls > 0
    assert large == []


@pytest.mark.parametrize("name", LAYERS)
def test_the_network_s(large: list[str], name: str) -> None:
    file = LAYERS[name]()
    inference = EmulatedNet("rv32imc").run(compile_bytes(file.data), frames_of(file.data, [file.frame])[0])
    assert inference.whole.calls > 2
    assert large == []
