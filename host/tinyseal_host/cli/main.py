"""From the command line to an exit status."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence

from ..errors import TinysealError
from ..files import reason
from . import board, boards, contracts, doctor, files, infer, keys, sealing, status
from .output import Output, failed
from .parser import parse

_COMMANDS: dict[str, Callable[[argparse.Namespace, Output], int | None]] = {
    "example": files.example,
    "keygen": keys.keygen,
    "keys": keys.list_keys,
    "contract": contracts.contract,
    "check": contracts.check,
    "build": files.build,
    "inspect": files.inspect,
    "seal": sealing.seal,
    "open": sealing.unseal,
    "provision": board.provision,
    "push": board.push,
    "deploy": board.deploy,
    "rollback": board.rollback,
    "infer": infer.infer,
    "status": status.status,
    "doctor": doctor.doctor,
    "boards": boards.boards,
    "wipe": board.wipe,
    "sim": board.sim,
}


def run(argv: Sequence[str] | None) -> int:
    """Run one command; its exit status."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    output = Output("--json" in arguments)
    try:
        options = parse(arguments)
        return _COMMANDS[options.command](options, output) or 0
    except TinysealError as error:
        output.failure(error)
        output.result(failed(error))
        return error.exit_status
    except BrokenPipeError:  # what read our output has seen enough; nothing more can be written, not at exit either
        _give_up_stdout()
        return 1
    except OSError as error:  # commands turn their own into TinysealErrors: this is stdout's
        _give_up_stdout()
        output.failure(TinysealError(f"output cannot be written: {reason(error)}"))
        return 1


def _give_up_stdout() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
