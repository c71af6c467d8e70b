"""What the firmware takes on a board: `python -m bench.size` prints the bytes of each `.mpy`, and which a model loads.

Which modules those are is asked of the VM after it has opened a sealed file: one whose network is a single ROWS step,
and the example's.
"""

import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import tiny_release
from emulation import ARCHITECTURES
from opening import DEVICE_ID, Identity, on_board
from tinyseal_host import sealing
from tinyseal_host.building import build
from tinyseal_host.example import write_example
from tinyseal_host.formats import KeySource
from vm import VmError, payload

from .line import Line

LIMIT = 48 * 1024
"""Bytes that the runtime is to stay below, on every architecture."""
HOST_ONLY = frozenset({"remote"})
"""Modules that no application loads: what the host calls while a board is at its cable."""
ASKED_FOR = frozenset({"gate_more", "hkdf", "keep", "raw"})
"""Modules that only who asks for them loads: a contract with optional checks or raw integers, a board with its key in
files, an application that has its model closed when idle. The rest is the runtime."""
_PREFIXES = {"rv32imc": "", "xtensawin": "xt_"}
_SCRIPT = """
opened = outcome("m.seal")
modules = [name.partition(".")[2] or "__init__" for name in sys.modules if name.split(".")[0] == "tinyseal"]
print(ujson.dumps([opened[0], modules]))
"""


@dataclass(frozen=True)
class Sizes:
    """Bytes of every `.mpy` by architecture and module; by model the modules in RAM after it was opened."""

    bytes: dict[str, dict[str, int]]
    loaded: dict[str, set[str]]

    def total(self, architecture: str, model: str | None = None) -> int:
        """Of all modules, or of those that a model loads."""
        sizes = self.bytes[architecture]
        return sum(size for name, size in sizes.items() if model is None or name in self.loaded[model])

    def runtime(self, architecture: str) -> int:
        """Of all modules that every application loads, whatever its model's operators, on a board with NVS."""
        left_out = HOST_ONLY | ASKED_FOR
        return sum(size for name, size in self.bytes[architecture].items() if name not in left_out)

    def asked_for(self, architecture: str) -> int:
        """Of the modules that are loaded where all that can be asked for is."""
        return sum(self.bytes[architecture][name] for name in ASKED_FOR)


def measure() -> Sizes:
    """Of the sources as they are; VmError when the VM does not open a file."""
    folder = payload() / "firmware"
    found = {
        architecture: {path.stem: path.stat().st_size for path in sorted((folder / architecture).rglob("*.mpy"))}
        for architecture in ARCHITECTURES
    }
    return Sizes(found, _loaded())


def _loaded() -> dict[str, set[str]]:
    loaded = {}
    with tempfile.TemporaryDirectory() as folder:
        identity = Identity(Path(folder) / "keys")
        model, contract, *_ = write_example(Path(folder) / "example")
        releases = {
            "rows": sealing.sign(tiny_release.body(), identity.private),
            "example": build(model, contract, version=1, name=None, signing_key=identity.private),
        }
    for name, release in releases.items():
        sealed = sealing.seal(release, DEVICE_ID, KeySource.FILE, identity.master)
        verdict, modules = json.loads(on_board(_SCRIPT, {"m.seal": sealed, **identity.files()}))
        if verdict != "OK":
            raise VmError(f"{name}: {verdict}")
        loaded[name] = set(modules)
    return loaded


def table(sizes: Sizes) -> Iterator[str]:
    """A row for each module: its bytes by architecture, and which of the two models load it."""
    yield f"{'module':<20}" + "".join(f"{name:>11}" for name in sizes.bytes) + "  loaded by"
    for module in next(iter(sizes.bytes.values())):
        numbers = "".join(f"{by_module[module]:>11,}" for by_module in sizes.bytes.values())
        models = [model for model, modules in sizes.loaded.items() if module in modules]
        yield f"{module:<20}{numbers}  {', '.join(models)}".rstrip()


def lines(sizes: Sizes) -> Iterator[Line]:
    """The totals."""
    for architecture, prefix in _PREFIXES.items():
        runtime = f"every operator, without the next line and what only the host calls; to be below {LIMIT}"
        yield Line(f"{prefix}size_runtime", sizes.runtime(architecture), "bytes", runtime)
        asked_for = "loaded for optional checks, raw integers, a key in files, closing when idle"
        yield Line(f"{prefix}size_asked_for", sizes.asked_for(architecture), "bytes", asked_for)
        yield Line(f"{prefix}size_all", sizes.total(architecture), "bytes", "every module")
        yield Line(f"{prefix}size_rows", sizes.total(architecture, "rows"), "bytes", "loaded for one dense layer")
        yield Line(f"{prefix}size_example", sizes.total(architecture, "example"), "bytes", "loaded for the example")


def main() -> int:
    """The exit status: 1 when a file does not open."""
    try:
        sizes = measure()
    except VmError as error:
        print(f"size: {error}", file=sys.stderr)
        return 1
    for row in table(sizes):
        print(row)
    print()
    for line in lines(sizes):
        print(line)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
