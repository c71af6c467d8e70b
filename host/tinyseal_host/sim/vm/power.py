"""Power-on: the board's modules, its flash as the only filesystem, nothing of the host in sight."""

# ruff: noqa: PLC0415 - what goes wrong while the board's modules are loaded has to be told as well

import gc
import sys

import control
from settings import StateError


def on():
    """Build the board; after a failure tell the relay why and end the VM."""
    try:
        _assemble()
    except Exception as error:  # noqa: BLE001 - whatever it is, the host has to be told
        control.tell(b"E", (str(error) if isinstance(error, StateError) else repr(error)).encode())
        raise SystemExit(1) from None
    gc.collect()
    control.tell(b"H")


def _assemble():
    # These files come before the built-in modules of the same names, which `umachine` and `uos` still name.
    import os

    import boardsys
    import boardvfs
    import esp32
    import flash
    import machine

    for module in (boardvfs, esp32, machine, os):
        del module.__file__
    flash.mount_root()
    sys.path[:] = ["", ".frozen", "/lib"]
    sys.argv[:] = []
    sys.modules.clear()  # a program's own flash.py must not find this one
    board = boardsys.Sys()
    sys.modules.update({"machine": machine, "umachine": machine, "os": os, "uos": os})
    sys.modules.update({"esp32": esp32, "vfs": boardvfs, "sys": board, "usys": board})
