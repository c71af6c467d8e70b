"""The commands that make a release and show what a file holds."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

import numpy as np

from .. import api
from ..contract import Contract
from ..errors import TinysealError, UsageError
from ..example import write_example
from ..files import MODEL_LIMIT, check_output, read_bounded, write_whole
from ..formats import Release, SealedHeader, parse_release, parse_sealed
from ..model.instructions import ARCHITECTURES
from ..model.operators import SUPPORTED
from ..model.summary import LayerSummary, ModelSummary, describe
from . import passphrase
from .output import Output
from .terminal import printable

_ISA = {"rv32imc": "RV32", "xtensawin": "Xtensa"}


def example(options: argparse.Namespace, output: Output) -> None:
    """`tinyseal example`."""
    paths = write_example(options.folder)
    for path in paths:
        output.say(str(path))
    output.result({"files": [str(path) for path in paths]})


def build(options: argparse.Namespace, output: Output) -> None:
    """`tinyseal build`."""
    target = output_path(options.output, options.model, ".tsm")
    keys = api.Keys(*options.keys, ask=passphrase.ask)
    release = api.build(options.model, options.contract, version=options.version, keys=keys, name=options.name)
    write_whole(target, release)
    parsed = parse_release(release)
    output.say(f"{target}: {printable(parsed.header.name)}, version {options.version}, {len(release):,} bytes")
    output.result({"file": str(target), **release_fields(parsed)})


def output_path(wanted: Path | None, source: Path, suffix: str) -> Path:
    """Where a command writes, checked before it works: what -o names, else beside its input."""
    target = wanted or source.with_suffix(suffix)
    check_output(target, inputs=[source])
    return target


def inspect(options: argparse.Namespace, output: Output) -> None:
    """`tinyseal inspect`."""
    if options.operators == (options.file is not None):
        raise UsageError("wanted a FILE or --operators", hint="tinyseal inspect --help")
    if options.operators:
        output.columns(("operator", "accepted"), list(SUPPORTED.items()))
        output.result({"operators": SUPPORTED})
        return
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
    output.result({"kind": "seal", "bytes": size, **sealed_fields(header)})


def _inspect_release(release: Release, output: Output) -> None:
    contract, program = release.contract, release.program
    output.table(
        [
            ("release", f"{release.header.total_len:,} bytes"),
            ("name", printable(release.header.name)),
            ("model version", release.header.model_version),
            ("frame", _frame(contract)),
            ("zeros", f"at most {contract.max_zeros:,}"),
            ("more checks", ", ".join(contract.check_names) or "none"),
            ("sensor failure", f"after {contract.failure_after:,} frames" if contract.failure_after else "never"),
            ("labels", ", ".join(map(printable, release.labels)) or "none"),
            ("RAM", f"{program.arena_len:,} bytes of activations, {release.header.total_len:,} of release"),
            ("MACs", f"{program.macs:,}"),
        ]
    )
    output.say()
    rows = [(i, s.name, s.output_shape, s.macs, s.table_bytes) for i, s in enumerate(program.steps)]
    output.columns(("step", "operator", "output", "MACs", "table bytes"), [tuple(row) for row in rows])
    output.say()
    output.columns(("part", "bytes"), [(name, size) for name, size in release.sizes.items()])
    output.result({"kind": "tsm", **release_fields(release)})


def _frame(contract: Contract) -> str:
    """Type, length and ranges, in physical units; one range where all channels have the same."""
    ranges = list(dict.fromkeys(f"{low:g} to {high:g}" for low, high in _ranges(contract)))
    channels = f" in {len(contract.channels)} channels" if len(contract.channels) > 1 else ""
    return f"{contract.length:,} x {contract.type}{channels}, {', '.join(ranges)}"


def _ranges(contract: Contract) -> list[tuple[float, float]]:
    """(low, high) of each channel in physical units."""
    found = []
    for channel in contract.channels:
        ends = channel.physical(np.array([channel.low, channel.high], contract.dtype))
        found.append((float(ends[0]), float(ends[1])))
    return found


def _inspect_model(data: bytes, path: Path, output: Output) -> None:
    summary = describe(data, path)
    output.table(
        [
            ("model", f"{len(data):,} bytes"),
            *[("input", edge.text) for edge in summary.inputs],
            *[("output", edge.text) for edge in summary.outputs],
            ("MACs", f"{summary.macs:,}"),
            ("weights", f"{summary.weight_bytes:,} bytes"),
            *_arena_rows(summary),
        ]
    )
    output.say()
    head: tuple[str, ...] = ("layer", "operator", "output", "MACs", "weight bytes")
    if summary.arena is not None:
        head += ("table bytes", "live bytes", "of it scratch", *(f"{_ISA[name]} instr." for name in ARCHITECTURES))
    output.columns(head, [_layer_row(layer)[: len(head)] for layer in summary.layers])
    for note in summary.notes:
        output.say(f"note: {printable(note)}")
    for problem in summary.problems:
        output.say(f"problem: {printable(problem)}")
    output.result({"kind": "tflite", "bytes": len(data), **asdict(summary), "macs": summary.macs})


def _arena_rows(summary: ModelSummary) -> list[tuple[str, object]]:
    arena = summary.arena
    if arena is None:
        return [("arena", "cannot be compiled, see below")]
    return [
        ("arena", f"{arena.bytes:,} bytes of RAM for activations and scratch"),
        ("lower bound", f"{arena.lower_bound:,} bytes of tensors alive at once, {arena.most_live:,} with scratch"),
        (
            "instructions",
            ", ".join(f"{count:,} on {_ISA[name]}" for name, count in summary.instructions.items()) + ", predicted",
        ),
    ]


def _layer_row(layer: LayerSummary) -> tuple[object, ...]:
    cost = layer.cost
    used: tuple[int | None, ...] = (None,) * (3 + len(ARCHITECTURES))
    if cost is not None:
        used = (cost.table_bytes, cost.live_bytes, cost.scratch_bytes, *cost.instructions.values())
    return (layer.number, layer.operator, layer.output_shape, layer.macs, layer.weight_bytes, *used)


def sealed_fields(header: SealedHeader) -> dict[str, object]:
    """A sealed header as JSON has it."""
    return {
        "device_id": header.device_id.hex(),
        "key_source": header.key_source.name.lower(),
        "version": header.model_version,
        "payload_len": header.payload_len,
    }


def release_fields(release: Release) -> dict[str, object]:
    """A release as JSON has it."""
    contract, program = release.contract, release.program
    return {
        "name": release.header.name,
        "version": release.header.model_version,
        "bytes": release.header.total_len,
        "contract": {
            "type": contract.type,
            "length": contract.length,
            "max_zeros": contract.max_zeros,
            "checks": contract.check_names,
            "failure_after": contract.failure_after,
            "channels": [
                asdict(channel) | {"range": list(ends)}
                for channel, ends in zip(contract.channels, _ranges(contract), strict=True)
            ],
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
