"""The chapter "open" tells wrong answers from right ones, and counts what opening does."""

from collections.abc import Callable
from typing import Any

import pytest
from bench import chapter_open
from bench.emulated_board import EmulatedBoard

_BLOCKS = chapter_open.PAYLOAD // 16


@pytest.fixture(scope="module")
def sealed() -> chapter_open.SealedFile:
    return chapter_open.sealed_file()


@pytest.fixture(scope="module")
def opened(sealed: chapter_open.SealedFile) -> chapter_open.Opening:
    return chapter_open.opening("rv32imc", sealed)


def test_a_right_board_has_no_faults(opened: chapter_open.Opening) -> None:
    assert opened.faults == {}


def test_counts_of_the_c_modules(opened: chapter_open.Opening) -> None:
    """AES: two known answers, H, J0, and no fewer counter blocks than data; SHA-256: "abc", release and PSS."""
    assert opened.builtin["aes"] >= 4 + _BLOCKS
    masks = 11 * (32 + 4)  # MGF1: 351 bytes of mask, 32 a hash
    assert opened.builtin["sha256"] == 3 + chapter_open.PAYLOAD - 384 + masks + 8 + 32 + 32
    assert opened.builtin["pow"] == 16  # 65537


def test_every_figure_is_counted(opened: chapter_open.Opening) -> None:
    assert set(opened.instructions) == set(chapter_open._FIGURES) == set(chapter_open._NOTES)
    assert min(opened.instructions.values()) > 0
    assert opened.calls > len(chapter_open._FIGURES)


def test_a_leaf_that_no_figure_has_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"gate\.check"):
        chapter_open._figures(chapter_open.Counter({"ghash.update": 1, "gate.check": 1}))


def _do_nothing(_: Any) -> Callable[..., int]:
    return lambda *arguments: 0


def _change_last(leaf: Callable[..., int]) -> Callable[..., int]:
    """The leaf, and then one bit more in its first buffer."""

    def changed(*arguments: Any) -> int:
        result = leaf(*arguments)
        arguments[0][-1] ^= 1
        return result

    return changed


@pytest.mark.parametrize(
    ("module", "leaf", "spoil", "faults"),
    [
        ("ghash", "update", _do_nothing, {"ghash", "table", "ctr", "xor"}),
        ("ghash", "_combine", _do_nothing, {"ghash", "table", "ctr", "xor"}),
        ("ctr", "advance", _do_nothing, {"ctr", "xor"}),
        ("ctr", "xor_into", _change_last, {"ghash", "table", "ctr", "xor"}),
        ("memory", "_fill", _do_nothing, {"wipe", "ghash", "table", "ctr", "xor"}),
        ("memory", "_erase", _do_nothing, {"wipe"}),
        ("memory", "_difference", _do_nothing, {"compare", "ctr", "ghash", "table", "xor", "rsa"}),
    ],
)
def test_a_spoilt_leaf_is_a_fault(
    monkeypatch: pytest.MonkeyPatch,
    sealed: chapter_open.SealedFile,
    module: str,
    leaf: str,
    spoil: Callable[..., Any],
    faults: set[str],
) -> None:
    """Of at least the figures that its work is in, and of no others than those it can have led astray."""
    right = EmulatedBoard._leaf

    def spoilt(board: EmulatedBoard, machine: Any, module_name: str, name: str) -> Callable[..., int]:
        call = right(board, machine, module_name, name)
        return spoil(call) if (module_name, name) == (module, leaf) else call

    monkeypatch.setattr(EmulatedBoard, "_leaf", spoilt)
    found = set(chapter_open.opening("rv32imc", sealed).faults)
    figure = next(figure for figure, leaves in chapter_open._FIGURES.items() if f"{module}.{leaf}" in leaves)
    assert figure in found
    assert found <= faults
