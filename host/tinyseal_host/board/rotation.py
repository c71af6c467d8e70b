"""Other keys for a board that has a model: another device key, another signer, or both.

Key and signer are two values in the board's store, each of which is written whole, so one is changed at a time. First
the model, sealed and signed for what is to be, goes into the idle slot; the board cannot open it yet. Then the value is
written, and now that slot opens and the active one does not: `tinyseal.open` falls back to it, for good. Whatever cuts
this short, one of the two slots opens, and the same again goes on from there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from .. import sealing
from ..errors import Refusal, RefusedError, TinysealError
from ..formats import SIGNATURE_LEN, KeySource, parse_release
from ..keys import device_key, modulus, provisioned_secret, signer_fingerprint
from . import updates
from .provisioning import BoardInfo
from .transport import Link, Progress

Sign = Callable[[bytes], bytes]
"""Makes a release of what is signed in one."""


@dataclass(frozen=True)
class Owner:
    """Whose a board is: the master key that its device key is from, and whose signature it believes."""

    master: bytes
    signer: RSAPublicKey

    def has_signed(self, other: Owner) -> bool:
        """Whether the other one has the same signer."""
        return modulus(self.signer) == modulus(other.signer)


@dataclass(frozen=True)
class Rotated:
    """What was changed, where the board's key is from, and the model that opened last; None on a board without."""

    key: bool
    signer: bool
    key_source: KeySource
    model: updates.Pushed | None


def rotate(
    link: Link,
    info: BoardInfo,
    old: Owner,
    new: Owner,
    sign: Sign,
    *,
    release: bytes | None = None,
    progress: Progress | None = None,
) -> Rotated:
    """Give a board that is `old`'s, or on its way, to `new`, with the model that it has or with `release`, by `new`.

    The older model in the other slot goes. TinysealError when the board's keys are neither's, or its key is in eFuse
    and would have to change; RefusedError when no model opens before, or the new one afterwards: then the board has the
    keys back that it had.
    """
    board = link.call("status")
    source, now = _owner(board, info, old, new)
    if source is KeySource.EFUSE and now.master != new.master:
        raise TinysealError(
            "the board's key is in eFuse for good, and from another master key than the new one",
            hint="a new signer alone can take over: leave the master key out of the new folder",
        )
    first = now
    model = _open(link)
    for step in _steps(now, new):
        if model is not None:
            wanted = release if release is not None and step.has_signed(new) else None
            _stage(link, info, source, now, step, sign, wanted, progress)
        link.restart()
        _write(link, info, source, step)
        if model is not None:
            try:
                model = _open(link)
            except RefusedError:
                _write(link, info, source, now)
                raise
        now = step
    updates.forget_left_slot(link)
    return Rotated(first.master != new.master, not first.has_signed(new), source, model)


def _owner(board: dict[str, Any], info: BoardInfo, old: Owner, new: Owner) -> tuple[KeySource, Owner]:
    """Where the board's key is from, and whose key and signer it has now."""
    if not board["key_source"]:
        raise TinysealError("the board has no keys to be changed", hint="tinyseal provision --port ... --keys ...")
    source = KeySource(board["key_source"])
    its_signer = str(board["signer"])[:16]
    masters = [
        owner.master
        for owner in (new, old)
        if board["key_check"] == sealing.key_check(device_key(owner.master, info.device_id, source)).hex()
    ]
    signers = [owner.signer for owner in (new, old) if signer_fingerprint(owner.signer) == its_signer]
    if not masters:
        raise TinysealError("the board's device key is from neither the old nor the new master key")
    if not signers:
        raise TinysealError(f"the board has signer {its_signer}, which is neither the old nor the new one")
    return source, Owner(masters[0], signers[0])


def _steps(now: Owner, new: Owner) -> Iterator[Owner]:
    """From one to the other, with one value changed at a time."""
    if now.master != new.master:
        yield Owner(new.master, now.signer)
    if not now.has_signed(new):
        yield new


def _open(link: Link) -> updates.Pushed | None:
    """Have the board open its model, from whichever slot it can; None when it has no slot to open."""
    link.restart()
    try:
        about = link.call("open_model")
    except RefusedError as error:
        if error.code == Refusal.NO_MODEL and not link.call("status")["active"]:
            return None
        raise
    link.call("close_model")
    active = link.call("status")["active"]
    with link.understanding():
        return updates.Pushed(str(about["name"]), int(about["version"]), tuple(about["labels"]), " ab"[active])


def _stage(
    link: Link,
    info: BoardInfo,
    source: KeySource,
    now: Owner,
    step: Owner,
    sign: Sign,
    release: bytes | None,
    progress: Progress | None,
) -> None:
    """Put what opens after the step into the slot that is idle before it."""
    board = link.call("status")
    active = board["active"]
    if release is None:
        sealed = updates.read_slot(link, active, board["slots"][active - 1]["bytes"])
        release = sealing.unseal(sealed, now.master)
        sealing.verify(release, now.signer)
        if not step.has_signed(now):
            release = sign(release[:-SIGNATURE_LEN])
    else:
        link.restart()
        updates.check_room(link, len(release), parse_release(release))
    sealed = sealing.seal(release, info.device_id, source, step.master)
    sealing.check(
        sealed,
        device_id=info.device_id,
        floor=board["floor"],
        key_source=source,
        master=step.master,
        signer=step.signer,
    )
    updates.stage(link, sealed, 3 - active, progress)


def _write(link: Link, info: BoardInfo, source: KeySource, owner: Owner) -> None:
    """Both values: that which stays is written as it is."""
    secret = "" if source is KeySource.EFUSE else provisioned_secret(owner.master, info.device_id, source).hex()
    link.call("provision", int(source), secret, modulus(owner.signer).hex())
