"""The commands that need no board."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

from .. import keys, sealing
from ..building import build as build_release
from ..errors import TinysealError
from ..example import write_example
from ..files import MODEL_LIMIT, check_output, read_bounded, write_whole
from ..formats import KeySource, Release, SealedHeader, parse_release, parse_sealed
from ..model.summary import describe
from .output import Output


def example(options: argparse.Namespace, output: Output) -> None:
    """`tinyseal example`."""
    paths = write_example(options.folder)
    for path in paths:
        output.say(str(path))
    output.result({"files": [str(path) for path in paths]})


def keygen(options: argparse.Namespace, output: Output) -> None:
    """`tinyseal keygen`."""
    with output.spinner("generating an RSA-3072 key"):
        paths = keys.generate(options.folder)
    master = keys.master_fingerprint(keys.load_master([options.folder]))
    signer = keys.signer_fingerprint(keys.load_signer([options.folder]))
    for path in paths:
        output.say(str(path))
    output.say(f"master {master}, signer {signer}: keep a copy of both keys where this machine cannot lose it")
    output.result({"files": [str(path) for path in paths], "master": master, "signer": signer})


def build(options: argparse.Namespace, output: Output) -> None:
    """`tinyseal build`."""
    target = _target(options.output, options.model, ".tsm")
    release = build_release(
        options.model,
        options.contract,
        version=options.version,
        name=options.name,
        signing_key=keys.load_signing_key(options.keys),
    )
    write_whole(target, release)
    parsed = parse_release(release)
    output.say(f"{target}: {parsed.header.name}, version {options.version}, {len(release):,} bytes")
    output.result({"file": str(target), **_release(parsed)})


def seal(options: argparse.Namespace, output: Output) -> None:
    """`tinyseal seal`."""
    target = _target(options.output, options.release, ".seal")
    device_id = keys.parse_device_id(options.device)
    release = read_bounded(options.release, MODEL_LIMIT)
    sealed = sealing.seal(release, device_id, KeySource[options.key_source.upper()], keys.load_master(options.keys))
    write_whole(target, sealed)
    output.say(f"{target}: for board {device_id.hex()}, {len(sealed):,} bytes")
    output.result({"file": str(target), **_sealed(parse_sealed(sealed))})


def unseal(options: argparse.Namespace, output: Output) -> None:
    """`tinyseal open`."""
    target = _target(options.output, options.sealed, ".tsm")
    release = sealing.unseal(read_bounded(options.sealed, MODEL_LIMIT), keys.load_master(options.keys))
    signer = keys.load_signer(options.keys)
    sealing.verify(release, signer)
    parsed = parse_release(release)
    write_whole(target, release)
    output.say(f"{target}: {parsed.header.name}, version {parsed.header.model_version}, {len(release):,} bytes")
    output.say(f"signed by {keys.signer_fingerprint(signer)}")
    output.result({"file": str(target), **_release(parsed)})


def _target(wanted: Path | None, source: Path, suffix: str) -> Path:
    """Where a command writes, checked before it works: what -o names, else beside its input."""
    target = wanted or source.with_suffix(suffix)
    check_output(target, inputs=[source])
    return target


def inspect(options: argparse.Namespace, output: Output) -> None:
    """`tinyseal inspect`."""
    data = read_bounded(options.file, MODEL_LIMIT)
    if data[:4] == b"SEAL":
        _inspect_sealed(parse_sealed(data), len(data), output)
    elif data[:4] == b"TSM1":
        _inspect_release(parse_release(data), output)
    elif data[4:8] == b"TFL3":
        _inspect_model(data, options.file, output)
    else:
        raise TinysealError(f"{options.file}: not a .tflite, .tsm or .seal file")


def _inspect_sealed(header: SealedHeader, size: int, output: Output) -> None:
    output.table(
        [
            ("sealed file", f"{size:,} bytes"),
            ("for board", header.device_id.hex()),
            ("key source", header.key_source.name.lower()),
            ("model version", header.model_version),
            ("release in it", f"{header.payload_len:,} bytes, encrypted"),
        ]
    )
    output.result({"kind": "seal", "bytes": size, **_sealed(header)})


def _inspect_release(release: Release, output: Output) -> None:
    contract, program = release.contract, release.program
    output.table(
        [
            ("release", f"{release.header.total_len:,} bytes"),
            ("name", release.header.name),
            ("model version", release.header.model_version),
            ("frame", f"{contract.length:,} x {contract.type}, {contract.low:g} to {contract.high:g}"),
            ("zeros", f"at most {contract.max_zeros:,}"),
            ("labels", ", ".join(release.labels) or "none"),
            ("RAM", f"{program.arena_len:,} bytes of activations, {release.header.total_len:,} of release"),
            ("MACs", f"{program.macs:,}"),
        ]
    )
    output.say()
    rows = [(i, s.name, s.output_shape, s.macs, s.table_bytes) for i, s in enumerate(program.steps)]
    output.columns(("step", "operator", "output", "MACs", "table bytes"), [tuple(row) for row in rows])
    output.say()
    output.columns(("part", "bytes"), [(name, size) for name, size in release.sizes.items()])
    output.result({"kind": "tsm", **_release(release)})


def _inspect_model(data: bytes, path: Path, output: Output) -> None:
    summary = describe(data, path)
    arena = summary.arena_bytes
    output.table(
        [
            ("model", f"{len(data):,} bytes"),
            *[("input", edge.text) for edge in summary.inputs],
            *[("output", edge.text) for edge in summary.outputs],
            ("MACs", f"{summary.macs:,}"),
            ("weights", f"{summary.weight_bytes:,} bytes"),
            ("RAM", f"{arena:,} bytes of activations" if arena is not None else "cannot be compiled, see below"),
        ]
    )
    output.say()
    rows = [(row.number, row.operator, row.output_shape, row.macs, row.weight_bytes) for row in summary.layers]
    output.columns(("layer", "operator", "output", "MACs", "weight bytes"), [tuple(row) for row in rows])
    for problem in summary.problems:
        output.say(f"problem: {problem}")
    output.result({"kind": "tflite", "bytes": len(data), **asdict(summary), "macs": summary.macs})


def _sealed(header: SealedHeader) -> dict[str, object]:
    return {
        "device_id": header.device_id.hex(),
        "key_source": header.key_source.name.lower(),
        "version": header.model_version,
        "payload_len": header.payload_len,
    }


def _release(release: Release) -> dict[str, object]:
    contract, program = release.contract, release.program
    return {
        "name": release.header.name,
        "version": release.header.model_version,
        "bytes": release.header.total_len,
        "contract": {
            "type": contract.type,
            "length": contract.length,
            "range": [contract.low, contract.high],
            "max_zeros": contract.max_zeros,
        },
        "labels": list(release.labels),
        "arena": program.arena_len,
        "macs": program.macs,
        "steps": [
            {"operator": s.name, "output": s.output_shape, "macs": s.macs, "table_bytes": s.table_bytes}
            for s in program.steps
        ],
        "sizes": release.sizes,
    }
