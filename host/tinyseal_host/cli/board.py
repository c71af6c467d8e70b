"""The commands that put something on boards, or take it away."""

from __future__ import annotations

import argparse
import signal
import threading

from .. import __version__, api
from ..api import Board, Keys
from ..board import registry, updates
from ..board.ports import new_virtual_board
from ..errors import UsageError, about
from ..files import MODEL_LIMIT, read_bounded
from ..formats import KeySource, parse_sealed
from ..keys import signer_fingerprint
from . import fleet, passphrase
from .fleet import FORGOTTEN, Done, board_fields, board_line, entry_of
from .output import Bar, Output
from .terminal import confirm

_DEVELOPMENT = "the key lies in a file on the board: for development only"


def provision(options: argparse.Namespace, output: Output) -> int:
    """`tinyseal provision`: `--replace` asks at the terminal, unless told `--yes`."""
    _check_asks(options, options.replace, "replace the keys of")
    keys = _keys(options)

    def work(board: Board, bar: Bar) -> Done:
        if options.replace and not options.yes:
            confirm(f"replace the keys of board {board.info.device_id.hex()}? its models will not open any more")
        with bar("firmware") as step:
            done = board.provision(keys, key_source=_wanted_source(options), replace=options.replace, progress=step)
        sent, source = done.firmware, done.key_source.name.lower()

        def say(output: Output) -> None:
            output.say(board_line(board.info))
            output.say(f"firmware: {sent.sent} files sent, {sent.kept} there already, {sent.removed} removed")
            output.say("device key and signer: written")

        return Done(
            board.info,
            {**board_fields(board.info), "sent": sent.sent, "kept": sent.kept, "removed": sent.removed},
            say,
            {"firmware": f"{sent.sent} files sent", "key source": source},
            notes_of(done.key_source),
            entry_of(board.info, key_source=source, **_known(keys)),
        )

    return fleet.run(options, output, fleet.on_board(options, work))


def push(options: argparse.Namespace, output: Output) -> int:
    """`tinyseal push`."""
    sealed = read_bounded(options.sealed, MODEL_LIMIT)
    with about(options.sealed):
        parse_sealed(sealed)

    def work(board: Board, bar: Bar) -> Done:
        with bar(options.sealed.name) as step:
            return _pushed(board, board.push(sealed, progress=step))

    return fleet.run(options, output, fleet.on_board(options, work))


def deploy(options: argparse.Namespace, output: Output) -> int:
    """`tinyseal deploy`."""
    keys = _keys(options)
    release = api.build(options.model, options.contract, version=options.version, keys=keys, name=options.name)

    def work(board: Board, bar: Bar) -> Done:
        with bar("firmware") as firmware, bar(options.model.name) as step:
            done = board.deploy(
                release, keys, key_source=_wanted_source(options), firmware_progress=firmware, progress=step
            )
        made = _pushed(board, done.pushed, key_source=done.key_source.name.lower(), **_known(keys))
        made.notes = notes_of(done.key_source)
        return made

    return fleet.run(options, output, fleet.on_board(options, work))


def rollback(options: argparse.Namespace, output: Output) -> int:
    """`tinyseal rollback`."""

    def work(board: Board, bar: Bar) -> Done:
        with bar("rollback"):
            return _pushed(board, board.rollback())

    return fleet.run(options, output, fleet.on_board(options, work))


def wipe(options: argparse.Namespace, output: Output) -> int:
    """`tinyseal wipe`: asks at the terminal, unless told `--yes`."""
    _check_asks(options, True, "wipe")

    def work(board: Board, bar: Bar) -> Done:
        if not options.yes:
            confirm(f"remove keys, version floor, models and package from board {board.info.device_id.hex()}?")
        with bar("wipe"):
            board.wipe()

        def say(output: Output) -> None:
            output.say(board_line(board.info))
            output.say("keys, version floor, models and package: removed")

        return Done(board.info, board_fields(board.info), say, {}, entry=entry_of(board.info, lacks=registry.OURS))

    return fleet.run(options, output, fleet.on_board(options, work))


def sim(options: argparse.Namespace, output: Output) -> None:
    """`tinyseal sim`."""
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    if options.state is None:
        output.note(FORGOTTEN)
    with new_virtual_board(options.state, options.heap, options.native, options.chip) as port:
        output.say(port)
        output.result({"port": port})
        output.note("the virtual board is up, Ctrl-C ends it")
        ended.wait()


def _check_asks(options: argparse.Namespace, asks: bool, what: str) -> None:
    """UsageError where a command would ask about several boards at once."""
    if asks and not options.yes and fleet.several(options):
        raise UsageError(f"several boards to {what}, and they are not asked about one by one", hint="--yes")


def _keys(options: argparse.Namespace) -> Keys:
    """Of the folders of `--keys`; what provisioning needs is read here, before a board is asked and by one thread."""
    keys = Keys(*options.keys, ask=passphrase.ask)
    _ = keys.master, keys.signer
    return keys


def _wanted_source(options: argparse.Namespace) -> KeySource | None:
    return KeySource[options.key_source.upper()] if options.key_source else None


def _known(keys: Keys) -> dict[str, str]:
    """What the registry keeps of a board that was provisioned by this version with these keys."""
    return {"signer": signer_fingerprint(keys.signer), "package": __version__}


def _pushed(board: Board, done: updates.Pushed, **known: str) -> Done:
    model = f"{done.name}, version {done.version}"

    def say(output: Output) -> None:
        output.say(board_line(board.info))
        output.say(f"{model}: opened and self-tested on the board, active in slot {done.slot}")

    return Done(
        board.info,
        {
            **board_fields(board.info),
            "name": done.name,
            "version": done.version,
            "labels": list(done.labels),
            "slot": done.slot,
        },
        say,
        {"model": model, "slot": done.slot},
        entry=entry_of(board.info, model=done.name, version=done.version, **known),
    )


def notes_of(source: KeySource | None) -> list[str]:
    """What has to be said of a key source."""
    return [_DEVELOPMENT] if source is KeySource.FILE else []
