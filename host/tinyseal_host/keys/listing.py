"""What lies in key folders, told by fingerprints alone."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import TinysealError
from ..files import reason
from .derived import master_fingerprint, signer_fingerprint
from .key_files import (
    MASTER_FILE,
    NAMES,
    SIGNER_FILE,
    SIGNING_FILE,
    PassphraseError,
    load_master,
    load_signing_key,
    read_signer,
)


@dataclass(frozen=True)
class KeyFile:
    """One key file. `fingerprint` is None behind a passphrase and where `problem` says why the file cannot be used."""

    path: Path
    kind: str
    mode: int | None = None
    fingerprint: str | None = None
    passphrase: bool = False
    problem: str | None = None


def list_keys(folders: Sequence[Path]) -> list[KeyFile]:
    """The key files of the folders, in the order in which commands look there; no passphrase is asked for.

    TinysealError when a folder cannot be read or none of them has a key.
    """
    found = [entry for folder in folders for entry in _list_folder(folder)]
    if not found:
        raise TinysealError(
            f"{', '.join(map(str, folders))}: no keys there", hint="make keys with `tinyseal keygen DIR`"
        )
    return found


def _list_folder(folder: Path) -> list[KeyFile]:
    try:
        names = os.listdir(folder)
    except OSError as error:
        raise TinysealError(f"{folder}: {reason(error)}") from error
    entries = {name: _describe(folder / name) for name in NAMES if name in names}
    signing, signer = entries.get(SIGNING_FILE), entries.get(SIGNER_FILE)
    if signing and signer and signing.fingerprint and signer.fingerprint not in (None, signing.fingerprint):
        entries[SIGNER_FILE] = replace(
            signer, problem=f"{signer.path}: is not the public half of the {SIGNING_FILE} beside it"
        )
    return list(entries.values())


def _describe(path: Path) -> KeyFile:
    entry = KeyFile(path, NAMES[path.name])
    try:
        entry = replace(entry, mode=stat.S_IMODE(path.stat().st_mode))
        return replace(entry, fingerprint=_fingerprint(path))
    except PassphraseError:
        return replace(entry, passphrase=True)
    except TinysealError as error:
        return replace(entry, problem=error.message)
    except OSError as error:
        return replace(entry, problem=f"{path}: {reason(error)}")


def _fingerprint(path: Path) -> str:
    if path.name == MASTER_FILE:
        return master_fingerprint(load_master([path.parent]))
    if path.name == SIGNING_FILE:
        return signer_fingerprint(load_signing_key([path.parent]).public_key())
    return signer_fingerprint(read_signer(path))
