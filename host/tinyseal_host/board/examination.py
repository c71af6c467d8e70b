"""What is wrong with a board, found by looking at everything that a command would stumble over.

Nothing is changed, but for what opening a model changes at every boot: the version floor rises to its version.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from ..errors import BoardError, TinysealError
from ..formats import KeySource
from . import installing, provisioning
from .firmware import load_firmware
from .transfer import digest, look
from .transport import Link

_PROVISION = "tinyseal provision --port ... --keys ..."
_DEPLOY = "tinyseal deploy MODEL.tflite --port ... --keys ..."
# A full littlefs counts blocks twice, and says that less than none are free.
_ROOM = "import uos,ujson;s=uos.statvfs('/');print(ujson.dumps([s[0]*s[2],s[0]*s[3] if s[3]<=s[2] else 0]))"
_SHADOWS = """
import uos, ujson
print(ujson.dumps([e[0] for e in uos.ilistdir("/") if e[0] in ("tinyseal.py", "tinyseal.mpy", "tinyseal")]))
"""
_PACKAGE = "/lib/tinyseal"
_SPARE_BYTES = 16384  # littlefs copies what it changes; a filesystem that is full to the last block takes no model


@dataclass(frozen=True)
class Check:
    """One thing that was looked at: what was found, or `error`, why it will not do."""

    name: str
    found: str
    error: TinysealError | None = None


def examine(
    link: Link,
    info: provisioning.BoardInfo,
    status: dict[str, Any],
    *,
    master: bytes | None = None,
    signer: RSAPublicKey | None = None,
) -> Iterator[Check]:
    """Go through the checks, each built on those before it; the last one is the first that leaves nothing to look at.

    With keys, whether the board's are theirs. `status` gets what the board says of itself, when it comes to that.
    BoardError when the board goes away.
    """
    yield Check("MicroPython", f"{info.version} on {info.name}, {info.architecture}")
    yield _check("filesystem", lambda: _filesystem(link))
    speaks = _check("package", lambda: _protocol(link))
    if speaks.error is not None:
        yield speaks
        return
    yield _check("package", lambda: _files(link, info))
    store = _check("store", lambda: _store(link, status))
    yield store
    if store.error is not None:
        return
    yield _check("keys", lambda: _keys(status, info, master, signer))
    yield _check("model", lambda: _model(status))
    if status["active"]:
        yield _check("opening", lambda: _opening(link))


def _check(name: str, find: Callable[[], str]) -> Check:
    """BoardError goes on to the caller: without a board there is nothing more to look at."""
    try:
        return Check(name, find())
    except BoardError:
        raise
    except TinysealError as error:
        return Check(name, "", error)


def _filesystem(link: Link) -> str:
    found = link.json(_ROOM)
    with link.understanding():
        size, free = (int(value) for value in found)
    if free < _SPARE_BYTES:
        raise TinysealError(f"{free:,} of {size:,} bytes free", hint="remove files with mpremote fs rm")
    shadows = link.json(_SHADOWS)
    if shadows:
        raise TinysealError(
            f"/{shadows[0]} is imported before the package in /lib", hint=f"mpremote fs rm -r :/{shadows[0]}"
        )
    return f"{free:,} of {size:,} bytes free"


def _protocol(link: Link) -> str:
    number = installing.protocol(link)
    if number is None:
        raise TinysealError("tinyseal is not on it, or cannot be loaded", hint=_PROVISION)
    installing.check_protocol(link, number)
    return f"protocol {number}"


def _files(link: Link, info: provisioning.BoardInfo) -> str:
    if not look(link, _PACKAGE).files and installing.is_frozen(link):
        return "frozen into the firmware"
    wanted = {path.rpartition("/")[2]: digest(data) for path, data in load_firmware(info.architecture).files.items()}
    there = {name: stored.digest for name, stored in (look(link, _PACKAGE).files or {}).items()}
    others = [name for name in wanted.keys() | there.keys() if wanted.get(name) != there.get(name)]
    if others:
        raise TinysealError(
            f"{len(others)} files of {_PACKAGE} are not as in this version: {min(others)}", hint=_PROVISION
        )
    return f"{len(wanted)} files, all as in this version"


def _store(link: Link, status: dict[str, Any]) -> str:
    status.update(link.call("status"))
    return f"version floor {status['floor']}, {status['heap_free']:,} bytes of heap free"


def _keys(
    status: dict[str, Any], info: provisioning.BoardInfo, master: bytes | None, signer: RSAPublicKey | None
) -> str:
    if not status["key_source"]:
        raise TinysealError("the board has no keys", hint=_PROVISION)
    if master is not None and signer is not None:
        provisioning.check_keys(status, info, master=master, signer=signer)
    source = KeySource(status["key_source"])
    found = f"from {source.name.lower()}, signer {str(status['signer'])[:16]}"
    return found + (", for development only" if source is KeySource.FILE else "")


def _model(status: dict[str, Any]) -> str:
    if not status["active"]:
        raise TinysealError("no model is on the board", hint=_DEPLOY)
    fallback = status["fallback"]
    if fallback is not None:
        raise TinysealError(
            f"slot {' ab'[fallback['slot']]} did not open, {fallback['code']}: the board uses the other one",
            hint=_DEPLOY,
        )
    slot = status["slots"][status["active"] - 1]
    if slot is None or "version" not in slot:
        why = "is empty" if slot is None else f"is not readable, {slot['refused']}"
        raise TinysealError(f"the active slot {' ab'[status['active']]} {why}", hint=_DEPLOY)
    return f"version {slot['version']}, slot {' ab'[status['active']]}"


def _opening(link: Link) -> str:
    about = link.call("open_model")
    link.call("close_model")
    return f"{about['name']}, version {about['version']}: verified, decrypted and self-tested"
