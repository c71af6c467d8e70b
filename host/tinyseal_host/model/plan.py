"""Plans a network for the board: which steps it takes, and where in the arena their buffers lie."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..program import OPERATORS
from .arena import Buffer, place
from .layers import Alias
from .network import Network
from .steps import drafts_of, macs_of, works_in_place

_NUMBERS = {name: number for number, (name, _) in OPERATORS.items()}


@dataclass(frozen=True)
class PlannedStep:
    """A step before its places are known: operands with a value, buffer numbers by operand, a table by operand.

    A value of an operand that has a buffer is an offset in it.
    """

    name: str
    values: Mapping[str, int]
    arena: Mapping[str, int]
    tables: Mapping[str, bytes] = field(repr=False)

    def words(self, offsets: list[int], table_places: Mapping[bytes, int], tables_at: int) -> list[int]:
        """The step's words in FORMAT.md's order, from the buffers' arena offsets and the tables' places."""
        values = dict(self.values)
        values |= {name: offsets[buffer] + values.get(name, 0) for name, buffer in self.arena.items()}
        values |= {name: tables_at + table_places[table] for name, table in self.tables.items()}
        number = _NUMBERS[self.name]
        return [number, *(values[name] for name in OPERATORS[number][1])]


@dataclass(frozen=True)
class Plan:
    """The steps, an arena offset for each buffer, the arena's length in bytes, and where the frame and output lie."""

    steps: tuple[PlannedStep, ...]
    offsets: list[int]
    arena_len: int
    input_at: int
    output_at: int
    macs: int


def plan_network(network: Network) -> Plan:
    """The Plan of a network; aliases share their input's buffer and make no step."""
    sizes = [network.input.size]
    lives = [(0, 0)]  # first and last step in which a buffer holds something
    buffer_of = {network.input.index: 0}
    roots = _roots(network)
    last_uses = _last_uses(network, roots)
    steps: list[PlannedStep] = []
    overreads: list[tuple[int, int]] = []
    macs = 0

    def new_buffer(size: int, first: int, last: int) -> int:
        sizes.append(size)
        lives.append((first, last))
        return len(sizes) - 1

    for number, layer in enumerate(network.layers):
        sources = [buffer_of[tensor.index] for tensor in layer.inputs]
        if isinstance(layer.computation, Alias):
            buffer_of[layer.output.index] = sources[0]
            continue
        drafts = drafts_of(layer.computation)
        first, last = len(steps), len(steps) + len(drafts) - 1
        free = [
            buffer
            for buffer, tensor in zip(sources, layer.inputs, strict=True)
            if last_uses[roots[tensor.index]] == number and tensor.size == layer.output.size
        ]
        target = free[0] if free and works_in_place(layer.computation) else new_buffer(layer.output.size, first, last)
        for buffer in [*sources, target]:
            lives[buffer] = (lives[buffer][0], last)
        for now, draft in enumerate(drafts, first):
            arena = {operand: sources[source] for operand, source in draft.inputs.items()} | {"out_at": target}
            if draft.scratch_len:
                arena["scratch_at"] = new_buffer(draft.scratch_len, now, now)
            if draft.overread:
                overreads.append((sources[0], draft.overread))
            steps.append(PlannedStep(draft.name, draft.values, arena, draft.tables))
        buffer_of[layer.output.index] = target
        macs += macs_of(layer.computation)
    output = buffer_of[network.output.index]
    lives[output] = (lives[output][0], len(steps))
    offsets, arena_len = place([Buffer(size, *life) for size, life in zip(sizes, lives, strict=True)])
    ends = [offsets[buffer] + sizes[buffer] + overread for buffer, overread in overreads]
    arena_len = max(arena_len, *ends) if ends else arena_len
    return Plan(tuple(steps), offsets, arena_len, offsets[0], offsets[output], macs)


def _roots(network: Network) -> dict[int, int]:
    """For each tensor the tensor whose bytes it shares, through aliases; most are their own."""
    roots = {network.input.index: network.input.index}
    for layer in network.layers:
        alias = isinstance(layer.computation, Alias)
        roots[layer.output.index] = roots[layer.inputs[0].index] if alias else layer.output.index
    return roots


def _last_uses(network: Network, roots: Mapping[int, int]) -> dict[int, int]:
    """For each root the number of the layer that reads it last; the output's is beyond all layers."""
    last_uses: dict[int, int] = {}
    for number, layer in enumerate(network.layers):
        if not isinstance(layer.computation, Alias):
            last_uses |= {roots[tensor.index]: number for tensor in layer.inputs}
    return last_uses | {roots[network.output.index]: len(network.layers)}
