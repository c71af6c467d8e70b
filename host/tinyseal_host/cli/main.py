"""From the command line to an exit status."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence

from ..errors import TinysealError
from ..files import reason
from . import board, burn, files, keys, sealing
from .output import Output
from .parser import make_parser

_COMMANDS: dict[str, Callable[[argparse.Namespace, Output], None]] = {
    "example": files.example,
    "keygen": keys.keygen,
    "keys": keys.list_keys,
    "build": files.build,
    "inspect": files.inspect,
    "seal": sealing.seal,
    "open": sealing.unseal,
    "provision": board.provision,
    "burn": burn.burn,
    "push": board.push,
    "deploy": board.deploy,
    "infer": board.infer,
    "status": board.status,
    "sim": board.sim,
}


def run(argv: Sequence[str] | None) -> int:
    """Run one command; its exit status."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    output = Output("--json" in arguments)
    try:
        options = make_parser().parse_args(arguments)
        _COMMANDS[options.command](options, output)
    except TinysealError as error:
        output.failure(error)
        return error.exit_status
    except BrokenPipeError:  # what read our output has seen enough; nothing more can be written, not at exit either
        _give_up_stdout()
        return 1
    except OSError as error:  # commands turn their own into TinysealErrors: this is stdout's
        _give_up_stdout()
        output.failure(TinysealError(f"output cannot be written: {reason(error)}"))
        return 1
    return 0


def _give_up_stdout() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
