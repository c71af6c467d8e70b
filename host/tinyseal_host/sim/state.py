"""The state directory: what a virtual board keeps when the power is off.

`flash.bin` is the flash chip's filesystem partition, `nvs.bin` the NVS partition, `board.json` the identity.
`vm.pid` is there while the board runs; `lock` is held by the relay process.
"""

import contextlib
import fcntl
import json
import os
import secrets
from pathlib import Path

from .errors import SimError

_FLASH_BYTES = 2 * 1024 * 1024  # the `vfs` partition of an ESP32 with 4 MiB (ports/esp32/partitions-4MiB.csv)


def open_state(state_dir: Path) -> tuple[int, str]:
    """Make or open the directory; the descriptor that holds its lock, and the unique id in hex. SimError if in use."""
    state_dir.mkdir(parents=True, exist_ok=True)
    lock = os.open(state_dir / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SimError(f"another virtual board is running on {state_dir}; wanted a directory of its own") from None
        _make_flash(state_dir / "flash.bin")
        return lock, _unique_id(state_dir / "board.json")
    except BaseException:
        os.close(lock)
        raise


def _make_flash(path: Path) -> None:
    if not path.exists():
        _replace(path, b"\xff" * _FLASH_BYTES)  # as erased
    size = path.stat().st_size
    if size == 0 or size % 4096:
        raise SimError(f"{path} has {size} bytes; wanted whole blocks of 4096")


def _unique_id(path: Path) -> str:
    """Six bytes like a MAC address, but from the locally administered ones, so that no real board has them."""
    if not path.exists():
        mac = bytearray(secrets.token_bytes(6))
        mac[0] = mac[0] & 0xFC | 0x02
        _replace(path, (json.dumps({"unique_id": mac.hex()}) + "\n").encode())
    unique_id = ""
    with contextlib.suppress(ValueError, KeyError, TypeError):
        unique_id = json.loads(path.read_bytes())["unique_id"]
        if len(bytes.fromhex(unique_id)) == 6:
            return unique_id
    raise SimError(f"{path} holds unique_id {unique_id!r}; wanted 12 hex digits")


def _replace(path: Path, data: bytes) -> None:
    """Write a file whole or not at all."""
    temporary = path.with_suffix(".new")
    temporary.write_bytes(data)
    temporary.replace(path)
