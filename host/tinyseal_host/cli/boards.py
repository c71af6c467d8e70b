"""The command that shows the boards that a key folder's registry remembers."""

from __future__ import annotations

import argparse

from ..board import registry
from ..errors import UsageError
from ..keys import parse_device_id
from .output import Output

_COLUMNS = ("name", "board", "chip", "micropython", "efuse_key", *registry.OURS)


def boards(options: argparse.Namespace, output: Output) -> None:
    """`tinyseal boards`."""
    folders = [*options.folders, *options.keys]
    if not folders:
        raise UsageError("no key folder is named", hint="tinyseal boards DIR")
    folder = registry.folder_of(folders)
    if options.name:
        device_id, name = parse_device_id(options.name[0]), options.name[1]
        if device_id.hex() not in registry.read(folder):
            raise UsageError(f"{folder / registry.FILE}: has no board {device_id.hex()}")
        registry.remember(folder, [registry.Entry(device_id, name=name)])
    tables = registry.read(folder)
    if tables:
        rows: list[tuple[object, ...]] = [
            (device_id, *(table.get(name) or None for name in _COLUMNS)) for device_id, table in tables.items()
        ]
        output.columns(("id", *(name.replace("_", " ") for name in _COLUMNS)), rows)
    else:
        output.say(f"{folder / registry.FILE}: no board was provisioned with these keys yet")
    output.result(
        {
            "file": str(folder / registry.FILE),
            "boards": [{"device_id": device_id, **table} for device_id, table in tables.items()],
        }
    )
