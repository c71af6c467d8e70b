"""Writes what `mip` installs the package from, for every architecture: `build/mip/ARCH/`.

    package.json                          with the files beside it, for a path or an address
    tinyseal/*.mpy                        as in the payload, which has to be built before
    package/6/tinyseal/VERSION.json       and `latest.json`: the folder is an index as well, for `mip install --index`
    file/HH/HASH                          the same files by the first 8 digits of their sha256, as an index has them

`mip` asks a board for the version of its `.mpy` format, here 6, and for nothing else: hence a folder an architecture.
"""

import hashlib
import json
import re
import shutil
import sys
from pathlib import Path

_ROOT = Path(__file__).parents[1]
_PAYLOAD = _ROOT / "host" / "tinyseal_host" / "payload" / "firmware"
_MPY_VERSION = 6  # the first byte behind the `M` of every .mpy file
_HASH_DIGITS = 8


def version() -> str:
    """The package's, which is the host's."""
    text = (_ROOT / "host" / "tinyseal_host" / "__init__.py").read_text()
    found = re.search(r'^__version__ = "(.*)"', text, re.MULTILINE)
    if found is None:
        raise ValueError("host/tinyseal_host/__init__.py: no __version__")
    return found[1]


def write(out: Path = _ROOT / "build" / "mip", payload: Path = _PAYLOAD) -> list[Path]:
    """Make the folders anew; returns them. ValueError for a file of another `.mpy` version."""
    shutil.rmtree(out, ignore_errors=True)
    return [_folder(out / built.name, built) for built in sorted(payload.iterdir())]


def _folder(out: Path, built: Path) -> Path:
    shutil.copytree(built, out)
    files = sorted(path.relative_to(out).as_posix() for path in out.rglob("*.mpy"))
    hashes = []
    for name in files:
        data = (out / name).read_bytes()
        if data[:2] != bytes([ord("M"), _MPY_VERSION]):
            raise ValueError(f"{name} is of .mpy version {data[1]}, wanted {_MPY_VERSION}")
        digest = hashlib.sha256(data).hexdigest()[:_HASH_DIGITS]
        hashes.append([name, digest])
        target = out / "file" / digest[:2] / digest
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    about = {"version": version(), "deps": []}
    _json(out / "package.json", about | {"urls": [[name, name] for name in files]})
    index = out / "package" / str(_MPY_VERSION) / "tinyseal"
    for name in ("latest", version()):
        _json(index / f"{name}.json", about | {"v": 1, "hashes": hashes})
    return out


def _json(path: Path, data: dict) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data, indent=1) + "\n")


if __name__ == "__main__":
    try:
        for folder in write():
            print((folder / "package.json").relative_to(_ROOT))
    except (OSError, ValueError) as error:
        sys.exit(f"mip: {error}")
