"""The options of `tinyseal bench` and `tinyseal monitor`, but for those that other commands have too."""

from __future__ import annotations

import argparse
from pathlib import Path

from . import options


def bench(parser: argparse.ArgumentParser) -> None:
    """What is measured, and where it goes."""
    parser.add_argument("-o", "--output", type=Path, metavar="B.json", help="save the result")
    parser.add_argument("--models", type=Path, metavar="FOLDER", help="every .tflite there, instead of the example's")
    parser.add_argument(
        "--compare",
        type=Path,
        nargs=2,
        metavar=("A.json", "B.json"),
        help="show two results side by side, without a board",
    )
    parser.add_argument("--plot", type=Path, metavar="OUT.png", help="draw the result, or the two")


def monitor(parser: argparse.ArgumentParser) -> None:
    """A board cannot be asked for its id here: that would interrupt what runs on it."""
    parser.add_argument(
        "--port", action="append", metavar="P", help="the board; sim is one with the example's application (ESPPORT)"
    )
    parser.add_argument("--csv", type=Path, metavar="M.csv", help="save every frame as it comes")
    parser.add_argument("--plot", type=Path, metavar="M.png", help="draw classes and latency at the end")
    parser.add_argument(
        "--seconds", type=options.number(float, 0, 1e9), metavar="N", help="end by itself after that time"
    )
