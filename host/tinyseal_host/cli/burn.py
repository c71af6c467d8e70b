"""`tinyseal burn`: a board's root key into eFuse, for good."""

from __future__ import annotations

import argparse
import shlex
import sys
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

from .. import burning
from ..board import provisioning
from ..board.ports import SIM, device_of, open_port, running_port
from ..board.registry import Entry
from ..board.transport import Link
from ..burning.espefuse import PURPOSE
from ..errors import BoardError, TinysealError, UsageError, quoted
from ..formats import KeySource
from ..keys import load_master, master_fingerprint, parse_device_id, provisioned_secret
from .fleet import remember
from .output import Output
from .terminal import printable

_NEXT = "next: tinyseal provision"


@dataclass(frozen=True)
class _Board:
    """Whose key is burned, into which chip; `says_so` where MicroPython on it was asked."""

    device_id: bytes
    chip: str
    says_so: bool


def burn(options: argparse.Namespace, output: Output) -> None:
    """`tinyseal burn`."""
    if not options.keys and not options.dry_run:
        raise UsageError("no key folder is named", hint="--keys DIR, or --dry-run to see what would be burned")
    if options.place is None and not options.dry_run:
        raise UsageError("no port is named", hint="--port P, or --dry-run to see what would be burned")
    if options.state is not None and options.place != SIM:
        raise UsageError(f"--state belongs to --port sim, got --port {options.place}")
    if options.place == SIM and not options.dry_run:
        _check_off(options.state)
    master = load_master(options.keys) if options.keys else None
    board = _which(options)
    burning.check_chip(board.chip)
    chip = _espefuse(options, board)
    block = _choose(options, board, chip)
    _show(options, board, block, master, output)
    commands = [chip.burning(block), chip.command("summary")]
    found: dict[str, object] = {
        "device_id": board.device_id.hex(),
        "chip": board.chip,
        "block": f"KEY{block}",
        "purpose": PURPOSE,
        "commands": [shlex.join(command) for command in commands],
    }
    if options.dry_run or master is None:
        for command in commands:
            output.say(shlex.join(command))
        output.say("nothing was burned")
        output.result({**found, "burned": False})
        return
    _confirm(board.device_id)
    root = provisioned_secret(master, board.device_id, KeySource.EFUSE)
    if options.place == SIM:
        burning.burn_virtually(options.state, chip, block, root)
    else:
        chip.burn(block, root)
    burning.verify(burning.look(chip), block)
    output.say(f"KEY{block}: burned, and protected from reading and writing")
    entry = Entry(board.device_id, chip=board.chip, efuse_key=f"KEY{block}")
    remember(options.keys, [entry], output)
    source = _switch(options, board, master, output) if board.says_so else None
    remember(options.keys, [replace(entry, key_source=source)], output)
    output.result({**found, "burned": True, "key_source": source})


def _check_off(state: Path | None) -> None:
    """TinysealError when a virtual board is up: it has its eFuse from when it is switched on."""
    if state is not None and running_port(state) is not None:
        raise TinysealError(f"the virtual board in {state} is up", hint="end its tinyseal sim first")


def _which(options: argparse.Namespace) -> _Board:
    """The board as it was named, or as it says of itself."""
    named = parse_device_id(options.device) if options.device else None
    if options.place is None or (named is not None and options.place != SIM):
        if named is None or options.chip is None:
            raise UsageError("no board is named", hint="--port P, or --device ID --chip C")
        return _Board(named, options.chip, says_so=False)
    with _link(options) as link:
        info = provisioning.describe(link)
    if named not in (None, info.device_id):
        raise TinysealError(f"the board is {info.device_id.hex()}, --device names {options.device}")
    chip = burning.chip_of(info.machine)
    if chip is None and options.chip is None:
        raise UsageError(f"the board does not name its chip: {quoted(info.machine)}", hint="--chip esp32c3")
    if chip is not None and options.chip not in (None, chip):
        raise TinysealError(f"the board is an {chip}, --chip names {options.chip}")
    return _Board(info.device_id, chip or options.chip, says_so=True)


