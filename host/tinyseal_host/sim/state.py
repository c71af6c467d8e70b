"""The state directory: what a virtual board keeps when the power is off.

`flash.bin` is the flash chip's filesystem partition, `nvs.bin` the NVS partition, `board.json` the identity. On a board
that is a chip, `efuse.bin` and `efuse.keys` are its eFuse, as `vm/efuses.py` says; they come from outside.
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
from dataclasses import asdict, dataclass
from pathlib import Path

from .errors import SimError

_FLASH_BYTES = 2 * 1024 * 1024  # the `vfs` partition of an ESP32 with 4 MiB (ports/esp32/partitions-4MiB.csv)
# Of the boards that boards/ has, and the H2.
_HMAC_CHIPS = ("esp32s2", "esp32s3", "esp32c3", "esp32c6", "esp32h2")
_CHIPS = ("esp32", "esp32c2", *_HMAC_CHIPS)
_LOCK_PATIENCE_S = 0.2  # `running_port` of another process holds the lock for as long as it looks


@dataclass(frozen=True)
class Identity:
    """Who a board is."""

    unique_id: str  # hex
    chip: str | None  # as esptool calls it; None for a board that is none

    @property
    def has_registers(self) -> bool:
        """Whether the board has an HMAC peripheral, and the eFuse that it takes its keys from."""
        return self.chip in _HMAC_CHIPS


def open_state(state_dir: Path, chip: str | None = None) -> tuple[int, Identity]:
    """Make or open the directory; the descriptor that holds its lock, and the identity. SimError if in use.

    With a `chip` the board becomes one, and a board that is another is a SimError.
    """
    state_dir.mkdir(parents=True, exist_ok=True)
    lock = os.open(state_dir / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _take(lock, state_dir)
        _make_flash(state_dir / "flash.bin")
        return lock, _identity(state_dir / "board.json", chip)
    except BaseException:
        os.close(lock)
        raise


def set_chip(state_dir: str | os.PathLike[str], chip: str) -> None:
    """Make a board that is off a chip, for good; the directory is made where there is none. SimError if it runs."""
    lock, _ = open_state(Path(state_dir), chip)
    os.close(lock)


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


def power_on(state_dir: Path, watched: bool) -> None:
    """Begin anew to count and to note the writes of a board whose power is watched: vm/supply.py."""
    for name in ("writes", "writes.log"):
        (state_dir / name).unlink(missing_ok=True)
    if watched:
        (state_dir / "writes").write_bytes(bytes(4))


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


def _identity(path: Path, chip: str | None) -> Identity:
    if chip is not None and chip not in _CHIPS:
        raise SimError(f"no virtual board is the chip {chip}, wanted one of {', '.join(_CHIPS)}")
    found = _read_identity(path) if path.exists() else Identity(_new_unique_id(), None)
    if chip is not None and found.chip not in (None, chip):
        raise SimError(f"the virtual board in {path.parent} is the chip {found.chip}, not {chip}")
    identity = Identity(found.unique_id, chip or found.chip)
    for efuse in (path.with_name("efuse.bin"), path.with_name("efuse.keys")):
        if efuse.exists() and not identity.has_registers:
            raise SimError(f"{efuse} is there, but the board is no chip with an HMAC peripheral")
    if not path.exists() or identity != found:
        kept = {name: value for name, value in asdict(identity).items() if value is not None}
        replace(path, (json.dumps(kept) + "\n").encode())
    return identity


def _read_identity(path: Path) -> Identity:
    unique_id = chip = None
    with contextlib.suppress(ValueError, KeyError, TypeError, AttributeError):
        kept = json.loads(path.read_bytes())
        unique_id, chip = kept["unique_id"], kept.get("chip")
        if len(bytes.fromhex(unique_id)) == 6:
            if chip is None or chip in _CHIPS:
                return Identity(unique_id, chip)
            raise SimError(f"{path} holds chip {chip!r}, wanted one of {', '.join(_CHIPS)}")
    raise SimError(f"{path} holds unique_id {unique_id!r}, wanted 12 hex digits", hint="remove it for a new identity")


def _new_unique_id() -> str:
    """Six bytes like a MAC address, but from the locally administered ones, so that no real board has them."""
    mac = bytearray(secrets.token_bytes(6))
    mac[0] = mac[0] & 0xFC | 0x02
    return mac.hex()
