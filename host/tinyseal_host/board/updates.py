"""Putting a model on a board: into the idle slot, verified and self-tested there, then switched to."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from ..errors import BoardError, TinysealError
from .transport import Link, Progress


@dataclass(frozen=True)
class Pushed:
    """What the board accepted, as it says itself."""

    name: str
    version: int
    labels: tuple[str, ...]
    slot: str


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
    about = link.call("accept_upload")
    return Pushed(about["name"], about["version"], tuple(about["labels"]), " ab"[about["slot"]])
