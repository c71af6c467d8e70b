"""Compares what engines compute with what TensorFlow Lite Micro does, and keeps what reproduces a difference."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tflite_parts import RandomModel

from conformance.cases import Case, NotSupportedError, case_of
from conformance.engines import ENGINES
from conformance.tally import Tally


def judge(models: list[RandomModel], engines: Sequence[str], folder: Path, where: str) -> Tally:
    """The Tally of random cases; a file that fails is kept in `folder`, with its frames; `where` says whence it is."""
    tally, cases = Tally(cases=len(models)), []
    for model in models:
        try:
            cases.append(case_of(model))
        except NotSupportedError as error:
            tally.differ += 1
            tally.wrong.append(f"{where}: refused: {error}; {_keep(folder, model.name, model.data, model.inputs)}")
    for engine in engines:
        for case, found in zip(cases, ENGINES[engine](cases) if cases else [], strict=True):
            tally.values += case.expected.size
            differ, how = compare(case, found)
            if differ:
                tally.differ += differ
                kept = _keep(folder, case.name, case.data, case.frames)
                tally.wrong.append(f"{where}: {engine}: {how}; {kept}")
    return tally


def compare(case: Case, found: np.ndarray | str) -> tuple[int, str]:
    """How many of an engine's values are not those that are expected, and where the first is."""
    wanted = case.expected
    if isinstance(found, str):
        return wanted.size, found
    if found.shape != wanted.shape:
        return wanted.size, f"outputs are {found.shape}, wanted {wanted.shape}"
    places = np.argwhere(found != wanted)
    if not len(places):
        return 0, ""
    frame, value = (int(number) for number in places[0])
    got = f"{found[frame, value]}, wanted {wanted[frame, value]}"
    return len(places), f"{len(places)} of {wanted.size} differ, frame {frame} value {value} is {got}"


def _keep(folder: Path, name: str, data: bytes, frames: np.ndarray) -> str:
    """Write a file and its frames, and say how to see the difference again."""
    folder.mkdir(exist_ok=True)
    stem = f"{name.replace(' ', '-')}-{hashlib.sha256(data).hexdigest()[:12]}"
    (folder / f"{stem}.tflite").write_bytes(data)
    np.save(folder / f"{stem}.npy", frames)
    return f"kept as {folder / stem}.tflite, frames in .npy"
