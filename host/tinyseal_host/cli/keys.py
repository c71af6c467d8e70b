"""The commands that make keys and show which there are."""

from __future__ import annotations

import argparse

from .. import keys
from ..errors import UsageError
from . import passphrase
from .output import Output
from .terminal import printable


def keygen(options: argparse.Namespace, output: Output) -> None:
    """`tinyseal keygen`."""
    kinds = tuple(keys.KeyKind) if options.only is None else (keys.KeyKind(options.only),)
    if options.passphrase and keys.KeyKind.SIGNING not in kinds:
        raise UsageError("--passphrase is for a signing key, and none is made")
    secret = passphrase.ask_new() if options.passphrase else None
    with output.spinner("generating keys"):
        paths = keys.generate(options.folder, kinds, secret)
    prints: dict[str, str] = {}
    if keys.KeyKind.MASTER in kinds:
        prints["master"] = keys.master_fingerprint(keys.load_master([options.folder]))
    if keys.KeyKind.SIGNING in kinds:
        prints["signer"] = keys.signer_fingerprint(keys.load_signer([options.folder]))
    for path in paths:
        output.say(printable(str(path)))
    what = "both keys" if len(kinds) > 1 else "it"
    fingerprints = ", ".join(f"{name} {text}" for name, text in prints.items())
    output.say(f"{fingerprints}: keep a copy of {what} where this machine cannot lose it")
    if secret is not None:
        output.say("the signing key is encrypted: without its passphrase the copy is worth nothing")
    output.result({"files": [str(path) for path in paths], **prints, "passphrase": secret is not None})


def list_keys(options: argparse.Namespace, output: Output) -> None:
    """`tinyseal keys`."""
    folders = [*options.folders, *options.keys]
    if not folders:
        raise UsageError("no key folder is named", hint="tinyseal keys DIR")
    found = keys.list_keys(folders)
    rows = [
        (
            printable(str(entry.path)),
            entry.kind,
            entry.fingerprint or ("behind the passphrase" if entry.passphrase else "none"),
            "none" if entry.mode is None else f"{entry.mode:04o}",
            "yes" if entry.passphrase else "no",
        )
        for entry in found
    ]
    output.columns(("file", "kind", "fingerprint", "mode", "passphrase"), list(rows))
    for entry in found:
        if entry.problem:
            output.say(f"problem: {printable(entry.problem)}")
    output.result(
        {
            "keys": [
                {
                    "file": str(entry.path),
                    "kind": entry.kind,
                    "fingerprint": entry.fingerprint,
                    "mode": None if entry.mode is None else f"{entry.mode:04o}",
                    "passphrase": entry.passphrase,
                    "problem": entry.problem,
                }
                for entry in found
            ]
        }
    )
