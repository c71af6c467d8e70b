"""The state directory: what a virtual board keeps when the power is off.

`flash.bin` is the flash chip's filesystem partition, `nvs.bin` the NVS partition, `board.json` the identity.
`vm.pid` and `port` are there while the board runs; `lock` is held by the relay process. `writes` and `writes.log`
belong to a board whose power is watched or will fail.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import time
from pathlib import Path

from .errors import SimError

_FLASH_BYTES = 2 * 1024 * 1024  # the `vfs` partition of an ESP32 with 4 MiB (ports/esp32/partitions-4MiB.csv)
_LOCK_PATIENCE_S = 0.2  # `running_port` of another process holds the lock for as long as it looks


def open_state(state_dir: Path) -> tuple[int, str]:
    """Make or open the directory; the descriptor that holds its lock, and the unique id in hex. SimError if in use."""
    state_dir.mkdir(parents=True, exist_ok=True)
    lock = os.open(state_dir / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _take(lock, state_dir)
        _make_flash(state_dir / "flash.bin")
        return lock, _unique_id(state_dir / "board.json")
    except BaseException:
        os.close(lock)
        raise


def running_port(state_dir: str | os.PathLike[str]) -> str | None:
    """The port of the board that runs on this directory, in whatever process; None when there is none."""
    directory = Path(state_dir)
    try:
        lock = os.open(directory / "lock", os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        pass
    else:
        return None  # nobody holds it: what the directory says of a port is left from a relay that was killed
    finally:
        os.close(lock)
    try:
        return (directory / "port").read_text().strip() or None
    except FileNotFoundError:
        return None  # not up yet


def power_on(state_dir: Path) -> None:
    """Forget what was counted and noted of the writes of an earlier time under power: vm/supply.py."""
    (state_dir / "writes").write_bytes(bytes(4))
    (state_dir / "writes.log").unlink(missing_ok=True)


def replace(path: Path, data: bytes) -> None:
    """Write a file whole or not at all."""
    temporary = path.with_name(path.name + ".new")
    temporary.write_bytes(data)
    temporary.replace(path)


def _take(lock: int, state_dir: Path) -> None:
    deadline = time.monotonic() + _LOCK_PATIENCE_S
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > deadline:
                port = running_port(state_dir)
                hint = f"use its port, {port}, or another directory" if port else "use another directory"
                raise SimError(f"a virtual board already runs on {state_dir}", hint=hint) from None
            time.sleep(0.01)


def _make_flash(path: Path) -> None:
    if not path.exists():
        replace(path, b"\xff" * _FLASH_BYTES)  # as erased
    size = path.stat().st_size
    if size == 0 or size % 4096:
        raise SimError(f"{path} has {size} bytes, wanted whole blocks of 4096", hint="remove it to begin afresh")


def _unique_id(path: Path) -> str:
    """Six bytes like a MAC address, but from the locally administered ones, so that no real board has them."""
    if not path.exists():
        mac = bytearray(secrets.token_bytes(6))
        mac[0] = mac[0] & 0xFC | 0x02
        replace(path, (json.dumps({"unique_id": mac.hex()}) + "\n").encode())
    unique_id = None
    with contextlib.suppress(ValueError, KeyError, TypeError):
        unique_id = json.loads(path.read_bytes())["unique_id"]
        if len(bytes.fromhex(unique_id)) == 6:
            return str(unique_id)
    raise SimError(f"{path} holds unique_id {unique_id!r}, wanted 12 hex digits", hint="remove it for a new identity")
