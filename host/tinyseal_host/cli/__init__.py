"""The command `tinyseal`: the only part of the package that prints or exits."""

import sys
from collections.abc import Sequence

_INTERRUPTED = 130  # 128 + SIGINT, as shells have it


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; its exit status. Ctrl-C is answered in one line from the first import on."""
    try:
        from .main import run  # noqa: PLC0415 - numpy alone takes long enough for a Ctrl-C

        return run(argv)
    except KeyboardInterrupt:
        print("tinyseal: error: interrupted", file=sys.stderr)
        return _INTERRUPTED
