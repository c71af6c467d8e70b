"""The command that shows what boards hold."""

from __future__ import annotations

import argparse
from typing import Any

from ..api import Board
from ..board import registry
from ..errors import Status
from ..formats import KeySource
from . import fleet
from .board import notes_of
from .fleet import Done, board_fields, board_line, entry_of
from .output import Bar, Output


def status(options: argparse.Namespace, output: Output) -> int:
    """`tinyseal status`: the board's program is interrupted and started anew, its counters are read before."""

    def work(board: Board, bar: Bar) -> Done:
        with bar("status"):
            return _done(board, board.status())

    return fleet.run(options, output, fleet.on_board(options, work))


def _done(board: Board, found: dict[str, Any] | None) -> Done:
    info = board.info
    if found is None:

        def say_nothing(output: Output) -> None:
            output.say(board_line(info))
            output.say("tinyseal is not on it; tinyseal provision puts it there")

        entry = entry_of(info, lacks=registry.OURS)
        return Done(info, {**board_fields(info), "package": None}, say_nothing, {"package": None}, entry=entry)

    source = KeySource(found["key_source"]) if found["key_source"] else None
    source_name = source.name.lower() if source else None
    signer = str(found["signer"])[:16] if found["signer"] else None
    active = found["slots"][found["active"] - 1] if found["active"] else None
    version = active.get("version") if active else None

    def say(output: Output) -> None:
        output.say(board_line(info))
        output.table(
            [
                ("package", found["package"]),
                ("kernels", "native" if info.native else "plain Python: no native emitter on this board; slow"),
                ("key source", source_name or "none: not provisioned"),
                ("signer", signer or "none"),
                ("version floor", found["floor"]),
                *[(f"slot {letter}", _slot(found, number)) for number, letter in ((1, "a"), (2, "b"))],
                ("fallback", _fallback(found["fallback"])),
                ("counters", _counters(found["health"])),
                ("last refusal", _last_refusal(found["health"])),
                ("heap free", f"{found['heap_free']:,} bytes"),
            ]
        )

    return Done(
        info,
        {**board_fields(info), **found, "key_source": source_name},
        say,
        {"package": found["package"], "key source": source_name, "floor": found["floor"], "active": version},
        notes_of(source),
        entry_of(
            info,
            key_source=source_name,
            signer=signer,
            package=found["package"],
            version=version,
            lacks=(() if source else ("key_source", "signer")) + (() if active else ("model", "version")),
        ),
    )


def _slot(found: dict[str, Any], number: int) -> str:
    slot = found["slots"][number - 1]
    if slot is None:
        return "empty"
    what = f"version {slot['version']}" if "version" in slot else f"not readable: {slot['refused']}"
    return f"{what}, {slot['bytes']:,} bytes" + (", active" if found["active"] == number else "")


def _fallback(found: dict[str, Any] | None) -> str:
    if found is None:
        return "none"
    return f"slot {' ab'[found['slot']]} did not open: {found['code']}"


def _counters(health: dict[str, Any] | None) -> str:
    if health is None:
        return "no model was opened since the board started"
    counts = [f"{status.name.lower()} {health['counts'][status.name]}" for status in Status]  # a board's have no order
    channels = [f"channel {number}: {count}" for number, count in enumerate(health["channels"]) if count]
    return "; ".join(", ".join(part) for part in (counts, channels) if part)


def _last_refusal(health: dict[str, Any] | None) -> str:
    if health is None or not health["last"]:
        return "none"
    where = f" in channel {health['last_channel']}" if health["last_channel"] >= 0 else ""
    failed = ", the sensor has failed" if health["failed"] else ""
    return f"{health['last'].lower()}{where}, at most {health['longest']} in a row{failed}"
