"""The commands that encrypt a release for boards, and decrypt it again."""

from __future__ import annotations

import argparse
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from .. import api, keys, sealing
from ..board import registry
from ..errors import TinysealError, UsageError, about, quoted
from ..files import MODEL_LIMIT, read_bounded, reason, write_whole
from ..formats import KeySource, parse_release, parse_sealed
from . import passphrase
from .files import output_path, release_fields, sealed_fields
from .output import Output
from .terminal import printable

# Every file is synced to the disk, and a disk syncs several in about the time of one.
_WRITERS = 8


def seal(options: argparse.Namespace, output: Output) -> None:
    """`tinyseal seal`, for one board into a file, for many into a folder."""
    device_ids = _device_ids(options)
    many = options.devices is not None or len(device_ids) > 1
    if many and options.output is None:
        raise UsageError("more than one board, and no folder for their files", hint="name it with -o")
    target = options.output if many else output_path(options.output, options.release, ".seal")
    release = read_bounded(options.release, MODEL_LIMIT)
    own = api.Keys(*options.keys)
    _ = own.master, own.known_signer  # what is wrong with a key file is not said of the release
    sources = _key_sources(options, device_ids)
    with about(options.release):
        made = {source: api.sealer(release, keys=own, key_source=source) for source in set(sources.values())}
    sealers = {device_id: made[source] for device_id, source in sources.items()}
    fingerprint = None if own.known_signer is None else keys.signer_fingerprint(own.known_signer)
    if many:
        _seal_for_many(sealers, target, fingerprint, output)
    else:
        _seal_for_one(sealers[device_ids[0]], device_ids[0], target, fingerprint, output)
    if fingerprint is not None:
        output.say(f"signed by {fingerprint}")
    else:
        output.note("the release's signature was not checked: no signing.pub in the key folders")


def _device_ids(options: argparse.Namespace) -> list[bytes]:
    device_ids = [keys.parse_device_id(text) for text in options.device]
    if options.devices is not None:
        device_ids += keys.read_device_list(options.devices)
    if not device_ids:
        raise UsageError("no board is named", hint="--device ID, or --devices FILE")
    seen: set[bytes] = set()
    for device_id in device_ids:
        if device_id in seen:
            raise UsageError(f"device id {device_id.hex()} is named twice")
        seen.add(device_id)
    return device_ids


def _key_sources(options: argparse.Namespace, device_ids: list[bytes]) -> dict[bytes, KeySource]:
    """What is asked for, else what the registry knows of a board: its source, or that a key was burned; else NVS."""
    if options.key_source:
        return dict.fromkeys(device_ids, KeySource[options.key_source.upper()])
    known = registry.read(registry.folder_of(options.keys))
    names = {}
    for device_id in device_ids:
        table = known.get(device_id.hex(), {})
        names[device_id] = name = str(table.get("key_source", "efuse" if "efuse_key" in table else "nvs"))
        if name.upper() not in KeySource.__members__:
            raise TinysealError(
                f"{registry.FILE}: key_source of {device_id.hex()} is {quoted(name)}, wanted nvs, efuse or file"
            )
    return {device_id: KeySource[name.upper()] for device_id, name in names.items()}


def _seal_for_one(sealer: sealing.Sealer, device_id: bytes, target: Path, signer: str | None, output: Output) -> None:
    sealed = sealer.seal(device_id)
    write_whole(target, sealed)
    output.say(f"{target}: for board {device_id.hex()}, {len(sealed):,} bytes")
    output.result({"file": str(target), **sealed_fields(parse_sealed(sealed)), "signer": signer})


def _seal_for_many(sealers: dict[bytes, sealing.Sealer], folder: Path, signer: str | None, output: Output) -> None:
    """Write `ID.seal` into `folder` for each board; a file that is there and right is left alone.

    So a run that was interrupted is taken up again by the same command, and no file that went out already is replaced
    by another of the same content.
    """
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise TinysealError(f"{folder}: {reason(error)}") from error
    paths = {device_id: folder / f"{device_id.hex()}.seal" for device_id in sealers}
    written: set[bytes] = set()

    def write(device_id: bytes) -> None:
        path, sealer = paths[device_id], sealers[device_id]
        if not (path.exists() and sealer.has_sealed(read_bounded(path, MODEL_LIMIT), device_id)):
            write_whole(path, sealer.seal(device_id))
            written.add(device_id)

    with output.progress("sealing", unit="files") as step, ThreadPoolExecutor(_WRITERS) as pool:
        tasks = [pool.submit(write, device_id) for device_id in sealers]
        try:
            for done, task in enumerate(as_completed(tasks), 1):
                task.result()
                step(done, len(tasks))
        except BaseException:
            pool.shutdown(cancel_futures=True)  # else leaving the pool would wait for all of them
            raise
    header = next(iter(sealers.values())).release.header
    kept = len(sealers) - len(written)
    sources = {sealer.key_source.name.lower() for sealer in sealers.values()}
    output.say(
        f"{folder}: {printable(header.name)}, version {header.model_version}, for {len(sealers):,} boards: "
        f"{len(written):,} files written, {kept:,} there already"
    )
    output.result(
        {
            "folder": str(folder),
            "version": header.model_version,
            "key_source": sources.pop() if len(sources) == 1 else None,
            "signer": signer,
            "files": [
                {
                    "file": str(path),
                    "device_id": device_id.hex(),
                    "key_source": sealers[device_id].key_source.name.lower(),
                    "written": device_id in written,
                }
                for device_id, path in paths.items()
            ],
        }
    )


def unseal(options: argparse.Namespace, output: Output) -> None:
    """`tinyseal open`."""
    target = output_path(options.output, options.sealed, ".tsm")
    sealed, master = read_bounded(options.sealed, MODEL_LIMIT), keys.load_master(options.keys)
    signer = keys.load_signer(options.keys, passphrase.ask)
    with about(options.sealed):
        release = sealing.unseal(sealed, master)
        sealing.verify(release, signer)
        parsed = parse_release(release)
    write_whole(target, release)
    name, version = printable(parsed.header.name), parsed.header.model_version
    output.say(f"{target}: {name}, version {version}, {len(release):,} bytes")
    output.say(f"signed by {keys.signer_fingerprint(signer)}")
    output.result({"file": str(target), **release_fields(parsed)})
