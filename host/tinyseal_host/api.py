"""The library as scripts use it, and the command line too: `from tinyseal_host import Board, Keys, build, seal`.

Every failure is a TinysealError with one line of text, a hint where there is one, and the exit status of the command.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

from . import building, keys, sealing
from .board import inference, provisioning, updates
from .board.ports import open_port
from .board.transport import Link, Progress
from .errors import BoardError, RefusedError
from .formats import KeySource, parse_release, parse_sealed

AnyPath = str | os.PathLike[str]


class Keys:
    """Key folders, of which a key is read when it is needed first; TinysealError when none has it.

    `ask` gets the path of an encrypted signing key and returns its passphrase as bytes; without, such a key is refused.
    """

    def __init__(self, *folders: AnyPath, ask: keys.Ask | None = None) -> None:
        self.folders = [Path(folder) for folder in folders]
        self._ask = ask

    @cached_property
    def master(self) -> bytes:
        """The 32-byte master key."""
        return keys.load_master(self.folders)

    @cached_property
    def signing_key(self) -> RSAPrivateKey:
        """The key that signs releases."""
        return keys.load_signing_key(self.folders, self._ask)

    @cached_property
    def signer(self) -> RSAPublicKey:
        """The public half, from the signing key where it lies alone."""
        return keys.load_signer(self.folders, self._ask)

    @cached_property
    def known_signer(self) -> RSAPublicKey | None:
        """The public half where a folder has it by itself; no passphrase is asked for."""
        return keys.find_signer(self.folders)


def build(model: AnyPath, contract: AnyPath, *, version: int, keys: Keys, name: str | None = None) -> bytes:
    """The signed release, as in a `.tsm`, of a `.tflite` and the contract's `.toml`; named after the model's file."""
    return building.build(Path(model), Path(contract), version=version, name=name, signing_key=keys.signing_key)


def sealer(release: bytes, *, keys: Keys, key_source: KeySource = KeySource.NVS) -> sealing.Sealer:
    """What seals a release for one board after the other; RefusedError when it is none, or not by the keys' signer."""
    made = sealing.Sealer(release, key_source, keys.master)
    if keys.known_signer is not None:
        sealing.verify(release, keys.known_signer)
    return made


def seal(release: bytes, device_id: bytes, *, keys: Keys, key_source: KeySource = KeySource.NVS) -> bytes:
    """The release encrypted for the board with this id, as in a `.seal`; errors as for `sealer`."""
    return sealer(release, keys=keys, key_source=key_source).seal(device_id)


@dataclass(frozen=True)
class Deployed:
    """What `Board.deploy` did: the firmware's files, where the board's key is from, and what it accepted."""

    firmware: provisioning.Sent
    key_source: KeySource
    pushed: updates.Pushed


