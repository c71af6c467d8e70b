"""No viper or native function of the firmware, by hand or by a generator, makes the Xtensa emitter write wrong code."""

import pytest
from emulation import compile_module, lint
from firmware_sources import modules, path_of

_MODULES = modules("xtensawin")


def test_there_are_modules() -> None:
    assert {"ctr", "dot_16", "dot_32", "dot_64", "gate", "ghash", "kernels", "memory"} <= _MODULES.keys()


@pytest.mark.parametrize("name", _MODULES)
def test_lint(name: str) -> None:
    module = compile_module(path_of(name, "xtensawin"), "xtensawin")
    findings = {name: lint(function.code) for name, function in module.functions.items()}
    findings |= {f"native function {number}": lint(code) for number, code in enumerate(module.mpy.natives)}
    assert {name: found for name, found in findings.items() if found} == {}


@pytest.mark.parametrize("name", _MODULES)
def test_every_function_with_machine_code_is_seen(name: str) -> None:
    """As many as there are decorators: no viper function is nested in another one, where the lint would not look."""
    module = compile_module(path_of(name, "xtensawin"), "xtensawin")
    assert len(module.functions) == _MODULES[name].count("@micropython.viper")
    assert len(module.mpy.natives) == _MODULES[name].count("@micropython.native")
