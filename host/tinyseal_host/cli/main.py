"""From the command line to an exit status."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence

from ..errors import TinysealError
from . import board, files, keys, sealing
from .output import Output
from .parser import make_parser

_INTERRUPTED = 130  # 128 + SIGINT, as shells have it

_COMMANDS: dict[str, Callable[[argparse.Namespace, Output], None]] = {
    "example": files.example,
    "keygen": keys.keygen,
    "keys": keys.list_keys,
    "build": files.build,
    "inspect": files.inspect,
    "seal": sealing.seal,
    "open": sealing.unseal,
    "provision": board.provision,
    "push": board.push,
    "deploy": board.deploy,
    "infer": board.infer,
    "status": board.status,
    "sim": board.sim,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; its exit status."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    output = Output("--json" in arguments)
    try:
        options = make_parser().parse_args(arguments)
        _COMMANDS[options.command](options, output)
    except TinysealError as error:
        output.failure(error)
        return error.exit_status
    except KeyboardInterrupt:
        print("tinyseal: error: interrupted", file=sys.stderr)
        return _INTERRUPTED
    except BrokenPipeError:  # what read our output has seen enough; nothing more can be written, not at exit either
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 0
