"""Tracebacks as a board prints them."""

import io
import sys


def report(error, file):
    """Print a traceback without the lines about `file`, one of the board's own sources."""
    text = io.StringIO()
    sys.print_exception(error, text)
    print("\n".join(line for line in text.getvalue().split("\n") if file not in line), end="")
