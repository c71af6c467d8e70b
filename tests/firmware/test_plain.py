"""Boards without the native emitter: what their package is made of."""

import ast

import pytest
from int8_twins import FIRMWARE
from vm import payload

PLAIN = sorted((FIRMWARE / "plain").glob("*.py"))
OWN = {"fixed_point"}  # what the plain kernels share; viper leaves share nothing


def functions(path):
    """Public functions with the number of their arguments, and whether any function of the module is viper's."""
    found, viper = {}, False
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef):
            viper |= "micropython.viper" in map(ast.unparse, node.decorator_list)
            if not node.name.startswith("_"):
                found[node.name] = len(node.args.args)
    return found, viper


def test_every_module_with_viper_functions_has_a_plain_twin_and_no_other():
    native = {path.stem for path in FIRMWARE.glob("*.py") if functions(path)[1]}
    assert "kernels" in native
    assert {path.stem for path in PLAIN} == native | OWN


@pytest.mark.parametrize("path", [path for path in PLAIN if path.stem not in OWN], ids=lambda path: path.stem)
def test_a_twin_is_called_as_the_native_module_is(path):
    assert functions(path) == (functions(FIRMWARE / path.name)[0], False)


def test_the_package_holds_no_native_code():
    """Byte 2 of a `.mpy` has the architecture above its lowest two bits (py/persistentcode.h): 0 is none."""
    folder = payload() / "firmware"
    files = {path.name: path.read_bytes()[2] >> 2 for path in (folder / "bytecode").rglob("*.mpy")}
    assert set(files.values()) == {0}
    native = {path.name: path.read_bytes()[2] >> 2 for path in (folder / "rv32imc").rglob("*.mpy")}
    assert {name for name, architecture in native.items() if architecture} == {
        f"{path.stem}.mpy" for path in PLAIN if path.stem not in OWN
    }
    assert set(files) == set(native) | {f"{name}.mpy" for name in OWN}


def jumps(function):
    """What in a function makes the bytecode jump."""
    kinds = (ast.For, ast.While, ast.If, ast.IfExp, ast.BoolOp, ast.comprehension, ast.Try, ast.With)
    return [node for node in ast.walk(function) if isinstance(node, kinds)]


def test_nothing_that_wipes_can_be_interrupted():
    """Ctrl-C raises where the bytecode jumps, and nowhere else."""
    tree = ast.parse((FIRMWARE / "plain" / "memory.py").read_text())
    found = {node.name: bool(jumps(node)) for node in tree.body if isinstance(node, ast.FunctionDef)}
    assert {name for name, jumping in found.items() if jumping} == {"_difference", "equal"}
    assert {"wipe", "wipe_inside", "_fill", "_erase"} <= set(found)
