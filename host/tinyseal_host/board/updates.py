"""Putting a model on a board: into the idle slot, verified and self-tested there, then switched to; and going back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..errors import Refusal, RefusedError
from ..formats import Release
from .transfer import Folder, digest, not_as_sent, send, understood
from .transport import Link, Progress

_FOLDER, _UPLOAD, _SLOTS = "/seal", "new.part", {1: "a.seal", 2: "b.seal"}  # FORMAT.md section 4


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
    To be asked soon after a restart: what runs here leaves small objects all over the memory that an application finds.
    """
    arena_len, operators, modules = 0, [], ""
    if release is not None:
        arena_len, operators = release.program.arena_len, sorted({step.number for step in release.program.steps})
        modules = "raw" * (release.contract.type != "float32") + " gate_more" * bool(release.contract.checks)
    link.call("check_room", payload_len, arena_len, operators, modules)


def push(link: Link, sealed: bytes, progress: Progress | None = None) -> Pushed:
    """Send a sealed file and have the board open it completely; RefusedError, and the board keeps what it had.

    An upload that was cut goes on where it stopped, and a file that is in a slot already is not sent again.
    """
    place = understood(link, link.call("uploads"))
    there = place.files or {}
    mine = digest(sealed)
    found = next((slot for slot, name in _SLOTS.items() if name in there and there[name].digest == mine), 0)
    if not found and not (_UPLOAD in there and there[_UPLOAD].digest == mine):
        _upload(link, sealed, place, progress)
    link.restart()  # what the upload has left in the memory would lie in the model's way
    about = link.call("accept_upload", found, mine)
    if about is None:
        raise not_as_sent(link)
    return _pushed(link, about)


def _upload(link: Link, sealed: bytes, place: Folder, progress: Progress | None) -> None:
    at = 0
    part = (place.files or {}).get(_UPLOAD)
    if place.files is None:
        link.run(f"import uos;uos.mkdir({_FOLDER!r})")
    elif part is not None and part.size < len(sealed) and part.digest == digest(sealed[: part.size]):
        at = part.size
    elif part is not None:
        link.run(f"import uos;uos.remove('{_FOLDER}/{_UPLOAD}')")
        place = understood(link, link.call("uploads"))
    place.check_room(link, [len(sealed) - at])
    send(link, _FOLDER, {_UPLOAD: sealed}, progress, at=at)


def rollback(link: Link) -> Pushed:
    """Go back to the older model of the two; RefusedError when it does not open or the version floor is above it."""
    try:
        return _pushed(link, link.call("rollback"))
    except RefusedError as error:
        if error.code == Refusal.ROLLBACK:
            error.hint = "the newer model has opened: no way back; deploy the older one as a later --version"
        raise


def _pushed(link: Link, about: dict[str, Any]) -> Pushed:
    with link.understanding():
        return Pushed(str(about["name"]), int(about["version"]), tuple(about["labels"]), _SLOTS[about["slot"]][0])
