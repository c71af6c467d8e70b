"""The tables of `tests/emulation/README.md`: every leaf has its tests, and every test is there and calls its leaf."""

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from firmware_sources import ROOT, modules

_TEXT = (ROOT / "tests" / "emulation" / "README.md").read_text()
_FOLDERS = [ROOT / "tests" / name for name in ("firmware", "emulation_tests")]
_TEST = re.compile(r"`(test_\w+\.test_\w+)`")
_FIXTURES = {"machine_of", "opened"}  # which run a module on every kind of kernels


def rows(title: str) -> list[list[str]]:
    """The cells of the table under a heading, without its head."""
    section = _TEXT.split(f"\n## {title}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def decorated(decorator: str) -> set[str]:
    """MODULE.FUNCTION of all functions and methods of the package, on boards and on a PC, that have a decorator."""
    return {
        f"{name}.{node.name}"
        for architecture in ("rv32imc", "xtensawin", "x64")
        for name, text in modules(architecture).items()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef) and decorator in map(ast.unparse, node.decorator_list)
    }


@functools.cache
def definitions(path: Path) -> dict[str, ast.stmt]:
    """What a file defines at its top, by name."""
    found: dict[str, ast.stmt] = {}
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found[node.name] = node
        elif isinstance(node, ast.Assign):
            found |= {target.id: node for target in node.targets if isinstance(target, ast.Name)}
    return found


def path_of_test(name: str) -> Path:
    """The one file that has a test; KeyError when none has."""
    file, test = name.split(".")
    paths = [path for folder in _FOLDERS for path in [folder / f"{file}.py"] if path.exists()]
    (path,) = [path for path in paths if test in definitions(path)] or [None]
    if path is None:
        raise KeyError(name)
    return path


def reached(path: Path, start: str) -> Iterator[ast.AST]:
    """All nodes of a definition and, by their names, of those of its file that it uses; fixtures are arguments."""
    there = definitions(path)
    seen, left = set(), [start]
    while left:
        name = left.pop()
        if name in seen or name not in there:
            continue
        seen.add(name)
        for node in ast.walk(there[name]):
            yield node
            if isinstance(node, ast.Name):
                left.append(node.id)
            elif isinstance(node, ast.arg):
                left.append(node.arg)


def says(nodes: list[ast.AST], word: str) -> bool:
    """Whether one of them is the text, or an f-string that begins as it does."""
    texts = {node.value for node in nodes if isinstance(node, ast.Constant)}
    begins = [node.values[0] for node in nodes if isinstance(node, ast.JoinedStr) and node.values]
    starts = [part.value for part in begins if isinstance(part, ast.Constant) and isinstance(part.value, str)]
    return word in texts or any(word.startswith(start) for start in starts if len(start) > 2)


LEAVES = rows("Leaves and their tests")
NATIVE = rows("Native functions")
DIFFERENCES = rows("What a run on a PC does not see")


def test_every_leaf_has_a_row() -> None:
    assert [leaf for leaf, *_ in LEAVES] == sorted(f"`{name}`" for name in decorated("micropython.viper"))


def test_every_native_function_has_a_row() -> None:
    assert [name for name, _ in NATIVE] == sorted(f"`{name}`" for name in decorated("micropython.native"))


@pytest.mark.parametrize("row", LEAVES, ids=lambda row: row[0].strip("`"))
def test_its_tests_call_it_on_every_kind_of_kernels(row: list[str]) -> None:
    leaf, usual, ends, which = row
    module, function = leaf.strip("`").split(".")
    assert which
    for cell in (usual, ends):
        tests = _TEST.findall(cell)
        assert tests
        for test in tests:
            nodes = list(reached(path_of_test(test), test.split(".")[1]))
            assert says(nodes, module), f"{test} opens no {module}"
            assert says(nodes, function), f"{test} does not call {function}"
            assert any(isinstance(node, ast.Name) and node.id in _FIXTURES for node in nodes)
            assert any(isinstance(node, ast.Attribute) and node.attr == "call" for node in nodes)


@pytest.mark.parametrize("row", NATIVE + DIFFERENCES, ids=lambda row: row[0][:40])
def test_what_is_named_is_there(row: list[str]) -> None:
    tests = _TEST.findall(row[-1])
    assert tests
    assert all(row)
    for test in tests:
        path_of_test(test)


def test_every_test_that_is_named_has_its_file() -> None:
    """Also those that stand outside of the tables' cells, and those that are written wrongly."""
    for name in re.findall(r"`(test_[\w.]+)`", _TEXT):
        if "." in name:
            path_of_test(name)
        else:
            assert any((folder / f"{name}.py").exists() for folder in _FOLDERS), name
    for path in re.findall(r"`(tests/[\w/.]+)`", _TEXT):
        assert (ROOT / path).exists(), path


def test_what_is_not_there_is_found() -> None:
    with pytest.raises(KeyError):
        path_of_test("test_kernels.test_no_such")
    with pytest.raises(KeyError):
        path_of_test("test_no_such.test_finish")
    nodes = list(reached(path_of_test("test_kernels.test_finish"), "test_finish"))
    assert says(nodes, "finish")
    assert not says(nodes, "quantise")
