"""Compiles a checked network into the body of a release: steps, tables, arena, self-test (FORMAT.md section 3)."""

from __future__ import annotations

import struct
from pathlib import Path

from ..contract import Contract
from ..errors import TinysealError
from ..formats import build_release
from ..program import PROGRAM_FIELDS
from .network import Unsupported, read_network
from .plan import plan_network
from .raw_tables import raw_quantise_tables
from .selftest import make_self_test
from .tables import quantise_table
from .tflite_reader import Tensor, read_model

_MAX_ARENA = 16 << 20  # the PSRAM of the largest ESP32-S3 module
_MAX_MACS = 1 << 31  # more than a minute on a board, at some six instructions for each
_SHOWN_PROBLEMS = 100


def compile_model(data: bytes, path: Path, contract: Contract, *, name: str, version: int) -> bytes:
    """The body of a release, all but the signature, from the bytes of the `.tflite` at `path`.

    TinysealError in one line for a damaged file, for everything in it that cannot be done, or for a contract that does
    not fit it.
    """
    network = read_network(read_model(data, path))
    if isinstance(network, Unsupported):
        raise _unsupported(path, network.problems)
    entry, result = network.input, network.output
    _check_contract(path, contract, entry, result)
    plan = plan_network(network)
    if plan.arena_len > _MAX_ARENA or plan.macs > _MAX_MACS:
        sizes = f"{plan.arena_len} bytes of arena and {plan.macs} MACs"
        raise TinysealError(f"{path}: needs {sizes}, wanted at most {_MAX_ARENA} and {_MAX_MACS}")
    frame, output = make_self_test(data, path, contract, network)
    scale, zero_point = float(entry.scales[0]), int(entry.zero_points[0])
    if contract.type == "float32":
        quantise = quantise_table(scale, zero_point)
    else:
        quantise = raw_quantise_tables(contract, scale, zero_point)
    places: dict[bytes, int] = {}
    tables = bytearray()
    for table in [quantise, *(table for step in plan.steps for table in step.tables.values())]:
        if table not in places:
            places[table] = len(tables)
            tables += table

    def program_for(tables_at: int) -> bytes:
        header = {
            "arena_len": plan.arena_len,
            "input_at": plan.input_at,
            "input_len": entry.size,
            "output_at": plan.output_at,
            "output_len": result.size,
            "quantise_at": tables_at + places[quantise],
            "step_count": len(plan.steps),
        }
        words = [header[field_name] for field_name, _ in PROGRAM_FIELDS]
        for step in plan.steps:
            words += step.words(plan.offsets, places, tables_at)
        return struct.pack(f"<{len(words)}I", *words)

    return build_release(
        name=name,
        version=version,
        contract=contract,
        labels=contract.labels,
        program_for=program_for,
        tables=bytes(tables),
        selftest_frame=frame.tobytes(),
        selftest_output=output.tobytes(),
    )


def _unsupported(path: Path, problems: tuple[str, ...]) -> TinysealError:
    shown = list(problems[:_SHOWN_PROBLEMS])
    if len(problems) > len(shown):
        shown.append(f"and {len(problems) - len(shown)} more")
    text = "; ".join(shown)
    hint = "tinyseal inspect --operators" if "supported" in text else None
    return TinysealError(f"{path}: {text}", hint=hint)


def _check_contract(path: Path, contract: Contract, entry: Tensor, result: Tensor) -> None:
    if contract.length != entry.size:
        raise TinysealError(
            f"{path}: model input has {entry.size} values, the contract's length is {contract.length}",
            hint=f"length = {entry.size} in the contract",
        )
    if len(contract.labels) not in (0, result.size):
        raise TinysealError(
            f"{path}: model output has {result.size} values, the contract has {len(contract.labels)} labels",
            hint=f"name all {result.size} outputs, or none",
        )
