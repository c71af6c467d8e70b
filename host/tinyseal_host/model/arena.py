"""Places buffers in one arena so that those alive at the same time never overlap."""

from __future__ import annotations

from dataclasses import dataclass

_ALIGNMENT = 4  # kernels may read and write words


@dataclass(frozen=True)
class Buffer:
    """`size` bytes, alive from step `first` to step `last`, both counted."""

    size: int
    first: int
    last: int

    def overlaps(self, other: Buffer) -> bool:
        """Whether both are alive in some step."""
        return self.first <= other.last and other.first <= self.last


def place(buffers: list[Buffer]) -> tuple[list[int], int]:
    """An offset for each buffer, a multiple of 4, and the length of the arena in bytes.

    First fit, the largest first: each buffer goes to the lowest gap between those already placed that live with it.
    """
    offsets = [0] * len(buffers)
    placed: list[int] = []
    for number in sorted(range(len(buffers)), key=lambda n: (-buffers[n].size, n)):
        buffer = buffers[number]
        at = 0
        for other in sorted((n for n in placed if buffer.overlaps(buffers[n])), key=lambda n: offsets[n]):
            if at + buffer.size <= offsets[other]:
                break
            at = max(at, _aligned(offsets[other] + buffers[other].size))
        offsets[number] = at
        placed.append(number)
    return offsets, _aligned(max((at + buffer.size for at, buffer in zip(offsets, buffers, strict=True)), default=0))


def _aligned(length: int) -> int:
    return -(-length // _ALIGNMENT) * _ALIGNMENT
