"""The commands that talk to a board."""

from __future__ import annotations

import argparse
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .. import sealing
from ..board import inference, provisioning, updates
from ..board.ports import new_virtual_board, open_port
from ..board.transport import Link
from ..building import build
from ..errors import about
from ..files import MODEL_LIMIT, check_output, read_bounded, write_whole
from ..formats import KeySource, parse_release, parse_sealed
from ..keys import load_master, load_signer, load_signing_key
from . import passphrase
from .output import Output

_FORGOTTEN = "this virtual board is forgotten at the end; --state DIR keeps one"


@contextmanager
def _board(options: argparse.Namespace, output: Output, *, soft_reset: bool = True) -> Iterator[Link]:
    if options.port == "sim" and options.state is None:
        output.note(_FORGOTTEN)
    with open_port(
        options.port, state=options.state, heap_kib=options.heap, native=options.native, soft_reset=soft_reset
    ) as link:
        yield link


def provision(options: argparse.Namespace, output: Output) -> None:
    """`tinyseal provision`."""
    master, signer = load_master(options.keys), load_signer(options.keys, passphrase.ask)
    with _board(options, output) as link:
        info = provisioning.describe(link)
        with output.progress("firmware") as step:
            done = provisioning.send_firmware(link, info, step)
        source = provisioning.write_keys(
            link, info, master=master, signer=signer, source=_wanted_source(options), replace=options.replace
        )
    _say_board(info, output)
    _say_source(source, output)
    output.say(f"firmware: {done.sent} files sent, {done.kept} there already, {done.removed} removed")
    output.say("device key and signer: written")
    output.result({**_about(info), "sent": done.sent, "kept": done.kept, "removed": done.removed})


def push(options: argparse.Namespace, output: Output) -> None:
    """`tinyseal push`."""
    sealed = read_bounded(options.sealed, MODEL_LIMIT)
    with about(options.sealed):
        header = parse_sealed(sealed)
    with _board(options, output) as link:
        provisioning.require_package(link)
        updates.check_room(link, header.payload_len)
        with output.progress(options.sealed.name) as step:
            done = updates.push(link, sealed, step)
    _say_pushed(done, output)
    output.result(_pushed(done))


def deploy(options: argparse.Namespace, output: Output) -> None:
    """`tinyseal deploy`."""
    master, signer = load_master(options.keys), load_signer(options.keys, passphrase.ask)
    release = build(
        options.model,
        options.contract,
        version=options.version,
        name=options.name,
        signing_key=load_signing_key(options.keys, passphrase.ask),
    )
    with _board(options, output) as link:
        info = provisioning.describe(link)
        with output.progress("firmware") as step:
            provisioning.send_firmware(link, info, step)
        updates.check_room(link, len(release), parse_release(release).program)
        board = link.call("status")
        if board["key_source"]:
            provisioning.check_keys(board, info, master=master, signer=signer)
            source = KeySource(board["key_source"])
        else:
            source = provisioning.write_keys(link, info, master=master, signer=signer, source=_wanted_source(options))
        sealed = sealing.seal(release, info.device_id, source, master)
        # What the board would refuse for its version is not sent.
        sealing.check(
            sealed,
            device_id=info.device_id,
            floor=board["floor"],
            key_source=source,
            master=master,
            signer=signer,
        )
        with output.progress(options.model.name) as step:
            done = updates.push(link, sealed, step)
    _say_board(info, output)
    _say_source(source, output)
    _say_pushed(done, output)
    output.result({**_about(info), **_pushed(done)})


def infer(options: argparse.Namespace, output: Output) -> None:
    """`tinyseal infer`."""
    if options.output is not None:
        check_output(options.output, inputs=[options.frames])
    frames = inference.read_frames(options.frames)
    with _board(options, output) as link, output.progress("frames", unit="frames") as step:
        provisioning.require_package(link)
        run = inference.infer(link, frames, step)
    lines = "".join(inference.csv_lines(run))
    if options.output is not None:
        write_whole(options.output, lines.encode())
        _say_run(run, options.output, output)
    else:
        output.say(lines.rstrip("\n"))
    rows = [
        {
            "frame": number,
            "status": int(row.status),
            "reason": row.status.name.lower(),
            "top": row.top if row.scores else None,
            "label": row.label or None,
            "scores": list(row.scores),
            "microseconds": row.took_us,
        }
        for number, row in enumerate(run.results)
    ]
    output.result({"name": run.name, "version": run.version, "counts": run.counts, "frames": rows})


