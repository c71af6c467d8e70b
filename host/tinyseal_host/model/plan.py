"""Plans a network for the board: which steps it takes, and where in the arena their buffers lie."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..program import OPERATORS
from .arena import Buffer, place
from .convolution import Window
from .layers import Alias, Computation, Convolution, Filter, FullyConnected, Mean, Softmax
from .network import Network
from .quantisation import Requantisation
from .tables import BIAS, exponential_table, multiplier_words, rows_table

_SOFTMAX_SCRATCH_LEN = 8
_NUMBERS = {name: number for number, (name, _) in OPERATORS.items()}


@dataclass(frozen=True)
class PlannedStep:
    """A step before its places are known: operands with a value, buffer numbers by operand, a table by operand."""

    name: str
    values: Mapping[str, int]
    arena: Mapping[str, int]
    tables: Mapping[str, bytes] = field(repr=False)

    def words(self, offsets: list[int], table_places: Mapping[bytes, int], tables_at: int) -> list[int]:
        """The step's words in FORMAT.md's order, from the buffers' arena offsets and the tables' places."""
        values = dict(self.values) | {name: offsets[buffer] for name, buffer in self.arena.items()}
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
    steps: list[PlannedStep] = []
    macs = 0
    for layer in network.layers:
        source = buffer_of[layer.input.index]
        if isinstance(layer.computation, Alias):
            buffer_of[layer.output.index] = source
            continue
        now = len(steps)
        lives[source] = (lives[source][0], now)
        name, values, tables, scratch_len = _step(layer.computation)
        arena = {"in_at": source}
        for operand, size in (("out_at", layer.output.size), ("scratch_at", scratch_len)):
            if size:
                arena[operand] = len(sizes)
                sizes.append(size)
                lives.append((now, now))
        buffer_of[layer.output.index] = arena["out_at"]
        steps.append(PlannedStep(name, values, arena, tables))
        macs += _macs(layer.computation)
    output = buffer_of[network.output.index]
    lives[output] = (lives[output][0], len(steps))
    offsets, arena_len = place([Buffer(size, *life) for size, life in zip(sizes, lives, strict=True)])
    return Plan(tuple(steps), offsets, arena_len, offsets[0], offsets[output], macs)


def _step(computation: Computation) -> tuple[str, dict[str, int], dict[str, bytes], int]:
    """Operator name, operands with a value, tables by operand, and bytes of scratch of what is not an alias."""
    if isinstance(computation, FullyConnected):
        k = computation.filter.weights.shape[1]
        return _rows(computation.filter, step=k, pixels=computation.pixels)
    if isinstance(computation, Convolution):
        window = computation.window
        if window.step is not None:
            return _rows(computation.filter, step=window.step, pixels=window.height.out * window.width.out)
        return _conv(computation.filter, window)
    if isinstance(computation, Mean):
        q31, shift = (
            int(computation.requantisation.multiplier.q31[0]),
            int(computation.requantisation.multiplier.shift[0]),
        )
        bias = -computation.pixels * (computation.input_zero_point + BIAS)
        hi, lo, left, right = multiplier_words(q31, shift)
        values = {"pixels": computation.pixels, "c": computation.channels, "bias": bias & 0xFFFFFFFF}
        values |= {"mult_hi": hi, "mult_lo": lo, "left": left, "right": right} | _limits(computation.requantisation)
        return "MEAN", values, {}, 0
    if isinstance(computation, Softmax):
        values = {"rows": computation.rows, "depth": computation.depth}
        return "SOFTMAX", values, {"table_at": exponential_table(computation.exponentials)}, _SOFTMAX_SCRATCH_LEN
    raise TypeError(f"no step for {type(computation).__name__}")


def _rows(rows: Filter, *, step: int, pixels: int) -> tuple[str, dict[str, int], dict[str, bytes], int]:
    m, k = rows.weights.shape
    values = {"step": step, "pixels": pixels, "k": k, "m": m} | _limits(rows.requantisation)
    return "ROWS", values, {"rows_at": rows_table(rows)}, 0


def _conv(rows: Filter, window: Window) -> tuple[str, dict[str, int], dict[str, bytes], int]:
    m, k = rows.weights.shape
    height, width = window.height, window.width
    values = {
        **{"in_h": height.size, "in_w": width.size, "c": window.channels},
        **{"kernel_h": height.kernel, "kernel_w": width.kernel},
        **{"stride_h": height.stride, "stride_w": width.stride},
        **{"dilation_h": height.dilation, "dilation_w": width.dilation},
        **{"pad_top": height.before, "pad_left": width.before, "pad": rows.input_zero_point + BIAS},
        **{"out_h": height.out, "out_w": width.out, "k": k, "m": m},
    }
    return "CONV", values | _limits(rows.requantisation), {"rows_at": rows_table(rows)}, width.out * k


def _limits(requantisation: Requantisation) -> dict[str, int]:
    """The output's zero point and clamp as biased bytes."""
    return {
        "zero": requantisation.zero_point + BIAS,
        "low": requantisation.low + BIAS,
        "high": requantisation.high + BIAS,
    }


def _macs(computation: Computation) -> int:
    """Multiply-accumulates, those with padding counted."""
    if isinstance(computation, FullyConnected):
        return computation.pixels * computation.filter.weights.size
    if isinstance(computation, Convolution):
        return computation.window.height.out * computation.window.width.out * computation.filter.weights.size
    return 0
