"""What `--port` names: a serial port, a URL, or a virtual board made on the spot."""

from __future__ import annotations

import contextlib
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

from ..errors import BoardError, UsageError
from .transport import Link, connect, list_devices

SIM = "sim"
_DEFAULT_HEAP_KIB = 320

_SHORTCUT = re.compile(r"([aucm])(\d+)")
_PREFIXES = {"a": "/dev/ttyACM", "u": "/dev/ttyUSB", "c": "COM", "m": "/dev/cu.usbmodem"}


@contextlib.contextmanager
def open_port(
    port: str | None,
    *,
    state: Path | None = None,
    heap_kib: int | None = None,
    native: bool = True,
    soft_reset: bool = True,
) -> Iterator[Link]:
    """A Link to the board that `port` names; a virtual one is switched off at the end, unless it was already up.

    `state`, `heap_kib` and `native` belong to `sim`. UsageError without a port, BoardError when no board answers.
    """
    if port is None:
        raise UsageError(
            "no board named", hint="--port sim, --port auto or --port DEVICE, or ESPPORT in the environment"
        )
    if port != SIM and (state is not None or heap_kib is not None or not native):
        raise UsageError(f"--state, --heap and --no-native belong to --port sim, got --port {port}")
    with contextlib.ExitStack() as stack:
        device = stack.enter_context(_virtual_board(state, heap_kib, native)) if port == SIM else device_of(port)
        yield stack.enter_context(connect(device, soft_reset=soft_reset))


@contextlib.contextmanager
def _virtual_board(state: Path | None, heap_kib: int | None, native: bool) -> Iterator[str]:
    """The pseudo-terminal of a virtual board: the one that runs on `state`, or a new one for as long as this lasts."""
    from ..sim import running_port  # noqa: PLC0415

    running = running_port(state) if state is not None else None
    if running is not None:
        if heap_kib is not None or not native:
            option = "--no-native" if heap_kib is None else "--heap"
            raise UsageError(f"the virtual board on {state} is up already, so {option} comes too late")
        yield running
        return
    with new_virtual_board(state, heap_kib, native) as port:
        yield port


@contextlib.contextmanager
def new_virtual_board(state: Path | None, heap_kib: int | None, native: bool = True) -> Iterator[str]:
    """The pseudo-terminal of a virtual board that is switched on now; its state is forgotten when none is named."""
    # Imported where it is needed: pseudo-terminals are not there on Windows, where serial ports are.
    from ..sim import VirtualBoard  # noqa: PLC0415

    with contextlib.ExitStack() as stack:
        folder = state or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tinyseal-")))
        yield stack.enter_context(VirtualBoard(folder, heap_kib or _DEFAULT_HEAP_KIB, native)).port


def device_of(port: str) -> str:
    """The device path or URL for a port as mpremote names it: `auto`, `a0`, `u1`, `c3`, a path, a URL."""
    if port == "auto":
        devices = list_devices()
        if len(devices) != 1:
            found = f"{len(devices)} found: {', '.join(devices)}" if devices else "none found"
            raise BoardError(
                f"no single board on USB, {found}", hint="name one with --port, or --port sim for a virtual board"
            )
        return devices[0]
    shortcut = _SHORTCUT.fullmatch(port)
    return _PREFIXES[shortcut[1]] + shortcut[2] if shortcut else port