def _wanted_source(options: argparse.Namespace) -> KeySource | None:
    return KeySource[options.key_source.upper()] if options.key_source else None


def _say_run(run: inference.Run, path: Path, output: Output) -> None:
    reasons = Counter(row.status.name.lower() for row in run.results)
    classes = Counter(row.label or f"output {row.top}" for row in run.results if row.scores)
    output.say(f"{run.name}, version {run.version}: {len(run.results)} frames, {reasons.pop('ok', 0)} accepted")
    for name, count in classes.most_common():
        output.say(f"  {count:4}  {name}")
    for name, count in reasons.most_common():
        output.say(f"  {count:4}  refused: {name}")
    output.say(f"saved to {path}")


def status(options: argparse.Namespace, output: Output) -> None:
    """`tinyseal status`: the board's program is interrupted and started anew, its counters are read before."""
    with _board(options, output, soft_reset=False) as link:
        info = provisioning.describe(link)
        found = provisioning.status(link)
    _say_board(info, output)
    if found is None:
        output.say("tinyseal is not on it; tinyseal provision puts it there")
        output.result({**_about(info), "package": None})
        return
    source = KeySource(found["key_source"]) if found["key_source"] else None
    output.table(
        [
            ("package", found["package"]),
            ("kernels", "native" if info.native else "plain Python: no native emitter on this board; slow"),
            ("key source", "none: not provisioned" if source is None else source.name.lower()),
            ("signer", str(found["signer"])[:16] if found["signer"] else "none"),
            ("version floor", found["floor"]),
            *[(f"slot {letter}", _slot(found, number)) for number, letter in ((1, "a"), (2, "b"))],
            ("counters", _counters(found["counts"])),
            ("heap free", f"{found['heap_free']:,} bytes"),
        ]
    )
    if source is not None:
        _say_source(source, output)
    output.result({**_about(info), **found, "key_source": source.name.lower() if source else None})


def _slot(found: dict[str, Any], number: int) -> str:
    slot = found["slots"][number - 1]
    if slot is None:
        return "empty"
    what = f"version {slot['version']}" if "version" in slot else f"not readable: {slot['refused']}"
    return f"{what}, {slot['bytes']:,} bytes" + (", active" if found["active"] == number else "")


def _counters(counts: dict[str, int] | None) -> str:
    if counts is None:
        return "no model was opened since the board started"
    return ", ".join(f"{name.lower()} {count}" for name, count in counts.items())


def sim(options: argparse.Namespace, output: Output) -> None:
    """`tinyseal sim`."""
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    if options.state is None:
        output.note(_FORGOTTEN)
    with new_virtual_board(options.state, options.heap, options.native) as port:
        output.say(port)
        output.result({"port": port})
        output.note("the virtual board is up, Ctrl-C ends it")
        ended.wait()


def _say_board(info: provisioning.BoardInfo, output: Output) -> None:
    output.say(f"board {info.device_id.hex()}: {info.name}, MicroPython {info.version}, {info.architecture}")


def _say_source(source: KeySource, output: Output) -> None:
    if source is KeySource.FILE:
        output.note("the key lies in a file on the board: for development only")


def _say_pushed(done: updates.Pushed, output: Output) -> None:
    output.say(f"{done.name}, version {done.version}: opened and self-tested on the board, active in slot {done.slot}")


def _about(info: provisioning.BoardInfo) -> dict[str, object]:
    return {
        "device_id": info.device_id.hex(),
        "board": info.name,
        "micropython": info.version,
        "architecture": info.architecture,
        "kernels": "native" if info.native else "plain",
    }


def _pushed(done: updates.Pushed) -> dict[str, object]:
    return {"name": done.name, "version": done.version, "labels": list(done.labels), "slot": done.slot}