class Board:
    """A board, from the beginning of a `with` block to its end; BoardError when none answers.

    `port` is as for `--port`: a device, `auto`, `a0`, `socket://HOST:PORT`, `rfc2217://HOST:PORT`, or `sim` for a
    virtual board, whose state lies in the folder `state`, and which has `heap_kib` KiB of heap and, unless `native` is
    false, the native emitter. With `devices`, ids as bytes, nothing is done to another board. What runs on the board is
    interrupted; with `restart` it runs again afterwards. Setting `stop` raises KeyboardInterrupt in the thread that
    uses the board.

    `progress`, where a method takes it, is called with what is done and what there is in all.
    """

    def __init__(
        self,
        port: str,
        *,
        state: AnyPath | None = None,
        heap_kib: int | None = None,
        native: bool = True,
        devices: Sequence[bytes] = (),
        restart: bool = True,
        stop: threading.Event | None = None,
    ) -> None:
        self._opening = open_port(
            port,
            state=None if state is None else Path(state),
            heap_kib=heap_kib,
            native=native,
            restart=restart,
            stop=stop,
        )
        self._devices = devices
        self.link: Link
        """The raw REPL, for what has no method here."""
        self.info: provisioning.BoardInfo
        """What the board says of itself: id, name, MicroPython, architecture."""

    def __enter__(self) -> Board:
        """Connect."""
        with contextlib.ExitStack() as stack:
            self.link = stack.enter_context(self._opening)
            try:
                self.info = provisioning.describe(self.link)
            except RefusedError:  # the memory is full of what ran there
                self.link.restart()
                self.info = provisioning.describe(self.link)
            if self._devices and self.info.device_id not in self._devices:
                wanted = ", ".join(device.hex() for device in self._devices)
                raise BoardError(
                    f"{self.link.device}: board {self.info.device_id.hex()} answers, wanted {wanted}",
                    hint="nothing on it was changed; name another --port, or this board's id",
                )
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        """Give the board back."""
        return self._stack.__exit__(kind, error, trace)

    def status(self) -> dict[str, Any] | None:
        """Package, key source, signer, version floor, slots, counters and free heap; None without the package."""
        return provisioning.status(self.link)

    def provision(
        self,
        keys: Keys,
        *,
        key_source: KeySource = KeySource.NVS,
        replace: bool = False,
        progress: Progress | None = None,
    ) -> provisioning.Sent:
        """Bring the firmware up to date and write the board's key and signer.

        TinysealError when it has others, unless they are to be replaced; its models are lost then.
        """
        self.link.restart()
        done = provisioning.send_firmware(self.link, self.info, progress)
        provisioning.write_keys(
            self.link, self.info, master=keys.master, signer=keys.signer, source=key_source, replace=replace
        )
        return done

    def push(self, sealed: bytes, *, progress: Progress | None = None) -> updates.Pushed:
        """Put a sealed file into the idle slot; RefusedError when the board refuses it, and it keeps what it had."""
        self.link.restart()
        provisioning.require_package(self.link)
        updates.check_room(self.link, parse_sealed(sealed).payload_len)
        return updates.push(self.link, sealed, progress)

    def deploy(
        self,
        release: bytes,
        keys: Keys,
        *,
        key_source: KeySource = KeySource.NVS,
        firmware_progress: Progress | None = None,
        progress: Progress | None = None,
    ) -> Deployed:
        """Provision where it is needed, seal a release for this board, and push it; errors as of the three.

        A board that has keys already keeps them and their source.
        """
        link, info = self.link, self.info
        link.restart()
        firmware = provisioning.send_firmware(link, info, firmware_progress)
        updates.check_room(link, len(release), parse_release(release))
        board = link.call("status")
        if board["key_source"]:
            provisioning.check_keys(board, info, master=keys.master, signer=keys.signer)
            key_source = KeySource(board["key_source"])
        else:
            provisioning.write_keys(link, info, master=keys.master, signer=keys.signer, source=key_source)
        sealed = sealing.seal(release, info.device_id, key_source, keys.master)
        # What the board would refuse for its version is not sent.
        sealing.check(
            sealed,
            device_id=info.device_id,
            floor=board["floor"],
            key_source=key_source,
            master=keys.master,
            signer=keys.signer,
        )
        return Deployed(firmware, key_source, updates.push(link, sealed, progress))

    def rollback(self) -> updates.Pushed:
        """Go back to the model in the other slot; RefusedError when it does not open or the floor is above it."""
        self.link.restart()
        provisioning.require_package(self.link)
        return updates.rollback(self.link)

    def wipe(self) -> None:
        """Remove keys, version floor, models and package; what is not there is no failure."""
        self.link.restart()
        provisioning.wipe(self.link)

    def infer(
        self, frames: inference.Frames, *, what: AnyPath = "frames", progress: Progress | None = None
    ) -> inference.Run:
        """Run frames [n, values], of the contract's type or float64, through the active model.

        RefusedError when it does not open, TinysealError when the frames, of which it speaks as `what`, do not fit.
        """
        self.link.restart()
        provisioning.require_package(self.link)
        return inference.infer(self.link, frames, what, progress)
