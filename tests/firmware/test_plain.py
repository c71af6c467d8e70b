"""Boards without the native emitter: what their package is made of."""

import ast

import pytest
from firmware_sources import ROOT, modules
from vm import payload

OWN = {"fixed_point"}  # what the plain kernels share; viper leaves share nothing
NATIVE, PC, PLAIN = (modules(architecture) for architecture in ("rv32imc", "x64", "bytecode"))
TWINS = {path.stem: path.read_text() for path in (ROOT / "firmware" / "tinyseal" / "plain").glob("*.py")}


def functions(source):
    """The functions at the top of a module by name."""
    return {node.name: node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)}


def viper(source):
    """Those that are viper's, with the number of their arguments."""
    found = functions(source).values()
    return {f.name: len(f.args.args) for f in found if "micropython.viper" in map(ast.unparse, f.decorator_list)}


def bound(source):
    """All names that a module has."""
    names = set(functions(source))
    for node in ast.parse(source).body:
        if isinstance(node, ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets}
    return names


def test_the_package_has_the_native_one_s_modules():
    assert set(PLAIN) == set(NATIVE) | OWN


@pytest.mark.parametrize("name", [name for name in PC if viper(PC[name])])
def test_every_viper_function_has_a_twin_that_is_called_as_it_is(name):
    assert not viper(PLAIN[name])
    plain = {f.name: len(f.args.args) for f in functions(PLAIN[name]).values()}
    assert {f: plain.get(f) for f in viper(NATIVE[name])} == viper(NATIVE[name])
    assert set(viper(PC[name])) <= bound(PLAIN[name])


@pytest.mark.parametrize("name", sorted(set(TWINS) - OWN))
def test_twins_take_the_place_of_viper_functions_only(name):
    """Whatever else a module of plain/ brings along, a constant or an import, hides nothing that the module has."""
    both = bound(NATIVE[name]) & bound(TWINS[name])
    assert both - {"const", "unpack_from"} == set(viper(NATIVE[name]))
    kept = {ast.unparse(node) for node in ast.parse(PLAIN[name]).body}
    for node in ast.parse(NATIVE[name]).body:
        assert ast.unparse(node) in kept or node.name in viper(NATIVE[name])


def test_the_package_holds_no_native_code():
    """Byte 2 of a `.mpy` has the architecture above its lowest two bits (py/persistentcode.h): 0 is none."""
    folder = payload() / "firmware"
    files = {path.stem: path.read_bytes()[2] >> 2 for path in (folder / "bytecode").rglob("*.mpy")}
    assert set(files) == set(PLAIN)
    assert set(files.values()) == {0}
    native = {path.stem: path.read_bytes()[2] >> 2 for path in (folder / "rv32imc").rglob("*.mpy")}
    made = {name for name, text in NATIVE.items() if viper(text) or "@micropython.native" in text}
    assert {name for name, architecture in native.items() if architecture} == made


def jumps(function):
    """What in a function makes the bytecode jump."""
    kinds = (ast.For, ast.While, ast.If, ast.IfExp, ast.BoolOp, ast.comprehension, ast.Try, ast.With)
    return [node for node in ast.walk(function) if isinstance(node, kinds)]


def test_nothing_that_wipes_can_be_interrupted():
    """Ctrl-C raises where the bytecode jumps, and nowhere else."""
    found = {name: bool(jumps(function)) for name, function in functions(PLAIN["memory"]).items()}
    assert {name for name, jumping in found.items() if jumping} == {"_difference", "equal"}
    assert {"wipe", "wipe_inside", "_fill", "_erase"} <= set(found)
