"""`make demo`: the whole job on a virtual board, every claim checked, by the commands that a user types.

Prints what it does, and ends in one line that begins with `demo: ok`. Anything that does not happen as it should ends
it with status 1 and the reason.
"""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .example import expected_outputs

_TINYSEAL = [sys.executable, "-c", "import sys; from tinyseal_host.cli import main; sys.exit(main())"]
_REFUSED = 3
_START_S = 60


class DemoError(Exception):
    """Something did not happen as it should."""


class Demo:
    """One run in the folder `folder`, with the virtual board at `port`."""

    def __init__(self, folder: Path, port: str) -> None:
        self.folder = folder
        self.port = port
        self.bad_frames = 0
        self.bad_files = 0

    def tinyseal(self, line: str, *, expect: int = 0) -> dict[str, Any]:
        """Run a command as a user would, and give its JSON object; the board's port is added where one is wanted."""
        words = shlex.split(line)
        if "--port" in words:
            words[words.index("--port") + 1] = self.port
        print(f"  $ tinyseal {line}", flush=True)
        done = subprocess.run(
            [*_TINYSEAL, *words, "--json"], cwd=self.folder, capture_output=True, text=True, check=False
        )
        if done.returncode != expect:
            raise DemoError(f"status {done.returncode}, wanted {expect}: {done.stderr.strip()}")
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    def refuse(self, what: str, line: str, code: str) -> None:
        """A push that the board must refuse, with this code."""
        answer = self.tinyseal(line, expect=_REFUSED)
        if answer.get("code") != code:
            raise DemoError(f"{what}: refused with {answer.get('code')}, wanted {code}")
        self.bad_files += 1
        print(f"    {what}: refused, {code}, exit status {_REFUSED}")

    def run(self) -> str:
        """All of it; the last line."""
        print("an example model, keys, and a board that has neither firmware nor model")
        self.tinyseal("example .")
        self.tinyseal("keygen keys")
        board = self.tinyseal("provision --port sim --keys keys")
        print(f"    board {board['device_id']}, {board['sent']} files of firmware sent")

        print("compile, sign, seal for that board, and push; the board verifies, decrypts and tests it itself")
        self.tinyseal("build motion.tflite --contract motion.toml --version 2 --keys keys -o motion.tsm")
        self.tinyseal(f"seal motion.tsm --device {board['device_id']} --keys keys -o motion.seal")
        pushed = self.tinyseal("push motion.seal --port sim")
        print(f"    {pushed['name']}, version {pushed['version']}, active in slot {pushed['slot']}")

        agree, frames, accuracy = self.classify("frames.npy")
        print("frames that the contract does not allow")
        self.refuse_frames()
        print("files that the board must not accept")
        self.refuse_files(board["device_id"])
        print("and the board still has its model")
        if self.classify("frames.npy") != (agree, frames, accuracy):
            raise DemoError("the board classifies otherwise than before")
        return (
            f"demo: ok, {agree}/{frames} frames agree with TensorFlow Lite Micro, accuracy {accuracy:.3f}, "
            f"{self.bad_frames} bad frames and {self.bad_files} bad files refused"
        )

    def classify(self, frames: str) -> tuple[int, int, float]:
        """(frames with TFLM's bytes, frames, accuracy) of the test split; all bytes must be TFLM's."""
        answer = self.tinyseal(f"infer {frames} --port sim")
        expected = expected_outputs()
        truth = np.load(self.folder / "labels.npy")
        got = [frame["scores"] for frame in answer["frames"]]
        agree = sum(scores == row.tolist() for scores, row in zip(got, expected, strict=True))
        accuracy = float(np.mean([frame["top"] for frame in answer["frames"]] == truth))
        for label, count in zip(
            *np.unique([str(f["label"]) for f in answer["frames"]], return_counts=True), strict=True
        ):
            print(f"    {count:3} {label}")
        if agree != len(expected):
            raise DemoError(f"only {agree} of {len(expected)} frames agree with TensorFlow Lite Micro")
        print(f"    {agree}/{len(expected)} outputs are TensorFlow Lite Micro's bytes, accuracy {accuracy:.3f}")
        return agree, len(expected), accuracy

    def refuse_frames(self) -> None:
        """Four good frames, each spoiled in one way."""
        good = np.load(self.folder / "frames.npy")[:1]
        for reason, frame in spoiled(good):
            name = f"bad-{reason}.npy"
            np.save(self.folder / name, frame)
            answer = self.tinyseal(f"infer {name} --port sim")
            (found,) = answer["frames"]
            if found["reason"] != reason or found["scores"] or answer["counts"][reason.upper()] != 1:
                raise DemoError(f"a frame spoiled by {reason} came back as {found['reason']}")
            self.bad_frames += 1
            print(f"    refused: {reason}")

    def refuse_files(self, device_id: str) -> None:
        """Four sealed files, each wrong in one way."""
        sealed = bytearray((self.folder / "motion.seal").read_bytes())
        sealed[len(sealed) // 2] ^= 1
        (self.folder / "altered.seal").write_bytes(sealed)
        self.refuse("one bit changed", "push altered.seal --port sim", "AUTHENTICATION")

        other = bytes.fromhex(device_id)[:-1] + bytes([bytes.fromhex(device_id)[-1] ^ 1])
        self.tinyseal(f"seal motion.tsm --device {other.hex()} --keys keys -o other.seal")
        self.refuse("sealed for another board", "push other.seal --port sim", "WRONG_BOARD")

        self.tinyseal("build motion.tflite --contract motion.toml --version 1 --keys keys -o old.tsm")
        self.tinyseal(f"seal old.tsm --device {device_id} --keys keys -o old.seal")
        self.refuse("an older version", "push old.seal --port sim", "ROLLBACK")

        self.tinyseal("keygen stranger")
        self.tinyseal("build motion.tflite --contract motion.toml --version 3 --keys stranger -o stranger.tsm")
        # By a station that has the master key only: with the signer's key at hand, `seal` would refuse.
        (self.folder / "station").mkdir()
        shutil.copy(self.folder / "keys" / "master.key", self.folder / "station")
        self.tinyseal(f"seal stranger.tsm --device {device_id} --keys station -o stranger.seal")
        self.refuse("signed by a stranger", "push stranger.seal --port sim", "SIGNATURE")


def spoiled(good: npt.NDArray[np.float32]) -> Iterator[tuple[str, npt.NDArray[np.float32]]]:
    """(the status that it must get, frame): one with a NaN, out of range, 40 % zeros, and of wrong length."""
    for reason in ("nan", "range", "zeros", "size"):
        frame = good.copy()
        if reason == "nan":
            frame[0, 300] = np.nan
        elif reason == "range":
            frame[0, 300] = 1e6
        elif reason == "zeros":
            frame[0, : frame.shape[1] * 2 // 5] = 0.0
        else:
            frame = frame[:, :-1]
        yield reason, frame


@contextmanager
def virtual_board(state: Path) -> Iterator[str]:
    """`tinyseal sim` in a process of its own; its port."""
    sim = subprocess.Popen(
        [*_TINYSEAL, "sim", "--state", str(state)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        port = sim.stdout.readline().strip() if sim.stdout else ""
        if not port:
            raise DemoError("the virtual board does not start: try `tinyseal sim`")
        yield port
    finally:
        sim.terminate()
        sim.wait(_START_S)


def main() -> int:
    """Run it in a folder of its own, which is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="tinyseal-demo-") as name:
        try:
            with virtual_board(Path(name) / "board") as port:
                print(Demo(Path(name), port).run())
        except DemoError as error:
            print(f"demo: failed, {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
