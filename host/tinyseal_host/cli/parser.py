"""The command line: every command with its options, and nothing else."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from .. import __version__
from . import measuring_options, options
from .options import Parser

_EPILOG = """\
exit status: 0 done, 1 failed, 2 usage, 3 the board refused it, 4 no board; of several boards the highest
--port: auto, a device, a0 u0 (mpremote's shortcuts), socket://, rfc2217://, sim for a virtual board; else ESPPORT;
        repeated for several boards at once, or all
"""


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The options of a command line, with `port` from ESPPORT where a command wants one and has none; UsageError."""
    parsed = make_parser().parse_args(arguments)
    if "port" in parsed and parsed.port is None:
        named = os.environ.get("ESPPORT")
        parsed.port = [named] if named else []
    return parsed


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
    options.model(build)
    options.keys(build)
    options.output(build, "M.tsm", "beside the model")

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
    options.keys(seal)
    options.key_source(seal, "what boards.toml says of the board, else nvs")
    options.output(seal, "M.seal", "beside the release; for many boards a folder, with a file ID.seal for each")

    unseal = _add(commands, "open", "decrypt a sealed file: the reverse of seal")
    unseal.add_argument("sealed", type=Path, metavar="M.seal")
    options.keys(unseal)
    options.output(unseal, "M.tsm", "beside the sealed file")


def _contract_commands(commands: _Commands[Parser]) -> None:
    contract = _add(commands, "contract", "propose a contract from clean frames")
    contract.add_argument("frames", type=Path, metavar="FRAMES", help=_FRAMES)
    contract.add_argument(
        "--channels", type=options.number(int, 1, 256), default=1, metavar="N", help="interleaved in a frame (1)"
    )
    contract.add_argument(
        "--margin",
        type=options.number(float, 0, 10),
        default=0.1,
        metavar="M",
        help="how much wider than what was seen, as a share of it (0.1)",
    )
    contract.add_argument(
        "--quantile",
        type=options.number(float, 0, 0.49),
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
    options.port(provision)
    options.keys(provision)
    options.key_source(provision)
    provision.add_argument(
        "--replace", action="store_true", help="write these keys even where the board has others; its models are lost"
    )
    options.yes(provision)

    _burn(commands)

    push = _add(commands, "push", "put a sealed file on a board, verified and self-tested there")
    push.add_argument("sealed", type=Path, metavar="M.seal")
    options.port(push)
    options.remember(push)

    deploy = _add(commands, "deploy", "build, seal for the board that answers, and push")
    options.model(deploy)
    options.port(deploy)
    options.keys(deploy)
    options.key_source(deploy)

    rollback = _add(commands, "rollback", "go back to the older of a board's two models, if its version floor allows")
    options.port(rollback)
    options.remember(rollback)

    rotate = _add(commands, "rotate", "give boards other keys, with the model that they have or with a release")
    rotate.add_argument("release", type=Path, nargs="?", metavar="M.tsm", help="by the new signer; else signed anew")
    options.port(rotate)
    options.keys(rotate)
    rotate.add_argument("--to", type=Path, action="append", required=True, metavar="DIR", help="folder of the new keys")

    infer = _add(commands, "infer", "run frames through the model on a board")
    infer.add_argument("frames", type=Path, metavar="FRAMES", help="frames.npy (float32, one a row) or frames.csv")
    options.port(infer)
    infer.add_argument("-o", "--output", type=Path, metavar="OUT.csv", help="save what came back, a line a frame")

    status = _add(commands, "status", "show a board's slots, versions, key source and counters")
    options.port(status)
    options.remember(status)

    doctor = _add(commands, "doctor", "find out what is wrong with a board, and what to do about it")
    options.port(doctor)
    options.remember(doctor)

    bench = _add(
        commands, "bench", "measure on a board what engines, gate, kernels and models take, or compare two results"
    )
    options.port(bench)
    measuring_options.bench(bench)

    monitor = _add(
        commands, "monitor", "show what an application on a board says of its frames, without interrupting it"
    )
    measuring_options.monitor(monitor)
    options.state(monitor)
    options.heap(monitor)

    wipe = _add(commands, "wipe", "remove keys, version floor, models and package from a board, after asking")
    options.port(wipe)
    options.remember(wipe)
    options.yes(wipe)

    sim = _add(commands, "sim", "a virtual board that stays up until Ctrl-C; prints its port")
    sim.add_argument("--state", type=Path, metavar="DIR", help="what it keeps when the power is off")
    sim.add_argument("--chip", metavar="C", help="the chip that it is, as esptool names it; for good, with --state")
    options.heap(sim)


def _burn(commands: _Commands[Parser]) -> None:
    burn = _add(commands, "burn", "burn a board's root key into eFuse for the HMAC peripheral; cannot be undone")
    port = os.environ.get("ESPPORT") or None
    burn.add_argument(
        "--port", dest="place", default=port, metavar="P", help="the board; sim for a virtual one (ESPPORT)"
    )
    burn.add_argument("--state", type=Path, metavar="DIR", help="what a virtual board keeps when the power is off")
    burn.add_argument("--keys", type=Path, action="append", metavar="DIR", help="key folder; may be repeated")
    burn.add_argument("--device", metavar="ID", help="the board's id, where MicroPython does not run yet")
    burn.add_argument("--chip", metavar="C", help="its chip as esptool names it, where the board cannot say")
    burn.add_argument(
        "--block", type=int, choices=range(6), help="the key block, KEY0 to KEY5 (the first that is free)"
    )
    burn.add_argument("--dry-run", action="store_true", help="show what would be burned, and with which commands")
