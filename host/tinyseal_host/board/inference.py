"""Running frames through a board's model, and reading and writing them on the host."""

from __future__ import annotations

import contextlib
import csv
import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..contract import DTYPES, TYPES
from ..errors import Status, TinysealError
from ..files import read_bounded
from .transport import REMOTE, Link, Progress, base64_chunks

Frames = npt.NDArray[np.generic]

_FRAMES_LIMIT = 256 << 20


@dataclass(frozen=True)
class Result:
    """What the board said of one frame.

    `reason` is the gate's word and `channel` where it found it, -1 for nowhere; `status` is `infer`'s, SENSOR when so
    many frames in a row were refused. `scores` are the network's int8 outputs, empty when the frame was refused.
    """

    status: Status
    reason: Status
    channel: int
    top: int
    label: str
    scores: tuple[int, ...]
    gate_us: int
    net_us: int


@dataclass(frozen=True)
class Run:
    """A whole run: the model's name, version, labels and number of outputs, a Result a frame, the gate's counters."""

    name: str
    version: int
    labels: tuple[str, ...]
    outputs: int
    results: tuple[Result, ...]
    health: dict[str, Any]


def read_frames(path: Path) -> Frames:
    """Frames, one a row, from `.npy` (a contract's type, any shape with frames first) or `.csv` (one frame a line).

    Numbers as text are float64 as yet: `fit_frames` makes them what the contract wants.
    """
    data = read_bounded(path, _FRAMES_LIMIT)
    return _from_csv(path, data) if path.suffix.lower() == ".csv" else _from_npy(path, data)


def _from_npy(path: Path, data: bytes) -> Frames:
    try:
        frames = np.load(io.BytesIO(data), allow_pickle=False)
    except (ValueError, EOFError, OSError, MemoryError) as error:  # a header may claim more values than there is RAM
        what = "holds Python objects" if "Object arrays" in str(error) else "not a whole .npy file"
        raise TinysealError(f"{path}: {what}, wanted frames as .npy or .csv") from error
    if not isinstance(frames, np.ndarray) or frames.dtype.name not in DTYPES:
        got = frames.dtype if isinstance(frames, np.ndarray) else "an archive"
        hint = "frames.astype('float32')"
        raise TinysealError(f"{path}: holds {got}, wanted {' or '.join(DTYPES)}", hint=hint)
    if frames.ndim > 1 and not frames.size:
        raise TinysealError(f"{path}: has no frames in it, its shape is {frames.shape}")
    if frames.ndim < 2:
        raise TinysealError(f"{path}: has shape {frames.shape}, wanted frames first: (frames, values)")
    return np.ascontiguousarray(frames.reshape(len(frames), -1), dtype=DTYPES[frames.dtype.name])


def _from_csv(path: Path, data: bytes) -> Frames:
    try:
        lines = [line for line in csv.reader(io.StringIO(data.decode())) if line]
    except (UnicodeDecodeError, csv.Error) as error:
        raise TinysealError(f"{path}: not CSV text, wanted one frame a line") from error
    if not lines:
        raise TinysealError(f"{path}: is empty, wanted one frame a line")
    frames = np.empty((len(lines), len(lines[0])))
    for number, line in enumerate(lines):
        if len(line) != len(lines[0]):
            raise TinysealError(
                f"{path}: line {number + 1} has {len(line)} values, wanted {len(lines[0])} as in line 1"
            )
        try:
            frames[number] = [float(value) for value in line]
        except ValueError:
            raise TinysealError(f"{path}: line {number + 1} is not numbers, wanted one frame a line") from None
    return frames


def fit_frames(frames: Frames, wanted: str, what: str | os.PathLike[str]) -> Frames:
    """The frames as the contract's type; TinysealError when they are of another, or numbers that are none of it."""
    if frames.dtype == DTYPES[wanted]:
        return frames
    if frames.dtype != np.float64:
        raise TinysealError(f"{what}: holds {frames.dtype.name}, the model's contract wants {wanted}")
    with np.errstate(over="ignore", invalid="ignore"):  # beyond float32 is infinity, which the gate refuses
        fitting = frames.astype(DTYPES[wanted])
    if wanted != "float32" and not np.array_equal(fitting, frames):
        row, column = (int(place[0]) for place in np.nonzero(fitting != frames))
        raise TinysealError(f"{what}: value {column + 1} of line {row + 1} is {frames[row, column]:g}, wanted {wanted}")
    return fitting


def infer(link: Link, frames: Frames, what: str | os.PathLike[str], progress: Progress | None = None) -> Run:
    """Send each row of `frames`, [n, values], through the active model. RefusedError when it does not open.

    TinysealError when they are of another type than its contract's; `what` names them.
    """
    about = link.call("open_model")
    labels = tuple(about["labels"])
    results = []
    try:
        frames = fit_frames(frames, {number: name for name, number in TYPES.items()}[about["type"]], what)
        link.call("new_frame", frames.dtype.itemsize * frames.shape[1])
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


def _infer_one(link: Link, frame: Frames, labels: tuple[str, ...]) -> Result:
    for at, text in base64_chunks(frame.tobytes()):
        link.run(f"_r.put({at},{text!r})", given=REMOTE)
    status, reason, channel, top, output, gate_us, net_us = link.call("infer")
    accepted = Status(status) is Status.OK
    scores = tuple(np.frombuffer(bytes.fromhex(output), np.int8).tolist())
    label = labels[top] if accepted and labels else ""
    return Result(Status(status), Status(reason), channel, top, label, scores, gate_us, net_us)


def csv_lines(run: Run) -> Iterator[str]:
    """A header and a line a frame: `frame,status,reason,channel,top,label,score_0,...`; empty where there is none."""
    width = run.outputs
    header: list[object] = [
        "frame",
        "status",
        "reason",
        "channel",
        "top",
        "label",
        *(f"score_{i}" for i in range(width)),
    ]
    rows: list[list[object]] = [header, *(_row(number, result, width) for number, result in enumerate(run.results))]
    for row in rows:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerow(row)
        yield text.getvalue()


def _row(number: int, result: Result, width: int) -> list[object]:
    channel = "" if result.channel < 0 else result.channel
    head: list[object] = [number, int(result.status), result.reason.name.lower(), channel]
    if result.status is not Status.OK:
        return head + [""] * (2 + width)
    return [*head, result.top, result.label, *result.scores]
