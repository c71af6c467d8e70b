"""Imports go one way: the levels of the firmware and of the host package, read from the sources by ast.

A level may import the levels named behind it. Modules of one level of the host may import each other, but never in a
circle; those of the firmware may not.
"""

import ast
from graphlib import CycleError, TopologicalSorter

import pytest
from firmware_sources import ROOT, modules

_KERNELS = "kernels kernels_dot dot_64 dot_32 dot_16"
_STEPS = (
    "steps_copy steps_depthwise steps_depthwise3x3 steps_elementwise steps_matrix steps_pool steps_ring steps_softmax"
)

# level: (its modules, the levels it may import)
FIRMWARE = {
    "0": ("errors memory fixed_point", ()),
    "sha": ("sha256", ("0",)),
    "contract": ("contract", ("0",)),
    "1": ("ctr gate_more ghash hkdf layout raw rsa " + _KERNELS, ("0", "sha", "contract")),
    "dots": ("dots", ("0", "1")),
    "steps": (_STEPS, ("0", "1", "dots")),
    "2": ("gate gcm net", ("0", "contract", "1", "steps")),
    "3": ("sealed release", ("0", "sha", "contract", "1", "2")),
    "model": ("model", ("0", "1", "2", "3")),
    "store": ("store", ("0", "1")),
    "hardware": ("keep keys slots", ("0", "1", "store")),
    "4": ("__init__", ("0", "sha", "1", "2", "3", "model", "store", "hardware")),
    "remote": ("remote", ("0", "sha", "1", "2", "3", "model", "store", "hardware", "4")),
}
HARDWARE = {"keep", "keys", "slots", "store"}
HARDWARE_MODULES = {"machine", "umachine", "esp32"}
AES_MODULES = {"cryptolib", "ucryptolib"}

_BASE = ("package", "formats and keys")
HOST = {
    "package": ("__init__", ()),
    "formats and keys": (
        "errors files units contract contract_limits contract_toml gate program program_checks program_rules"
        " quantise_rules formats keys",
        ("package",),
    ),
    "compiler": ("model", _BASE),
    "sealing": ("sealing", _BASE),
    "building": ("building", (*_BASE, "compiler", "sealing")),
    "transport": ("board.transport board.wire", _BASE),
    "sim": ("sim", _BASE),
    "example": ("example", _BASE),
    "picture": ("picture", ()),
    "screening": ("screening", (*_BASE, "picture")),
    "provisioning": ("board", (*_BASE, "sealing", "transport", "sim")),
    "api": ("api", (*_BASE, "sealing", "building", "transport", "provisioning")),
    "cli": (
        "cli",
        (*_BASE, "compiler", "sealing", "building", "transport", "sim", "example", "screening", "provisioning", "api"),
    ),
    "demo": ("demo", ("package", "example")),
}

# What people start: these print and exit. `example.train` is run once by hand.
PROGRAMS = {"cli", "demo", "example.train"}
# The relay is a process of its own, which tells its parent the port through a pipe; its forked child, when it could not
# become the VM, must not run on as a second relay.
PROCESSES = {"sim.relay": {"sys.stdout"}, "sim.process": {"os._exit"}}

TALKING = {"print", "exit", "quit", "sys.exit", "os._exit", "sys.stdout", "sys.stderr", "SystemExit"}


def sources(folder):
    """Python sources by module name, `a.b` for a/b.py and `a` for a/__init__.py, the package itself `__init__`."""
    found = {}
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(folder).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)
        found[name] = (path.read_text(encoding="utf-8"), path.name == "__init__.py")
    return found


