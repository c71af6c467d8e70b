"""Places buffers in one arena so that those alive at the same time never overlap."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_ALIGNMENT = 4  # kernels may read and write words
_ROUNDS = 50  # of one order: 10 bring 96 % of random graphs to the bound, 50 bring 97 %, 200 no more
_WORK = 1 << 22  # pairs of buffers looked at in all corrections, so that a file of many layers does not take minutes


@dataclass(frozen=True)
class Buffer:
    """`size` bytes, alive from step `first` to step `last`, both counted; `scratch` is no tensor of the network."""

    size: int
    first: int
    last: int
    scratch: bool = False

    @property
    def span(self) -> int:
        """Bytes that it takes in the arena."""
        return _aligned(self.size)

    def overlaps(self, other: Buffer) -> bool:
        """Whether both are alive in some step."""
        return self.first <= other.last and other.first <= self.last


def live_bytes(buffers: Sequence[Buffer]) -> list[int]:
    """For each step the bytes of the buffers alive in it, as the arena aligns them."""
    steps = max((buffer.last for buffer in buffers), default=-1) + 1
    changes = [0] * (steps + 1)
    for buffer in buffers:
        changes[buffer.first] += buffer.span
        changes[buffer.last + 1] -= buffer.span
    live, total = [], 0
    for change in changes[:steps]:
        total += change
        live.append(total)
    return live


def place(buffers: Sequence[Buffer]) -> tuple[list[int], int]:
    """An offset for each buffer, a multiple of 4, and the length of the arena in bytes.

    First fit, in several orders, the best of which is kept. An order that leaves the arena above its lower bound, the
    most that is alive in one step, is corrected: what ends highest is placed earlier and all is placed again.
    """
    live = live_bytes(buffers)
    bound = max(live, default=0)
    offsets, arena_len = [0] * len(buffers), None
    rounds = max(1, min(_ROUNDS, _WORK // max(1, len(buffers)) ** 2))
    for order in _orders(buffers, live):
        for _ in range(rounds):
            found, top = _first_fit(buffers, order)
            end = found[top] + buffers[top].span
            if arena_len is None or end < arena_len:
                offsets, arena_len = found, end
            if arena_len == bound:
                return offsets, arena_len
            at = order.index(top)
            order.insert(at // 2, order.pop(at))
    return offsets, arena_len or 0


def _orders(buffers: Sequence[Buffer], live: Sequence[int]) -> Iterator[list[int]]:
    """Orders of buffer numbers in which to place: the largest first; by the fullest step that each lives in; by size
    times life."""
    numbers = range(len(buffers))
    if not numbers:
        return
    sizes = [buffer.size for buffer in buffers]
    yield sorted(numbers, key=lambda n: -sizes[n])
    fullest = [max(live[buffer.first : buffer.last + 1]) for buffer in buffers]
    yield sorted(numbers, key=lambda n: (-fullest[n], -sizes[n]))
    yield sorted(numbers, key=lambda n: -sizes[n] * (buffers[n].last - buffers[n].first + 1))


def _first_fit(buffers: Sequence[Buffer], order: Sequence[int]) -> tuple[list[int], int]:
    """Offsets, and the number of the buffer that ends highest.

    Each buffer goes to the lowest gap between those already placed that live with it.
    """
    offsets = [0] * len(buffers)
    placed: list[int] = []
    for number in order:
        buffer, at = buffers[number], 0
        for other in sorted((n for n in placed if buffer.overlaps(buffers[n])), key=lambda n: offsets[n]):
            if at + buffer.size <= offsets[other]:
                break
            at = max(at, offsets[other] + buffers[other].span)
        offsets[number] = at
        placed.append(number)
    return offsets, max(order, key=lambda n: offsets[n] + buffers[n].span)


def _aligned(length: int) -> int:
    return -(-length // _ALIGNMENT) * _ALIGNMENT
