"""No viper function of the firmware makes the Xtensa emitter write wrong code."""

from pathlib import Path

import pytest
from emulation import compile_module, lint

_MODULES = sorted((Path(__file__).parents[2] / "firmware" / "tinyseal").glob("*.py"))


def test_there_are_modules() -> None:
    assert {"ctr", "gate", "ghash", "kernels", "memory"} <= {path.stem for path in _MODULES}


@pytest.mark.parametrize("path", _MODULES, ids=lambda path: path.stem)
def test_lint(path: Path) -> None:
    module = compile_module(path, "xtensawin")
    findings = {name: lint(function.code) for name, function in module.functions.items()}
    assert {name: found for name, found in findings.items() if found} == {}


@pytest.mark.parametrize("path", _MODULES, ids=lambda path: path.stem)
def test_every_viper_function_is_seen(path: Path) -> None:
    """As many as there are decorators: none nested in another function, where the lint would not look."""
    decorators = path.read_text().count("@micropython.viper")
    assert len(compile_module(path, "xtensawin").functions) == decorators
