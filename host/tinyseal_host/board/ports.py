"""What `--port` names: serial ports, URLs, or virtual boards made on the spot."""

from __future__ import annotations

import contextlib
import re
import tempfile
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from ..errors import BoardError, UsageError
from .transport import Link, connect
from .wire import list_devices

SIM = "sim"
ALL = "all"
_DEFAULT_HEAP_KIB = 320

_SHORTCUT = re.compile(r"([aucm])(\d+)")
_PREFIXES = {"a": "/dev/ttyACM", "u": "/dev/ttyUSB", "c": "COM", "m": "/dev/cu.usbmodem"}
_SCHEMES = ("socket", "rfc2217")


@dataclass(frozen=True)
class Place:
    """Where one board is: a port, and for `sim` the folder of its state, its heap limit and its native emitter."""

    port: str
    state: Path | None = None
    heap_kib: int | None = None
    native: bool = True

    @property
    def label(self) -> str:
        """What tells it from the other boards of a command before it has answered."""
        return self.port if self.state is None else f"{self.port} {self.state}"


def places(
    ports: Sequence[str], states: Sequence[Path] = (), heap_kib: int | None = None, native: bool = True
) -> list[Place]:
    """A Place for each of `ports`, with `all` every board on USB; the states belong to the `sim`s in their order.

    UsageError when there is no port, one twice, or another number of states than of `sim`s; BoardError when `all` finds
    none.
    """
    if not ports:
        raise UsageError(
            "no board named", hint="--port sim, --port auto or --port DEVICE, or ESPPORT in the environment"
        )
    virtual = sum(port == SIM for port in ports)
    if not virtual and (states or heap_kib is not None or not native):
        got = " --port ".join(ports)
        raise UsageError(f"--state, --heap and --no-native belong to --port sim, got --port {got}")
    if states and len(states) != virtual:
        raise UsageError(f"--port sim {virtual} times and --state {len(states)} times, wanted one each")
    rest = iter(states)
    found = []
    for port in ports:
        if port == SIM:
            found.append(Place(port, next(rest, None), heap_kib, native))
        else:
            found += [Place(device) for device in (_all_devices() if port == ALL else [port])]
    for place in found:
        if (place.port != SIM or place.state) and found.count(place) > 1:
            raise UsageError(f"{place.label} is named twice")
    return found


def _all_devices() -> Sequence[str]:
    devices = list_devices()
    if not devices:
        raise BoardError("no board on USB", hint="is it plugged in, with a cable that has data lines?")
    return devices


@contextlib.contextmanager
def open_port(
    port: str,
    *,
    state: Path | None = None,
    heap_kib: int | None = None,
    native: bool = True,
    restart: bool = True,
    stop: threading.Event | None = None,
) -> Iterator[Link]:
    """A Link to the board that `port` names; a virtual one is switched off at the end, unless it was already up.

    What runs on it is interrupted. `state`, `heap_kib` and `native` belong to `sim`; the rest is as for `connect`.
    BoardError when no board answers.
    """
    with contextlib.ExitStack() as stack:
        device = stack.enter_context(virtual_board(state, heap_kib, native)) if port == SIM else device_of(port)
        yield stack.enter_context(connect(device, soft_reset=False, restart=restart, stop=stop))


@contextlib.contextmanager
def virtual_board(state: Path | None, heap_kib: int | None, native: bool) -> Iterator[str]:
    """The pseudo-terminal of a virtual board: the one that runs on `state`, or a new one for as long as this lasts."""
    running = running_port(state) if state is not None else None
    if running is not None:
        if heap_kib is not None or not native:
            option = "--no-native" if heap_kib is None else "--heap"
            raise UsageError(f"the virtual board on {state} is up already, so {option} comes too late")
        yield running
        return
    with new_virtual_board(state, heap_kib, native) as port:
        yield port


def running_port(state: Path) -> str | None:
    """The pseudo-terminal of the virtual board that is up on this state; None when none is."""
    from ..sim import running_port as find  # noqa: PLC0415

    return find(state)


@contextlib.contextmanager
def new_virtual_board(
    state: Path | None, heap_kib: int | None, native: bool = True, chip: str | None = None
) -> Iterator[str]:
    """The pseudo-terminal of a virtual board that is switched on now; its state is forgotten when none is named."""
    # Imported where it is needed: pseudo-terminals are not there on Windows, where serial ports are.
    from ..sim import VirtualBoard  # noqa: PLC0415

    with contextlib.ExitStack() as stack:
        folder = state or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tinyseal-")))
        yield stack.enter_context(VirtualBoard(folder, heap_kib or _DEFAULT_HEAP_KIB, native, chip)).port


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
    if "://" in port:
        return _url(port)
    shortcut = _SHORTCUT.fullmatch(port)
    return _PREFIXES[shortcut[1]] + shortcut[2] if shortcut else port


def _url(port: str) -> str:
    wanted = f"wanted {' or '.join(f'{scheme}://HOST:PORT' for scheme in _SCHEMES)}"
    try:
        parts = urlsplit(port)
        complete = parts.scheme in _SCHEMES and parts.hostname and parts.port
    except ValueError:
        complete = False
    if not complete:
        raise UsageError(f"port is {port}, {wanted}")
    if parts.scheme == "rfc2217" and not parts.query:
        # A server without DTR and RTS lines behind it, as in front of a pseudo-terminal, never confirms them.
        return f"{port}?ign_set_control"
    return port
