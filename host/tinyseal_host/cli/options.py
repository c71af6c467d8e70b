"""Options that several commands have, and what their values may be."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from ..errors import UsageError
from ..formats import KeySource


class Parser(argparse.ArgumentParser):
    """An ArgumentParser whose complaints are UsageErrors."""

    def error(self, message: str) -> NoReturn:
        """Called by argparse for every wrong command line."""
        raise UsageError(message, hint=f"{self.prog} --help")


def model(parser: Parser) -> None:
    """The model to build, with its contract, version and name."""
    parser.add_argument("model", type=Path, metavar="MODEL.tflite")
    parser.add_argument("--contract", type=Path, required=True, metavar="C.toml", help="what a frame must look like")
    parser.add_argument("--version", type=int, required=True, metavar="N", help="1 or more; a board refuses older ones")
    parser.add_argument("--name", metavar="NAME", help="at most 16 bytes; the model's file name without it")


def keys(parser: Parser) -> None:
    """Key folders, without which the command is of no use."""
    parser.add_argument(
        "--keys", type=Path, action="append", required=True, metavar="DIR", help="key folder; may be repeated"
    )


def key_source(parser: Parser, default: str = "nvs, or efuse where a key was burned") -> None:
    """Where the board's key lies."""
    names = [source.name.lower() for source in KeySource]
    parser.add_argument(
        "--key-source", choices=names, help=f"where the board's key lies ({default}); file is for development"
    )


def output(parser: Parser, metavar: str, default: str) -> None:
    """Where the result goes."""
    parser.add_argument("-o", "--output", type=Path, metavar=metavar, help=f"where to write it ({default})")


def port(parser: Parser) -> None:
    """The boards to work on, and what a virtual one is like."""
    parser.add_argument(
        "--port", action="append", metavar="P", help="the board; repeatable, all for every one on USB; sim (ESPPORT)"
    )
    parser.add_argument(
        "--device", action="append", default=[], metavar="ID", help="work on no board but this one; repeatable"
    )
    parser.add_argument("--no-restart", action="store_true", help="leave the board at its prompt, its program stopped")
    state(parser)
    heap(parser)
    parser.set_defaults(keys=[])  # not every command for boards has the option


def state(parser: Parser) -> None:
    """Folders of virtual boards."""
    parser.add_argument(
        "--state",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="what a virtual board keeps when the power is off; once for each --port sim",
    )


def remember(parser: Parser) -> None:
    """Key folders whose registry is kept."""
    parser.add_argument(
        "--keys",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="key folder whose boards.toml remembers it",
    )


def yes(parser: Parser) -> None:
    """For what would be asked about."""
    parser.add_argument("--yes", action="store_true", help="do not ask")


def heap(parser: Parser) -> None:
    """A virtual board's heap and emitter."""
    parser.add_argument("--heap", type=_heap_kib, metavar="KIB", help="heap of a virtual board (320)")
    parser.add_argument(
        "--no-native", action="store_false", dest="native", help="a virtual board without the native emitter"
    )


def number(kind: type[int] | type[float], least: float, most: float) -> Callable[[str], float]:
    """What argparse makes a number of an option with; others than `least` to `most` are refused."""

    def convert(text: str) -> float:
        try:
            value = kind(text)
        except ValueError:
            value = kind(least) - 1
        if not least <= value <= most:
            what = "a whole number" if kind is int else "a number"
            raise argparse.ArgumentTypeError(f"got {text!r}, wanted {what} from {least} to {most}")
        return value

    return convert


def _heap_kib(text: str) -> int:
    if not text.isdecimal() or not 96 <= int(text) <= 65536:
        raise argparse.ArgumentTypeError(f"got {text!r}, wanted 96 to 65536 KiB")
    return int(text)
