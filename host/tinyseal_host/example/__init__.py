"""The example: a network that tells four activities apart by a smart watch's motion. README.md says where it is from."""

import errno
import os
from importlib.resources import files
from pathlib import Path

import numpy as np
import numpy.typing as npt

_DATA = files(__name__)
_FILES = ("motion.tflite", "motion.toml", "frames.npy", "labels.npy")


def write_example(directory: Path) -> list[Path]:
    """Copy model, contract, frames and labels into DIRECTORY, made if missing, and return their paths there.

    A file that is there already with the same content is left alone; if one has other content, FileExistsError names it
    and nothing is written. When writing fails (OSError), no file made by this call is left.
    """
    wanted = {directory / name: (_DATA / name).read_bytes() for name in _FILES}
    missing = [path for path in wanted if not os.path.lexists(path)]
    for path, content in wanted.items():
        if path not in missing and not (path.is_file() and path.read_bytes() == content):
            raise FileExistsError(errno.EEXIST, "exists with other content than the example's", str(path))
    directory.mkdir(parents=True, exist_ok=True)
    made: list[Path] = []
    try:
        for path in missing:
            with path.open("xb") as file:
                made.append(path)
                file.write(wanted[path])
    except OSError:
        for path in made:
            path.unlink()
        raise
    return list(wanted)


def expected_outputs() -> npt.NDArray[np.int8]:
    """TensorFlow Lite Micro's output bytes for the rows of frames.npy, int8 [40, 4]."""
    with (_DATA / "expected.npy").open("rb") as file:
        outputs: npt.NDArray[np.int8] = np.load(file)
    return outputs
