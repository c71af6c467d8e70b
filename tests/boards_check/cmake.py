"""Runs the few commands of CMake that board definitions are written in: include, set, list(APPEND), file, if, message.

Anything else is refused. MicroPython's own files, which are not here, are given as functions.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

_TOKEN = re.compile(r'#[^\n]*|"(?:\\.|[^"\\])*"|[()]|(?:\\.|[^\s()"#\\])+', re.DOTALL)
Variables = dict[str, str]


class CmakeError(Exception):
    """A definition that CMake would refuse, or that is beyond what is understood here."""


class Run:
    """Variables after a file was run, and the texts of the files that it has written."""

    def __init__(self, upstream: Mapping[str, Callable[[Variables], None]], environment: Mapping[str, str]):
        self.variables: Variables = {}
        self.written: dict[str, str] = {}
        self._upstream = upstream
        self._environment = environment

    def include(self, path: str) -> None:
        """Run a file; CmakeError."""
        if path in self._upstream:
            self._upstream[path](self.variables)
            return
        file = Path(path)
        if not file.is_absolute() or not file.is_file():
            raise CmakeError(f"include({path}): no such file")
        before = self.variables.get("CMAKE_CURRENT_LIST_DIR")
        self.variables["CMAKE_CURRENT_LIST_DIR"] = str(file.resolve().parent)
        self._run(_commands(file.read_text()))
        if before is not None:
            self.variables["CMAKE_CURRENT_LIST_DIR"] = before

    def items(self, name: str) -> list[str]:
        """A list variable."""
        return [item for item in self.variables.get(name, "").split(";") if item]

    def _run(self, commands: list[tuple[str, list[str]]]) -> None:
        runs: list[bool] = []  # one for every if() that is open
        for name, tokens in commands:
            if name == "if":
                runs.append(self._holds(tokens))
            elif name == "else":
                runs[-1] = not runs[-1]
            elif name == "endif":
                runs.pop()
            elif all(runs):
                self._command(name, [self._expand(token) for token in tokens])

    def _command(self, name: str, arguments: list[str]) -> None:
        if name == "include":
            self.include(*arguments)
        elif name == "set":
            self.variables[arguments[0]] = ";".join(arguments[1:])
        elif name == "list" and arguments[0] == "APPEND":
            self.variables[arguments[1]] = ";".join([*self.items(arguments[1]), *arguments[2:]])
        elif name == "file" and arguments[0] in ("WRITE", "APPEND"):
            before = self.written.get(arguments[1], "") if arguments[0] == "APPEND" else ""
            self.written[arguments[1]] = before + arguments[2]
        elif name == "message" and arguments[0] == "FATAL_ERROR":
            raise CmakeError(arguments[1])
        else:
            raise CmakeError(f"{name}({' '.join(arguments)}) is not understood")

    def _holds(self, tokens: list[str]) -> bool:
        if "AND" in tokens:
            at = tokens.index("AND")
            return self._holds(tokens[:at]) and self._holds(tokens[at + 1 :])
        if tokens[0] == "NOT":
            return not self._holds(tokens[1:])
        if tokens[0] == "DEFINED" and tokens[1].startswith("ENV{"):
            return tokens[1][4:-1] in self._environment
        if len(tokens) == 3 and tokens[1] in ("STREQUAL", "MATCHES"):
            left = self.variables.get(tokens[0], tokens[0])
            right = self._expand(tokens[2])
            return left == right if tokens[1] == "STREQUAL" else re.search(right, left) is not None
        raise CmakeError(f"if({' '.join(tokens)}) is not understood")

    def _expand(self, token: str) -> str:
        text = token[1:-1] if token.startswith('"') else token
        text = re.sub(r"\$ENV\{(\w+)\}", lambda found: self._environment.get(found[1], ""), text)
        text = re.sub(r"\$\{(\w+)\}", lambda found: self.variables.get(found[1], ""), text)
        return re.sub(r"\\(.)", lambda found: {"n": "\n"}.get(found[1], found[1]), text)


def _commands(text: str) -> list[tuple[str, list[str]]]:
    tokens = [token for token in _TOKEN.findall(text) if not token.startswith("#")]
    found = []
    while tokens:
        name, opening = tokens.pop(0), tokens.pop(0)
        if opening != "(":
            raise CmakeError(f"{name} {opening}: a command was expected")
        depth, arguments = 1, []
        while tokens:
            token = tokens.pop(0)
            depth += {"(": 1, ")": -1}.get(token, 0)
            if not depth:
                break
            arguments.append(token)
        found.append((name.lower(), arguments))
    return found
