"""Plans a network for the board: which steps it takes, and where in the arena their buffers lie."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ..program import OPERATORS
from .arena import Buffer, live_bytes, place, widest_gap
from .drafts import Draft
from .layers import Alias
from .network import Network
from .steps import drafts_of, macs_of, works_in_place

_GROWTH = 17 / 16  # of the arena, at most, for pixels that share a turn
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
    """The steps, every buffer with its arena offset, the arena's length in bytes, and where frame and output lie.

    `layers`: by the number of a layer in the file, which steps it takes; an alias is not in it.
    """

    steps: tuple[PlannedStep, ...]
    layers: Mapping[int, range]
    buffers: list[Buffer] = field(repr=False)
    offsets: list[int] = field(repr=False)
    arena_len: int
    input_at: int
    output_at: int
    macs: int

    @property
    def lower_bound(self) -> int:
        """Bytes that no arena can do without: the tensors alive in one step, at their most; scratch is not counted."""
        return max(live_bytes([buffer for buffer in self.buffers if not buffer.scratch]))


def plan_network(network: Network) -> Plan:
    """The Plan of a network; aliases share their input's buffer and make no step.

    An output that takes the place of a larger input keeps all of it alive, which may help or hurt: both are tried.
    That two pixels share a turn everywhere, and not only where there is room, may make the arena a little larger.
    """
    smallest, quicker = (
        min((_plan(network, shrinking, least) for shrinking in (False, True)), key=lambda plan: plan.arena_len)
        for least in (1, 2)
    )
    return quicker if quicker.arena_len <= smallest.arena_len * _GROWTH else smallest


def _plan(network: Network, shrinking: bool, least_strip: int) -> Plan:
    buffers = [Buffer(network.input.size, 0, 0)]
    buffer_of = {network.input.index: 0}
    roots = _roots(network)
    last_uses = _last_uses(network, roots)
    steps: list[PlannedStep] = []
    overreads: list[tuple[int, int]] = []
    strips: dict[int, Draft] = {}
    layers: dict[int, range] = {}
    macs = 0

    def new_buffer(buffer: Buffer) -> int:
        buffers.append(buffer)
        return len(buffers) - 1

    def keep_until(last: int, buffer: int) -> None:
        buffers[buffer] = replace(buffers[buffer], last=last)

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
            if last_uses[roots[tensor.index]] == number
            and (
                tensor.size == layer.output.size
                or (len(sources) == 1 and (shrinking or tensor.size < layer.output.size))
            )
        ]
        if free and works_in_place(layer.computation):
            target = free[0]
            buffers[target] = replace(buffers[target], size=max(buffers[target].size, layer.output.size))
        else:
            target = new_buffer(Buffer(layer.output.size, first, last))
        for buffer in [*sources, target]:
            keep_until(last, buffer)
        for now, draft in enumerate(drafts, first):
            arena = {operand: sources[source] for operand, source in draft.inputs.items()} | {"out_at": target}
            if draft.scratch_len:
                scratch_len = draft.scratch_len
                if draft.strip_max > 1:
                    strips[now] = draft
                    scratch_len += (least_strip - 1) * draft.pixel_len
                arena["scratch_at"] = new_buffer(Buffer(scratch_len, now, now, scratch=True))
            if draft.overread:
                overreads.append((sources[0], draft.overread))
            steps.append(PlannedStep(draft.name, draft.values, arena, draft.tables))
        buffer_of[layer.output.index] = target
        layers[layer.number] = range(first, last + 1)
        macs += macs_of(layer.computation)
    output = buffer_of[network.output.index]
    keep_until(len(steps), output)
    offsets, arena_len = place(buffers)
    _widen(strips, steps, buffers, offsets, arena_len)
    ends = [offsets[buffer] + buffers[buffer].size + overread for buffer, overread in overreads]
    arena_len = max(arena_len, *ends) if ends else arena_len
    return Plan(tuple(steps), layers, buffers, offsets, arena_len, offsets[0], offsets[output], macs)


def _widen(
    strips: Mapping[int, Draft], steps: list[PlannedStep], buffers: list[Buffer], offsets: list[int], arena_len: int
) -> None:
    """Let as many pixels share a turn as the arena has room for anyway: two at a time, as a PC takes them."""
    for number, draft in strips.items():
        scratch = steps[number].arena["scratch_at"]
        others = [
            (at, at + buffer.span)
            for at, buffer in zip(offsets, buffers, strict=True)
            if buffer is not buffers[scratch] and buffer.first <= number <= buffer.last
        ]
        offsets[scratch], room = widest_gap(others, arena_len)
        strip = min(draft.strip_max, 1 + (room - draft.scratch_len) // draft.pixel_len)
        strip = max(1, strip & -2)
        steps[number] = replace(steps[number], values={**steps[number].values, "strip": strip})
        buffers[scratch] = replace(buffers[scratch], size=draft.scratch_len + (strip - 1) * draft.pixel_len)


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
