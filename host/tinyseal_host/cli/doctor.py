"""The command that finds out what is wrong with a board."""

from __future__ import annotations

import argparse
import threading

from ..api import Keys
from ..board.examination import Check, examine
from ..board.ports import Place
from ..board.provisioning import BoardInfo
from ..errors import BoardError
from . import fleet, passphrase
from .fleet import Done, board_fields, entry_of
from .output import Bar, Output, failed


def doctor(options: argparse.Namespace, output: Output) -> int:
    """`tinyseal doctor`: exit status 0 when all is well, else the highest of what was found."""
    keys = Keys(*options.keys, ask=passphrase.ask) if options.keys else None
    if keys is not None:
        _ = keys.master, keys.signer

    def visit(place: Place, bar: Bar, stop: threading.Event) -> Done:
        checks: list[Check] = []
        info: BoardInfo | None = None
        try:
            with bar("looking"), fleet.open_board(place, options, stop) as board:
                info = board.info
                board.link.restart()
                checks.append(Check("connection", f"{board.link.device}, in the raw REPL"))
                master, signer = (keys.master, keys.signer) if keys else (None, None)
                for check in examine(board.link, info, master=master, signer=signer):
                    checks.append(check)
        except BoardError as error:
            checks.append(Check("connection", "", error))
        return _done(info, checks)

    return fleet.run(options, output, visit)


def _done(info: BoardInfo | None, checks: list[Check]) -> Done:
    problems = [check.error for check in checks if check.error is not None]

    def say(output: Output) -> None:
        for check in checks:
            if check.error is None:
                output.say(f"ok       {check.name:11}  {check.found}")
            else:
                output.say(f"problem  {check.name:11}  {check.error.message}")
                if check.error.hint:
                    output.say(f"{'':22}hint: {check.error.hint}")

    result: dict[str, object] = {
        **(board_fields(info) if info else {}),
        "checks": [
            {"check": check.name, **({"found": check.found} if check.error is None else failed(check.error))}
            for check in checks
        ],
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
