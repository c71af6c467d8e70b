"""The example: a network that tells four activities apart by a watch's motion. README.md says where it is from."""

import os
from contextlib import ExitStack
from importlib.resources import files
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..errors import TinysealError
from ..files import MODEL_LIMIT, read_bounded, reason, write_new

_DATA = files(__name__)
_FILES = ("motion.tflite", "motion.toml", "training.npy", "frames.npy", "labels.npy")


def write_example(directory: Path) -> list[Path]:
    """Copy model, contract, frames and labels into DIRECTORY, made if missing, and return their paths there.

    A file that is there already with the same content is left alone. TinysealError when one has other content, and then
    nothing is written, or when writing fails, and then nothing made by this call is left.
    """
    wanted = {directory / name: (_DATA / name).read_bytes() for name in _FILES}
    missing = [path for path in wanted if not os.path.lexists(path)]
    for path, content in wanted.items():
        if path not in missing and not (path.is_file() and read_bounded(path, MODEL_LIMIT) == content):
            raise TinysealError(f"{path}: exists with other content than the example's", hint="name another folder")
    with ExitStack() as undo:
        for folder in [folder for folder in (directory, *directory.parents) if not folder.is_dir()][::-1]:
            try:
                folder.mkdir()
            except OSError as error:
                raise TinysealError(f"{folder}: {reason(error)}") from error
            undo.callback(folder.rmdir)
        for path in missing:
            write_new(path, wanted[path], 0o644)
            undo.callback(path.unlink)
        undo.pop_all()
    return list(wanted)


def expected_outputs() -> npt.NDArray[np.int8]:
    """TensorFlow Lite Micro's output bytes for the rows of frames.npy, int8 [40, 4]."""
    with (_DATA / "expected.npy").open("rb") as file:
        outputs: npt.NDArray[np.int8] = np.load(file)
    return outputs
