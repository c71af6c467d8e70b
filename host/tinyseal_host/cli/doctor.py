"""The command that finds out what is wrong with a board, and how well it is protected."""

from __future__ import annotations

import argparse
import threading
from typing import Any

from ..api import Keys
from ..board.examination import Check, examine
from ..board.ports import Place
from ..board.posture import Posture, look
from ..board.provisioning import BoardInfo
from ..errors import BoardError
from . import fleet, passphrase
from .fleet import Done, board_fields, entry_of
from .output import Bar, Output, failed
from .posture import posture_fields, posture_table


def doctor(options: argparse.Namespace, output: Output) -> int:
    """`tinyseal doctor`: exit status 0 when all is well, else the highest of what was found."""
    keys = Keys(*options.keys, ask=passphrase.ask) if options.keys else None
    if keys is not None:
        _ = keys.master, keys.signer

    def visit(place: Place, bar: Bar, stop: threading.Event) -> Done:
        checks: list[Check] = []
        info: BoardInfo | None = None
        status: dict[str, Any] = {}
        found: Posture | None = None
        try:
            with bar("looking"), fleet.open_board(place, options, stop) as board:
                info = board.info
                board.link.restart()
                checks.append(Check("connection", f"{board.link.device}, in the raw REPL"))
                master, signer = (keys.master, keys.signer) if keys else (None, None)
                for check in examine(board.link, info, status, master=master, signer=signer):
                    checks.append(check)
                board.link.restart()
                found = look(board.link, info, status or None)
        except BoardError as error:
            checks.append(Check("connection", "", error))
        return _done(info, checks, found)

    return fleet.run(options, output, visit)


def _done(info: BoardInfo | None, checks: list[Check], found: Posture | None) -> Done:
    problems = [check.error for check in checks if check.error is not None]

    def say(output: Output) -> None:
        for check in checks:
            if check.error is None:
                output.say(f"ok       {check.name:11}  {check.found}")
            else:
                output.say(f"problem  {check.name:11}  {check.error.message}")
                if check.error.hint:
                    output.say(f"{'':22}hint: {check.error.hint}")
        if found is not None:
            output.say()
            output.table(posture_table(found))

    result: dict[str, object] = {
        **(board_fields(info) if info else {}),
        "checks": [
            {"check": check.name, **({"found": check.found} if check.error is None else failed(check.error))}
            for check in checks
        ],
        "posture": posture_fields(found) if found else None,
    }
    status = max((problem.exit_status for problem in problems), default=0)
    return Done(
        info,
        {**result, "exit_status": status},
        say,
        {"problems": "; ".join(problem.message for problem in problems) or None},
        entry=entry_of(info) if info else None,
        exit_status=status,
    )
