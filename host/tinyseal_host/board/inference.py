"""Running frames through a board's model, and reading and writing them on the host."""

from __future__ import annotations

import contextlib
import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..errors import Status, TinysealError
from ..files import read_bounded
from .transport import REMOTE, Link, Progress, base64_chunks

_FRAMES_LIMIT = 256 << 20


@dataclass(frozen=True)
class Result:
    """What the board said of one frame: `scores` are the network's int8 outputs, empty when the gate refused."""

    status: Status
    top: int
    label: str
    scores: tuple[int, ...]
    took_us: int


@dataclass(frozen=True)
class Run:
    """A whole run: the model's name, version, labels and number of outputs, a Result a frame, the board's counts."""

    name: str
    version: int
    labels: tuple[str, ...]
    outputs: int
    results: tuple[Result, ...]
    counts: dict[str, int]


def read_frames(path: Path) -> npt.NDArray[np.float32]:
    """Frames, one a row, from `.npy` (float32, any shape with frames first) or `.csv` (one frame a line)."""
    data = read_bounded(path, _FRAMES_LIMIT)
    return _from_csv(path, data) if path.suffix.lower() == ".csv" else _from_npy(path, data)


def _from_npy(path: Path, data: bytes) -> npt.NDArray[np.float32]:
    try:
        frames = np.load(io.BytesIO(data), allow_pickle=False)
    except (ValueError, EOFError, OSError, MemoryError) as error:  # a header may claim more values than there is RAM
        what = "holds Python objects" if "Object arrays" in str(error) else "not a whole .npy file"
        raise TinysealError(f"{path}: {what}, wanted float32 frames as .npy or .csv") from error
    if not isinstance(frames, np.ndarray) or frames.dtype != np.float32:
        got = frames.dtype if isinstance(frames, np.ndarray) else "an archive"
        raise TinysealError(f"{path}: holds {got}, wanted float32", hint="frames.astype('float32')")
    if frames.ndim > 1 and not frames.size:
        raise TinysealError(f"{path}: has no frames in it, its shape is {frames.shape}")
    if frames.ndim < 2:
        raise TinysealError(f"{path}: has shape {frames.shape}, wanted frames first: (frames, values)")
    return np.ascontiguousarray(frames.reshape(len(frames), -1), dtype="<f4")


def _from_csv(path: Path, data: bytes) -> npt.NDArray[np.float32]:
    try:
        lines = [line for line in csv.reader(io.StringIO(data.decode())) if line]
    except (UnicodeDecodeError, csv.Error) as error:
        raise TinysealError(f"{path}: not CSV text, wanted one frame a line") from error
    if not lines:
        raise TinysealError(f"{path}: is empty, wanted one frame a line")
    frames = np.empty((len(lines), len(lines[0])), dtype="<f4")
    for number, line in enumerate(lines):
        if len(line) != len(lines[0]):
            raise TinysealError(
                f"{path}: line {number + 1} has {len(line)} values, wanted {len(lines[0])} as in line 1"
            )
        try:
            with np.errstate(over="ignore"):  # beyond float32 is infinity, which the gate refuses
                frames[number] = [float(value) for value in line]
        except ValueError:
            raise TinysealError(f"{path}: line {number + 1} is not numbers, wanted one frame a line") from None
    return frames


def infer(link: Link, frames: npt.NDArray[np.float32], progress: Progress | None = None) -> Run:
    """Send each row of `frames`, float32 [n, values], through the active model. RefusedError when it does not open."""
    about = link.call("open_model")
    labels = tuple(about["labels"])
    results = []
    try:
        link.call("new_frame", 4 * frames.shape[1])
        for number, frame in enumerate(frames):
            results.append(_infer_one(link, frame, labels))
            if progress:
                progress(number + 1, len(frames))
    except BaseException:
        with contextlib.suppress(TinysealError):
            link.interrupt()  # it may still be at it
            link.call("close_model")  # wipes the weights
        raise
    return Run(about["name"], about["version"], labels, about["outputs"], tuple(results), link.call("close_model"))


def _infer_one(link: Link, frame: npt.NDArray[np.float32], labels: tuple[str, ...]) -> Result:
    for at, text in base64_chunks(frame.tobytes()):
        link.run(f"_r.put({at},{text!r})", given=REMOTE)
    status, top, output, took_us = link.call("infer")
    accepted = Status(status) is Status.OK
    scores = tuple(np.frombuffer(bytes.fromhex(output), np.int8).tolist())
    return Result(Status(status), top, labels[top] if accepted and labels else "", scores, took_us)


def csv_lines(run: Run) -> Iterator[str]:
    """A header and a line a frame: `frame,status,reason,top,label,score_0,...`; empty fields for a refused frame."""
    width = run.outputs
    header: list[object] = ["frame", "status", "reason", "top", "label", *(f"score_{i}" for i in range(width))]
    rows: list[list[object]] = [header, *(_row(number, result, width) for number, result in enumerate(run.results))]
    for row in rows:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerow(row)
        yield text.getvalue()


def _row(number: int, result: Result, width: int) -> list[object]:
    head: list[object] = [number, int(result.status), result.status.name.lower()]
    if result.status is not Status.OK:
        return head + [""] * (2 + width)
    return [*head, result.top, result.label, *result.scores]
