"""Boards without the native emitter: what their package is made of."""

import ast

import pytest
from firmware_sources import modules
from vm import payload

PLAIN = modules("bytecode")
OWN = {"fixed_point"}  # what the plain kernels share; viper leaves share nothing


def functions(source):
    """Public functions with the number of their arguments, and whether any function of the module is viper's."""
    found, viper = {}, False
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef):
            viper |= "micropython.viper" in map(ast.unparse, node.decorator_list)
            if not node.name.startswith("_"):
                found[node.name] = len(node.args.args)
    return found, viper


NATIVE = {name: source for name, source in modules("rv32imc").items() if functions(source)[1]}


def test_the_package_has_the_native_one_s_modules():
    assert {"kernels", "dot_64", "memory"} <= set(NATIVE)
    assert set(PLAIN) == set(modules("rv32imc")) | OWN


@pytest.mark.parametrize("name", NATIVE)
def test_a_twin_is_called_as_the_native_module_is(name):
    assert functions(PLAIN[name]) == (functions(NATIVE[name])[0], False)


def test_the_package_holds_no_native_code():
    """Byte 2 of a `.mpy` has the architecture above its lowest two bits (py/persistentcode.h): 0 is none."""
    folder = payload() / "firmware"
    files = {path.stem: path.read_bytes()[2] >> 2 for path in (folder / "bytecode").rglob("*.mpy")}
    assert set(files) == set(PLAIN)
    assert set(files.values()) == {0}
    native = {path.stem: path.read_bytes()[2] >> 2 for path in (folder / "rv32imc").rglob("*.mpy")}
    assert {name for name, architecture in native.items() if architecture} == set(NATIVE)


def jumps(function):
    """What in a function makes the bytecode jump."""
    kinds = (ast.For, ast.While, ast.If, ast.IfExp, ast.BoolOp, ast.comprehension, ast.Try, ast.With)
    return [node for node in ast.walk(function) if isinstance(node, kinds)]


def test_nothing_that_wipes_can_be_interrupted():
    """Ctrl-C raises where the bytecode jumps, and nowhere else."""
    tree = ast.parse(PLAIN["memory"])
    found = {node.name: bool(jumps(node)) for node in tree.body if isinstance(node, ast.FunctionDef)}
    assert {name for name, jumping in found.items() if jumping} == {"_difference", "equal"}
    assert {"wipe", "wipe_inside", "_fill", "_erase"} <= set(found)
