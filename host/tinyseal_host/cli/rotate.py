"""`tinyseal rotate`: from one owner's keys to another's, on boards that keep a model all the while."""

from __future__ import annotations

import argparse

from .. import __version__
from ..api import Board, Keys
from ..board import registry
from ..board.rotation import Rotated
from ..errors import UsageError, about
from ..files import MODEL_LIMIT, read_bounded
from ..formats import parse_release
from ..keys import modulus, signer_fingerprint
from ..sealing import verify
from . import fleet, passphrase
from .board import notes_of
from .fleet import Done, board_fields, board_line, entry_of
from .output import Bar, Output


def rotate(options: argparse.Namespace, output: Output) -> int:
    """`tinyseal rotate`: what the new folders have no key for stays as it is."""
    old = Keys(*options.keys, ask=passphrase.ask)
    new = Keys(*options.to, *options.keys, ask=passphrase.ask)
    new_signer = modulus(old.signer) != modulus(new.signer)
    if old.master == new.master and not new_signer:
        raise UsageError("the new keys are the old ones", hint="tinyseal keygen NEW, then --to NEW")
    release = None
    if options.release is not None:
        release = read_bounded(options.release, MODEL_LIMIT)
        with about(options.release):
            parse_release(release)
            verify(release, new.signer)
    elif new_signer:
        _ = new.signing_key  # read before a board is asked, by one thread
    before = registry.folder_of(options.keys)
    known = registry.read(before)
    options.keys = [*options.to, *options.keys]
    after = registry.folder_of(options.keys)

    def work(board: Board, bar: Bar) -> Done:
        with bar("rotate") as step:
            done = board.rotate(old, new, release=release, progress=step)
        device_id = board.info.device_id.hex()
        name = known.get(device_id, {}).get("name")
        if before != after and device_id in known:
            fleet.remember([before], [registry.Entry(board.info.device_id, lacks=registry.OURS)], output)
        return _done(board, done, new, str(name) if name else None)

    return fleet.run(options, output, fleet.on_board(options, work))


def _done(board: Board, done: Rotated, new: Keys, name: str | None) -> Done:
    source, signer = done.key_source.name.lower(), signer_fingerprint(new.signer)
    changed = [what for what, so in (("device key", done.key), ("signer", done.signer)) if so]
    said = " and ".join(changed) + ": changed" if changed else "it has these keys already"
    model = f"{done.model.name}, version {done.model.version}" if done.model else None

    def say(output: Output) -> None:
        output.say(board_line(board.info))
        output.say(said)
        if done.model is not None:
            output.say(f"{model}: opened with them and self-tested on the board, in slot {done.model.slot}")

    known = {"model": done.model.name, "version": done.model.version} if done.model else {}
    return Done(
        board.info,
        {
            **board_fields(board.info),
            "key_source": source,
            "signer": signer,
            "changed": changed,
            "name": done.model.name if done.model else None,
            "version": done.model.version if done.model else None,
            "slot": done.model.slot if done.model else None,
        },
        say,
        {"changed": ", ".join(changed) or None, "model": model},
        notes_of(done.key_source),
        entry_of(board.info, key_source=source, signer=signer, package=__version__, name=name, **known),
    )
