"""Putting a model on a board: into the idle slot, verified and self-tested there, then switched to."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from ..errors import BoardError, TinysealError
from ..formats import Release
from .transport import Link, Progress


@dataclass(frozen=True)
class Pushed:
    """What the board accepted, as it says itself."""

    name: str
    version: int
    labels: tuple[str, ...]
    slot: str


def check_room(link: Link, payload_len: int, release: Release | None = None) -> None:
    """RefusedError MEMORY unless the board can have the memory in which it would open a release of that many bytes.

    Without what is in it, which a sealed file hides, only its own bytes count. Nothing on the board is changed.
    """
    arena_len, operators, modules = 0, [], ""
    if release is not None:
        arena_len, operators = release.program.arena_len, sorted({step.number for step in release.program.steps})
        modules = "raw" * (release.contract.type != "float32") + " gate_more" * bool(release.contract.checks)
    link.restart()  # the memory as an application finds it: what ran here has left small objects all over
    link.call("check_room", payload_len, arena_len, operators, modules)


def push(link: Link, sealed: bytes, progress: Progress | None = None) -> Pushed:
    """Send a sealed file and have the board open it completely; RefusedError, and the board keeps what it had."""
    place = link.call("prepare_upload")
    if place["free"] < len(sealed):
        raise TinysealError(
            f"{link.device}: {len(sealed)} bytes to send, {place['free']} free on the board's filesystem",
            hint="remove files with mpremote fs rm",
        )
    path = str(place["path"])
    link.write(path, sealed, progress)
    if link.hash(path) != hashlib.sha256(sealed).hexdigest():
        raise BoardError(f"{link.device}: the file arrived with other contents than were sent", hint="try again")
    link.restart()  # what the upload has left in the memory would lie in the model's way
    about = link.call("accept_upload")
    return Pushed(about["name"], about["version"], tuple(about["labels"]), " ab"[about["slot"]])