def _link(options: argparse.Namespace) -> AbstractContextManager[Link]:
    return open_port(options.place, state=options.state)


def _espefuse(options: argparse.Namespace, board: _Board) -> burning.Espefuse:
    if options.place != SIM:
        return burning.Espefuse(board.chip, port=None if options.place is None else device_of(options.place))
    if options.state is None:
        raise UsageError("the eFuse of a virtual board that is forgotten at the end", hint="--state DIR keeps one")
    return burning.Espefuse(board.chip, virtual=options.state / burning.EFUSE_FILE)


def _choose(options: argparse.Namespace, board: _Board, chip: burning.Espefuse) -> int:
    if options.place is None:
        return options.block or 0
    fuses = burning.look(chip)
    # A virtual eFuse has no MAC; some chips have ids of other lengths.
    if chip.virtual is None and len(board.device_id) == len(fuses.mac) and fuses.mac != board.device_id:
        raise TinysealError(f"the chip at {options.place} is {fuses.mac.hex()}, wanted {board.device_id.hex()}")
    return burning.choose_block(fuses, options.block)


def _show(options: argparse.Namespace, board: _Board, block: int, master: bytes | None, output: Output) -> None:
    key = "the board's root key" + (f", from master key {master_fingerprint(master)}" if master else "")
    where = f"KEY{block}, eFuse block {block + 4}"
    if options.place is None:
        where += ", if it is free"
        output.note("no eFuse was read: name the chip's port with --port")
    output.table(
        [
            ("board", board.device_id.hex()),
            ("chip", board.chip),
            ("key", key),
            ("block", where),
            ("purpose", f"{PURPOSE}: the board's programs get HMAC-SHA256 under the key, never the key"),
            (
                "irreversible",
                "the block is used up, one of six; nobody can read, change or erase the key or its purpose",
            ),
            ("", "without the master key nothing can be sealed for this board's eFuse key any more"),
            ("order", "before Secure Boot, which closes RD_DIS for writing: a key burned later could be read"),
            ("", "before a firmware with encrypted NVS first runs: it burns a key of its own, and the lowest counts"),
        ]
    )


def _confirm(device_id: bytes) -> None:
    """TinysealError unless the device id is typed, or piped in by whoever means to."""
    print(f"type the board's id, {device_id.hex()}, to burn its key: ", end="", file=sys.stderr, flush=True)
    typed = sys.stdin.readline()
    if not sys.stdin.isatty():
        print(file=sys.stderr)
    if typed.strip().lower() != device_id.hex():
        raise TinysealError(f"got {quoted(printable(typed.strip()))}, wanted the board's id: nothing was burned")


def _switch(options: argparse.Namespace, board: _Board, master: bytes, output: Output) -> str | None:
    """Let the board use the key from now on; its key source afterwards, None where it has no package or no keys yet.

    The key is burned whatever happens here: that the board does not answer does not fail the command. TinysealError
    when it does, and derives another key.
    """
    try:
        with _link(options) as link:
            info = provisioning.describe(link)
            if info.device_id != board.device_id:
                raise BoardError(f"board {info.device_id.hex()} answers now")
            if provisioning.status(link) is None:
                output.say(_NEXT)
                return None
            derives = provisioning.has_efuse_key(link, info, master)
            if derives and provisioning.use_efuse(link):
                output.say("the board uses it from now on: seal and push its models again, for key source efuse")
            found = link.call("status")["key_source"]
    except TinysealError as error:
        output.note(f"{error.message}; tinyseal provision --key-source efuse lets the board use the key")
        return None
    if not derives:
        raise TinysealError("the board derives another key than was burned, and goes on as before")
    if not found:
        output.say(_NEXT)
        return None
    return KeySource(found).name.lower()
