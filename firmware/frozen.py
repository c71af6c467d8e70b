"""Writes the package's modules as a build of MicroPython is to freeze them: `build/frozen/ARCH/tinyseal/*.py`.

    python firmware/frozen.py rv32imc

`boards/hardened/common/manifest.py` does the same whenever a board is built, so that never a stale copy is frozen.
"""

import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from package_sources import NATIVE, sources

_FROZEN = Path(__file__).parents[1] / "build" / "frozen"


def write(architecture: str, root: Path = _FROZEN) -> Path:
    """Bring the folder for an architecture to what the sources are now, and return it, `root`/ARCH.

    A file that is right already is left alone: a build compiles by date. ValueError for an unknown architecture.
    """
    if architecture not in NATIVE:
        raise ValueError(f"architecture is {architecture}, wanted one of {', '.join(NATIVE)}")
    folder = root / architecture / "tinyseal"
    folder.mkdir(parents=True, exist_ok=True)
    wanted = {f"{name}.py": text for name, text in sources(architecture).items()}
    for path in folder.iterdir():
        if path.name not in wanted:
            path.unlink()
    for name, text in wanted.items():
        path = folder / name
        if not path.exists() or path.read_text() != text:
            _replace(path, text)
    return folder.parent


def _replace(path: Path, text: str) -> None:
    """Whole or not at all, for another build may be reading."""
    handle, new = tempfile.mkstemp(dir=path.parent.parent)
    with os.fdopen(handle, "w") as file:
        file.write(text)
    Path(new).replace(path)


if __name__ == "__main__":
    try:
        for architecture in sys.argv[1:] or NATIVE:
            print(write(architecture).relative_to(Path(__file__).parents[1]))
    except ValueError as error:
        sys.exit(f"frozen: {error}")
