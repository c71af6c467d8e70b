"""A virtual board with the example's model, on which the example application replays the example's frames."""

from __future__ import annotations

import contextlib
import io
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from .. import api, keys
from ..board.firmware import application
from ..board.ports import new_virtual_board
from ..board.transfer import send
from ..example import write_example

_NAN_AT, _DEAD_AT = 12, 25
"""Before these frames one of them comes spoiled, so that there is something refused to see."""


@contextlib.contextmanager
def example_board(heap_kib: int | None, native: bool) -> Iterator[str]:
    """Its port; keys and board are forgotten afterwards."""
    with tempfile.TemporaryDirectory(prefix="tinyseal-") as name, new_virtual_board(None, heap_kib, native) as port:
        folder = Path(name)
        write_example(folder)
        keys.generate(folder / "keys")
        owner = api.Keys(folder / "keys")
        release = api.build(folder / "motion.tflite", folder / "motion.toml", version=1, keys=owner)
        with api.Board(port) as board:
            board.deploy(release, owner)
            board.link.run("import uos\nuos.mkdir('/app')")
            files = application()
            send(board.link, "/app", files["app"])
            send(board.link, "", files[""] | {"frames.bin": _frames((folder / "frames.npy").read_bytes())})
        yield port


def _frames(npy: bytes) -> bytes:
    """The example's, float32 end to end, with two more among them: one NaN, and one dead channel."""
    frames = np.load(io.BytesIO(npy)).astype("<f4")
    nan, dead = frames[_NAN_AT].copy(), frames[_DEAD_AT].copy()
    nan[300] = np.nan
    dead[4::6] = 0
    replayed: npt.NDArray[np.float32] = np.insert(frames, [_NAN_AT, _DEAD_AT], [nan, dead], axis=0)
    return replayed.tobytes()
