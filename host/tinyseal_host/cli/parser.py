"""The command line: every command with its options, and nothing else."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from .. import __version__
from ..errors import UsageError
from ..formats import KeySource

_EPILOG = """\
exit status: 0 done, 1 failed, 2 usage, 3 the board refused it, 4 no board; of several boards the highest
--port: auto, a device, a0 u0 (mpremote's shortcuts), socket://, rfc2217://, sim for a virtual board; else ESPPORT;
        repeated for several boards at once, or all
"""


class Parser(argparse.ArgumentParser):
    """An ArgumentParser whose complaints are UsageErrors."""

    def error(self, message: str) -> NoReturn:
        """Called by argparse for every wrong command line."""
        raise UsageError(message, hint=f"{self.prog} --help")


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The options of a command line, with `port` from ESPPORT where a command wants one and has none; UsageError."""
    options = make_parser().parse_args(arguments)
    if "port" in options and options.port is None:
        named = os.environ.get("ESPPORT")
        options.port = [named] if named else []
    return options


def make_parser() -> Parser:
    """The parser of `tinyseal`; the parsed `command` names the function that runs."""
    parser = Parser(
        prog="tinyseal",
        description="Seal int8 neural networks for MicroPython boards, and put them there.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"tinyseal {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True, parser_class=Parser)
    _file_commands(commands)
    _contract_commands(commands)
    _board_commands(commands)
    return parser


_FRAMES = "frames.npy, one a row, or frames.csv"
_Commands = argparse._SubParsersAction  # the only name that argparse has for it


def _add(commands: _Commands[Parser], name: str, about: str) -> Parser:
    parser = commands.add_parser(name, help=about, description=about[:1].upper() + about[1:] + ".")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout, with several boards one a line")
    return parser


def _file_commands(commands: _Commands[Parser]) -> None:
    example = _add(commands, "example", "write the example: a model, its contract, frames and their labels")
    example.add_argument("folder", type=Path, metavar="DIR")

    keygen = _add(commands, "keygen", "make a master key and a signing key")
    keygen.add_argument("folder", type=Path, metavar="DIR")
    keygen.add_argument("--only", choices=["master", "signing"], help="one of the two, for folders of their own")
    keygen.add_argument(
        "--passphrase",
        action="store_true",
        help="encrypt the signing key; asked for at the terminal, or TINYSEAL_PASSPHRASE",
    )

    show = _add(commands, "keys", "show which keys are in a folder, by fingerprint")
    show.add_argument("folders", nargs="*", type=Path, metavar="DIR")
    show.add_argument("--keys", type=Path, action="append", default=[], metavar="DIR", help="the same as DIR")

    build = _add(commands, "build", "compile a .tflite with its contract, and sign it: a release")
    _model(build)
    _keys(build)
    _output(build, "M.tsm", "beside the model")

    inspect = _add(commands, "inspect", "show what a .tflite, .tsm or .seal holds")
    inspect.add_argument("file", type=Path, nargs="?", metavar="FILE")
    inspect.add_argument("--operators", action="store_true", help="show which operators can be compiled, without FILE")

    boards = _add(commands, "boards", "show the boards that were provisioned with the keys in a folder")
    boards.add_argument("folders", nargs="*", type=Path, metavar="DIR")
    boards.add_argument("--keys", type=Path, action="append", default=[], metavar="DIR", help="the same as DIR")
    boards.add_argument("--name", nargs=2, metavar=("ID", "NAME"), help="give one of them a name")

    seal = _add(commands, "seal", "encrypt a release for one board, or for many")
    seal.add_argument("release", type=Path, metavar="M.tsm")
    seal.add_argument(
        "--device",
        action="append",
        default=[],
        metavar="ID",
        help="a board's id, as tinyseal status shows it; repeatable",
    )
    seal.add_argument("--devices", type=Path, metavar="FILE", help="ids, one a line, # begins a comment")
    _keys(seal)
    _key_source(seal)
    _output(seal, "M.seal", "beside the release; for many boards a folder, with a file ID.seal for each")

    unseal = _add(commands, "open", "decrypt a sealed file: the reverse of seal")
    unseal.add_argument("sealed", type=Path, metavar="M.seal")
    _keys(unseal)
    _output(unseal, "M.tsm", "beside the sealed file")


def _contract_commands(commands: _Commands[Parser]) -> None:
    contract = _add(commands, "contract", "propose a contract from clean frames")
    contract.add_argument("frames", type=Path, metavar="FRAMES", help=_FRAMES)
    contract.add_argument(
        "--channels", type=_number(int, 1, 256), default=1, metavar="N", help="interleaved in a frame (1)"
    )
    contract.add_argument(
        "--margin",
        type=_number(float, 0, 10),
        default=0.1,
        metavar="M",
        help="how much wider than what was seen, as a share of it (0.1)",
    )
    contract.add_argument(
        "--quantile",
        type=_number(float, 0, 0.49),
        default=0.0,
        metavar="Q",
        help="share of the frames that is disregarded at either end (0)",
    )
    contract.add_argument("-o", "--output", type=Path, required=True, metavar="C.toml", help="where to write it")

    check = _add(commands, "check", "hold frames against a contract as a board's gate does")
    check.add_argument("frames", type=Path, metavar="FRAMES", help=_FRAMES)
    check.add_argument("--contract", type=Path, required=True, metavar="C.toml", help="what a frame must look like")
    check.add_argument(
        "--plot", type=Path, metavar="OUT.png", help="draw the channels, the limits, and what is refused"
    )


def _board_commands(commands: _Commands[Parser]) -> None:
    provision = _add(commands, "provision", "put the firmware, the device key and the signer's key on a board")
    _port(provision)
    _keys(provision)
    _key_source(provision)
    provision.add_argument(
        "--replace", action="store_true", help="write these keys even where the board has others; its models are lost"
    )
    _yes(provision)

    push = _add(commands, "push", "put a sealed file on a board, verified and self-tested there")
    push.add_argument("sealed", type=Path, metavar="M.seal")
    _port(push)
    _remember(push)

    deploy = _add(commands, "deploy", "build, seal for the board that answers, and push")
    _model(deploy)
    _port(deploy)
    _keys(deploy)
    _key_source(deploy)

    rollback = _add(commands, "rollback", "go back to the older of a board's two models, if its version floor allows")
    _port(rollback)
    _remember(rollback)

    infer = _add(commands, "infer", "run frames through the model on a board")
    infer.add_argument("frames", type=Path, metavar="FRAMES", help="frames.npy (float32, one a row) or frames.csv")
    _port(infer)
    infer.add_argument("-o", "--output", type=Path, metavar="OUT.csv", help="save what came back, a line a frame")

    status = _add(commands, "status", "show a board's slots, versions, key source and counters")
    _port(status)
    _remember(status)

    doctor = _add(commands, "doctor", "find out what is wrong with a board, and what to do about it")
    _port(doctor)
    _remember(doctor)

    wipe = _add(commands, "wipe", "remove keys, version floor, models and package from a board, after asking")
    _port(wipe)
    _remember(wipe)
    _yes(wipe)

    sim = _add(commands, "sim", "a virtual board that stays up until Ctrl-C; prints its port")
    sim.add_argument("--state", type=Path, metavar="DIR", help="what it keeps when the power is off")
    _heap(sim)


def _model(parser: Parser) -> None:
    parser.add_argument("model", type=Path, metavar="MODEL.tflite")
    parser.add_argument("--contract", type=Path, required=True, metavar="C.toml", help="what a frame must look like")
    parser.add_argument("--version", type=int, required=True, metavar="N", help="1 or more; a board refuses older ones")
    parser.add_argument("--name", metavar="NAME", help="at most 16 bytes; the model's file name without it")


def _keys(parser: Parser) -> None:
    parser.add_argument(
        "--keys", type=Path, action="append", required=True, metavar="DIR", help="key folder; may be repeated"
    )


def _key_source(parser: Parser) -> None:
    names = [source.name.lower() for source in KeySource]
    parser.add_argument(
        "--key-source", choices=names, default="nvs", help="where the board's key lies (nvs); file is for development"
    )


def _output(parser: Parser, metavar: str, default: str) -> None:
    parser.add_argument("-o", "--output", type=Path, metavar=metavar, help=f"where to write it ({default})")


def _port(parser: Parser) -> None:
    parser.add_argument(
        "--port", action="append", metavar="P", help="the board; repeatable, all for every one on USB; sim (ESPPORT)"
    )
    parser.add_argument(
        "--device", action="append", default=[], metavar="ID", help="work on no board but this one; repeatable"
    )
    parser.add_argument("--no-restart", action="store_true", help="leave the board at its prompt, its program stopped")
    parser.add_argument(
        "--state",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="what a virtual board keeps when the power is off; once for each --port sim",
    )
    _heap(parser)
    parser.set_defaults(keys=[])  # not every command for boards has the option


def _remember(parser: Parser) -> None:
    parser.add_argument(
        "--keys",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="key folder whose boards.toml remembers it",
    )


def _yes(parser: Parser) -> None:
    parser.add_argument("--yes", action="store_true", help="do not ask")


def _heap(parser: Parser) -> None:
    parser.add_argument("--heap", type=_heap_kib, metavar="KIB", help="heap of a virtual board (320)")
    parser.add_argument(
        "--no-native", action="store_false", dest="native", help="a virtual board without the native emitter"
    )


def _number(kind: type[int] | type[float], least: float, most: float) -> Callable[[str], float]:
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
