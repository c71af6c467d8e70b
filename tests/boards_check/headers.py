"""mpconfigboard.h and MP_CONFIGFILE: which macros they leave behind, and whether MicroPython would heed them.

Understands #include, #define, #undef, `#if !NAME` and #endif, and refuses the rest.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .definition import Definition

_REPL = (
    "MICROPY_HW_ENABLE_UART_REPL",
    "MICROPY_HW_ENABLE_USBDEV",
    "MICROPY_HW_USB_CDC",
    "MICROPY_HW_ESP_USB_SERIAL_JTAG",
)
_DUPTERM = ("MICROPY_PY_OS_DUPTERM", "MICROPY_PY_OS_DUPTERM_NOTIFY")
_DIRECTIVE = re.compile(r"#(\w+)\s*(.*)")


class _Preprocessor:
    def __init__(self, known: dict[str, Any], macros: dict[str, str]):
        self.macros = macros
        self.problems: list[str] = []
        self.set_by: dict[str, Path] = {}
        self._files = known["micropython"]["files"]

    def include(self, path: Path) -> None:
        runs = [True]
        for line in path.read_text().splitlines():
            found = _DIRECTIVE.match(line)
            if not found:
                if line.strip() and not line.startswith("//"):
                    self.problems.append(f"{path.name}: {line!r} is not understood")
                continue
            name, rest = found.groups()
            if name == "if" and rest.startswith("!"):
                runs.append(self.macros.get(rest[1:], "0") in ("0", "(0)"))
            elif name == "endif":
                runs.pop()
            elif all(runs):
                self._directive(path, name, rest)

    def _directive(self, path: Path, name: str, rest: str) -> None:
        if name == "include":
            target = path.parent / rest.strip('"')
            if target.is_file():
                self.include(target)
            elif rest.strip('"') not in self._files:
                self.problems.append(f"{path.name}: {rest} is neither here nor in options.toml")
        elif name == "undef":
            self.macros.pop(rest, None)
        elif name == "define":
            macro, _, value = rest.partition(" ")
            if macro in self.macros:
                self.problems.append(f"{path.name}: {macro} is defined already, wanted #undef before it")
            self.macros[macro] = value.strip()
            self.set_by[macro] = path
        else:
            self.problems.append(f"{path.name}: #{name} is not understood")


def problems(board: Definition, known: dict[str, Any]) -> Iterator[str]:
    """One line for each."""
    given = dict(item.partition("=")[::2] for item in board.macros)
    config = given.pop("MP_CONFIGFILE", "").strip('"')
    # A stock board's header may turn the UART's REPL on; the port defines every macro that it does not guard.
    run = _Preprocessor(known, {**given, "MICROPY_HW_ENABLE_UART_REPL": "(1)"})
    run.include(board.folder / "mpconfigboard.h")
    for macro in run.set_by:
        if not known["macro"].get(macro, {"guarded": True})["guarded"]:
            run.problems.append(f"{macro} in mpconfigboard.h is not heeded, wanted it in MP_CONFIGFILE")
    run.macros |= {macro: "(1)" for macro, data in known["macro"].items() if not data["guarded"]}
    if config:
        if Path(config).is_file():
            run.include(Path(config))
        else:
            run.problems.append(f"MP_CONFIGFILE is {config}: no such file")
    yield from run.problems
    yield from (f"{macro} is not in options.toml" for macro in run.set_by if macro not in known["macro"])
    for macro in () if board.is_open else (*_REPL, *_DUPTERM):
        value = run.macros.get(macro, "not set")
        if value != "(0)":
            yield f"{macro} is {value}, wanted (0)"
