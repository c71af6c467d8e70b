"""Putting a model on a board: into the idle slot, verified and self-tested there, then switched to; and going back."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

from ..errors import Refusal, RefusedError
from ..formats import Release
from .transfer import Folder, digest, not_as_sent, send, understood
from .transport import Link, Progress

_FOLDER, _UPLOAD, _SLOTS = "/seal", "new.part", {1: "a.seal", 2: "b.seal"}  # FORMAT.md section 4
_READ_BYTES = 3072  # a round trip
_READ = """
import ubinascii,ujson
def _g(p,a,n):
 with open(p,'rb') as f:
  f.seek(a)
  print(ujson.dumps(ubinascii.b2a_base64(f.read(n)).decode().strip()))
"""
# The file first: the mark says that there is one to remove.
_FORGET = """
import uos
from tinyseal import slots
floor, active, left, _ = slots.state()
if left and left != active:
    try:
        uos.remove(slots.path(left))
    except OSError as e:
        if e.errno != 2:
            raise
    slots.write_state(floor, active)
"""


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


def stage(link: Link, sealed: bytes, slot: int, progress: Progress | None = None) -> None:
    """Put a sealed file, which the board need not be able to open yet, into a slot; what was there goes.

    BoardError when it arrives otherwise than it was sent; the slot is as before then.
    """
    _upload(link, sealed, understood(link, link.call("uploads")), progress)
    there = understood(link, link.call("uploads")).files or {}
    if _UPLOAD not in there or there[_UPLOAD].digest != digest(sealed):
        raise not_as_sent(link)
    link.run(f"import uos;uos.rename('{_FOLDER}/{_UPLOAD}','{_FOLDER}/{_SLOTS[slot]}')")


def read_slot(link: Link, slot: int, length: int, progress: Progress | None = None) -> bytes:
    """The sealed file of that many bytes in a slot, as it is there: nothing is verified."""
    found = b""
    for at in range(0, length, _READ_BYTES):
        text = link.json(f"_g('{_FOLDER}/{_SLOTS[slot]}',{at},{_READ_BYTES})", given=_READ)
        with link.understanding():
            found += base64.b64decode(text, validate=True)
        if progress:
            progress(len(found), length)
    return found


def forget_left_slot(link: Link) -> None:
    """Remove the file of the slot that the board has left because it does not open, and the mark that says so."""
    link.run(_FORGET)


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