def imported(name, source, is_package, known, package):
    """The modules of the package that one of its modules imports, wherever in its source, and all other names."""
    inside, outside = set(), set()
    here = [] if name == "__init__" else name.split(".")
    here = here if is_package else here[:-1]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            targets = [(alias.name.split("."), None) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level:
            base = here[: len(here) - node.level + 1]
            base += node.module.split(".") if node.module else []
            targets = [([package, *base], alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            targets = [(node.module.split("."), alias.name) for alias in node.names]
        else:
            continue
        for path, last in targets:
            if path[0] != package:
                outside.add(path[0])
                continue
            submodule = ".".join([*path[1:], last or ""])
            inside.add(submodule if submodule in known else ".".join(path[1:]) or "__init__")
    return inside - {name}, outside


def faults(modules, levels, package, sideways):
    """One line for every import that the table does not allow, and for every module that it does not have."""
    by_name = {module: level for level, (names, _) in levels.items() for module in names.split()}
    found, graph = [], {}

    def level_of(name):
        """A module's own row in the table, else that of the package it is in."""
        return by_name.get(name) or by_name.get(name.split(".")[0])

    for name, (source, is_package) in modules.items():
        level = level_of(name)
        if level is None:
            found.append(f"{name} is in no level")
            continue
        allowed = levels[level][1]
        graph[name] = imported(name, source, is_package, modules, package)[0]
        for target in graph[name]:
            below = level_of(target)
            if below not in allowed and not (sideways and below == level):
                found.append(f"{name} ({level}) imports {target} ({below})")
    try:
        TopologicalSorter(graph if sideways else {}).prepare()
    except CycleError as error:
        found.append(f"a circle: {' -> '.join(reversed(error.args[1]))}")
    return sorted(found)


def talks(source):
    """What a source prints or exits with, outside of `if __name__ == "__main__"`."""
    found, nodes = set(), [ast.parse(source)]
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.If) and "__name__" in ast.dump(node.test):
            continue
        if isinstance(node, (ast.Name, ast.Attribute)) and ast.unparse(node) in TALKING:
            found.add(ast.unparse(node))
        nodes += ast.iter_child_nodes(node)
    return found


PACKAGES = {
    kernels: {name: (text, name == "__init__") for name, text in modules(architecture).items()}
    for kernels, architecture in (("native", "xtensawin"), ("plain", "bytecode"))
}
FIRMWARE_SOURCES = PACKAGES["native"]
# What lies in sim/vm runs on the virtual board's VM.
HOST_SOURCES = {
    name: source for name, source in sources(ROOT / "host" / "tinyseal_host").items() if not name.startswith("sim.vm.")
}


@pytest.mark.parametrize("package", PACKAGES)
def test_firmware_imports_go_down(package):
    assert faults(PACKAGES[package], FIRMWARE, "tinyseal", sideways=False) == []


def test_host_imports_go_down():
    assert faults(HOST_SOURCES, HOST, "tinyseal_host", sideways=True) == []


def test_only_the_hardware_modules_touch_the_hardware():
    for name, (source, is_package) in FIRMWARE_SOURCES.items():
        outside = imported(name, source, is_package, FIRMWARE_SOURCES, "tinyseal")[1]
        assert name in HARDWARE or not outside & HARDWARE_MODULES, name
        assert name == "gcm" or not outside & AES_MODULES, name


def test_only_the_programs_print_or_exit():
    for name, (source, _) in HOST_SOURCES.items():
        if name not in PROGRAMS and name.split(".")[0] not in PROGRAMS:
            assert talks(source) == PROCESSES.get(name, set()), name


PLANTED = {
    "level 0 from level 1": ("memory", "from .rsa import verify", "memory (0) imports rsa (1)"),
    "sideways": ("rsa", "from . import hkdf", "rsa (1) imports hkdf (1)"),
    "the package itself": ("gcm", "import tinyseal", "gcm (2) imports __init__ (4)"),
    "inside a function": ("net", "def run():\n    from .sealed import Sealed", "net (2) imports sealed (3)"),
    "hardware from below": ("sealed", "from .keys import device_key", "sealed (3) imports keys (hardware)"),
    "hardware from above": ("slots", "import tinyseal.gcm", "slots (hardware) imports gcm (2)"),
    "a new module": ("helpers", "", "helpers is in no level"),
}


@pytest.mark.parametrize(("name", "source", "fault"), PLANTED.values(), ids=PLANTED.keys())
def test_a_planted_import_in_the_firmware_is_found(name, source, fault):
    assert faults(FIRMWARE_SOURCES | {name: (source, False)}, FIRMWARE, "tinyseal", sideways=False) == [fault]


def test_a_planted_import_in_the_plain_kernels_is_found():
    planted = PACKAGES["plain"] | {"ctr": ("from .ghash import update", False)}
    assert faults(planted, FIRMWARE, "tinyseal", sideways=False) == ["ctr (1) imports ghash (1)"]


PLANTED_HOST = {
    "up in a folder": (
        "board.transport",
        "from .ports import open_port",
        "board.transport (transport) imports board.ports (provisioning)",
    ),
    "upwards": ("gate", "from . import cli", "gate (formats and keys) imports cli (cli)"),
    "absolute": ("gate", "import tinyseal_host.sealing", "gate (formats and keys) imports sealing (sealing)"),
    "compiler and sealing": (
        "model.arena",
        "from ..sealing import sign",
        "model.arena (compiler) imports sealing (sealing)",
    ),
    "out of a folder": (
        "sim.extra",
        "from ..board.transport import Link",
        "sim.extra (sim) imports board.transport (transport)",
    ),
}


@pytest.mark.parametrize(("name", "source", "fault"), PLANTED_HOST.values(), ids=PLANTED_HOST.keys())
def test_a_planted_import_in_the_host_is_found(name, source, fault):
    assert fault in faults(HOST_SOURCES | {name: (source, False)}, HOST, "tinyseal_host", sideways=True)


def test_a_planted_circle_is_found():
    planted = {"errors": ("from .files import reason", False), "files": ("from . import errors", False)}
    assert faults(planted, HOST, "tinyseal_host", sideways=True) == ["a circle: errors -> files -> errors"]


def test_an_import_downwards_is_no_fault():
    planted = {"cli.extra": ("from .. import keys, __version__\nfrom ..sealing import seal\nimport sys", False)}
    assert faults(HOST_SOURCES | planted, HOST, "tinyseal_host", sideways=True) == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("print('x')", {"print"}),
        ("import sys\nsys.exit(1)", {"sys.exit"}),
        ("raise SystemExit(1)", {"SystemExit"}),
        ("def f():\n    sys.stderr.write('x')", {"sys.stderr"}),
        ("x = 'print(1)'\ny.print(1)", set()),
        ("if __name__ == '__main__':\n    sys.exit(main())", set()),
    ],
)
def test_planted_talk_is_found(source, found):
    assert talks(source) == found
