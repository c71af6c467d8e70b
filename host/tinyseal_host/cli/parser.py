"""The command line: every command with its options, and nothing else."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import NoReturn

from .. import __version__
from ..errors import UsageError
from ..formats import KeySource

_EPILOG = """\
exit status: 0 done, 1 failed, 2 usage, 3 the board refused it, 4 no board
--port: auto, a device, a0 u0 (mpremote's shortcuts), socket://, rfc2217://, or sim for a virtual board; else ESPPORT
"""


class Parser(argparse.ArgumentParser):
    """An ArgumentParser whose complaints are UsageErrors."""

    def error(self, message: str) -> NoReturn:
        """Called by argparse for every wrong command line."""
        raise UsageError(message, hint=f"{self.prog} --help")


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
    _board_commands(commands)
    return parser


_Commands = argparse._SubParsersAction  # the only name that argparse has for it


def _add(commands: _Commands[Parser], name: str, about: str) -> Parser:
    parser = commands.add_parser(name, help=about, description=about[:1].upper() + about[1:] + ".")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
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
    _key_source(seal, "nvs")
    _output(seal, "M.seal", "beside the release; for many boards a folder, with a file ID.seal for each")

    unseal = _add(commands, "open", "decrypt a sealed file: the reverse of seal")
    unseal.add_argument("sealed", type=Path, metavar="M.seal")
    _keys(unseal)
    _output(unseal, "M.tsm", "beside the sealed file")


def _board_commands(commands: _Commands[Parser]) -> None:
    provision = _add(commands, "provision", "put the firmware, the device key and the signer's key on a board")
    _port(provision)
    _keys(provision)
    _key_source(provision)
    provision.add_argument(
        "--replace", action="store_true", help="write these keys even where the board has others; its models are lost"
    )

    _burn(commands)

    push = _add(commands, "push", "put a sealed file on a board, verified and self-tested there")
    push.add_argument("sealed", type=Path, metavar="M.seal")
    _port(push)

    deploy = _add(commands, "deploy", "build, seal for the board that answers, and push")
    _model(deploy)
    _port(deploy)
    _keys(deploy)
    _key_source(deploy)

    infer = _add(commands, "infer", "run frames through the model on a board")
    infer.add_argument("frames", type=Path, metavar="FRAMES", help="frames.npy (float32, one a row) or frames.csv")
    _port(infer)
    infer.add_argument("-o", "--output", type=Path, metavar="OUT.csv", help="save what came back, a line a frame")

    status = _add(commands, "status", "show a board's slots, versions, key source and counters")
    _port(status)

    sim = _add(commands, "sim", "a virtual board that stays up until Ctrl-C; prints its port")
    _virtual(sim)


def _burn(commands: _Commands[Parser]) -> None:
    burn = _add(commands, "burn", "burn a board's root key into eFuse for the HMAC peripheral; cannot be undone")
    port = os.environ.get("ESPPORT") or None
    burn.add_argument("--port", default=port, metavar="P", help="the board; sim for a virtual one (ESPPORT)")
    burn.add_argument("--state", type=Path, metavar="DIR", help="what a virtual board keeps when the power is off")
    burn.add_argument("--keys", type=Path, action="append", metavar="DIR", help="key folder; may be repeated")
    burn.add_argument("--device", metavar="ID", help="the board's id, where MicroPython does not run yet")
    burn.add_argument("--chip", metavar="C", help="its chip as esptool names it, where the board cannot say")
    burn.add_argument(
        "--block", type=int, choices=range(6), help="the key block, KEY0 to KEY5 (the first that is free)"
    )
    burn.add_argument("--dry-run", action="store_true", help="show what would be burned, and with which commands")


def _model(parser: Parser) -> None:
    parser.add_argument("model", type=Path, metavar="MODEL.tflite")
    parser.add_argument("--contract", type=Path, required=True, metavar="C.toml", help="what a frame must look like")
    parser.add_argument("--version", type=int, required=True, metavar="N", help="1 or more; a board refuses older ones")
    parser.add_argument("--name", metavar="NAME", help="at most 16 bytes; the model's file name without it")


def _keys(parser: Parser) -> None:
    parser.add_argument(
        "--keys", type=Path, action="append", required=True, metavar="DIR", help="key folder; may be repeated"
    )


def _key_source(parser: Parser, default: str = "nvs, or efuse where a key was burned") -> None:
    names = [source.name.lower() for source in KeySource]
    parser.add_argument(
        "--key-source", choices=names, help=f"where the board's key lies ({default}); file is for development"
    )


def _output(parser: Parser, metavar: str, default: str) -> None:
    parser.add_argument("-o", "--output", type=Path, metavar=metavar, help=f"where to write it ({default})")


def _port(parser: Parser) -> None:
    port = os.environ.get("ESPPORT") or None
    parser.add_argument("--port", default=port, metavar="P", help="the board; sim for a virtual one (ESPPORT)")
    _virtual(parser)


def _virtual(parser: Parser) -> None:
    parser.add_argument("--state", type=Path, metavar="DIR", help="what a virtual board keeps when the power is off")
    parser.add_argument("--heap", type=_heap_kib, metavar="KIB", help="heap of a virtual board (320)")
    parser.add_argument(
        "--no-native", action="store_false", dest="native", help="a virtual board without the native emitter"
    )


def _heap_kib(text: str) -> int:
    if not text.isdecimal() or not 96 <= int(text) <= 65536:
        raise argparse.ArgumentTypeError(f"got {text!r}, wanted 96 to 65536 KiB")
    return int(text)
