"""The window of a convolution between SPACE_TO_BATCH_ND and BATCH_TO_SPACE_ND: dilation by the size of the blocks."""

from __future__ import annotations

from typing import NamedTuple

from .convolution import Axis, same_or_valid
from .fusing import Spacing
from .layer_reader import LayerReader, activation_problems, quantisation
from .tflite_reader import Tensor, shape_text

_MAX_BEFORE = (1 << 16) - 1  # FORMAT.md: `pad_top` and `pad_left`


class Blocks(NamedTuple):
    """One axis: the size of its blocks, and positions added and taken away at its ends."""

    size: int = 1
    added: tuple[int, int] = (0, 0)
    taken: tuple[int, int] = (0, 0)

    def axis(self, padding: str, size: int, kernel: int, stride: int, dilation: int) -> Axis | None:
        """The Axis of a convolution in these blocks, of stride 1 unless they are none; None when it does not fit once.

        Position i of block j is position j + i * blocks of the whole: a step in a block is as many there, and every
        position of the convolution's own padding, which all blocks get, as many.
        """
        inner = same_or_valid(padding, (size + sum(self.added)) // self.size, kernel, stride, dilation)
        if inner is None:
            return None
        before = self.added[0] + inner.before * self.size - self.taken[0]
        out = inner.out * self.size - sum(self.taken)
        if out < 1 or not 0 <= before <= _MAX_BEFORE:
            return None
        return Axis(size, kernel, stride, dilation * self.size, before, out)


class Blocked(NamedTuple):
    """The shape of a convolution's input, the Blocks of height and width, and which dimensions of an NHWC tensor the
    input and the output have in the file."""

    shape: tuple[int, ...]
    blocks: tuple[Blocks, Blocks]
    dimensions: tuple[int, ...]


_NO_BLOCKS = Blocks()


def blocked_input(layer: LayerReader) -> Blocked | None:
    """How a convolution's input is divided, mostly not at all; None after a refusal."""
    shape, spacing = layer.input.shape, layer.spacing
    if spacing is None:
        return Blocked(shape, (_NO_BLOCKS, _NO_BLOCKS), (0, 1, 2, 3))
    _check_quantisation(layer, spacing)
    blocks = _blocks(layer, spacing)
    if blocks is None:
        return None
    phases = tuple((size + sum(block.added)) // block.size for size, block in zip(shape[1:], blocks, strict=False))
    inner, c = spacing.before[-1].shape[1:], shape[-1]
    if len(blocks) == 2 and inner == (*phases, c):
        return Blocked(shape, (blocks[0], blocks[1]), (0, 1, 2, 3))
    if len(blocks) == 1 and phases != (1,):
        if inner == (1, *phases, c):
            return Blocked((1, 1, *shape[1:]), (_NO_BLOCKS, blocks[0]), (0, 2, 3))
        if inner == (*phases, 1, c):
            return Blocked((1, shape[1], 1, c), (blocks[0], _NO_BLOCKS), (0, 1, 3))
    layer.refuse(f"reads {shape_text(spacing.before[-1].shape)}, wanted blocks of {shape_text((*phases, c))}")
    return None


def check_joined(layer: LayerReader, spacing: Spacing, blocked: Blocked, outs: tuple[int, int], m: int) -> None:
    """Refuse what BATCH_TO_SPACE_ND reads unless it is as much of each axis as makes `outs` positions of m channels."""
    parts = [(out + sum(block.taken)) // block.size for out, block in zip(outs, blocked.blocks, strict=True)]
    wanted = tuple((1, *parts, m)[dimension] for dimension in blocked.dimensions[1:])
    if spacing.after[-1].shape[1:] != wanted:
        layer.refuse(f"leads to {shape_text(spacing.after[-1].shape)}, wanted blocks of {shape_text(wanted)}")


def _blocks(layer: LayerReader, spacing: Spacing) -> list[Blocks] | None:
    """The Blocks of each spatial axis; None after a refusal."""
    shape = layer.input.shape
    axes = len(shape) - 2
    sizes, added = (layer.integers_of(spacing.space_to_batch, position) for position in (1, 2))
    sizes_again, taken = (layer.integers_of(spacing.batch_to_space, position) for position in (1, 2))
    if axes not in (1, 2) or shape[0] != 1:
        layer.refuse(f"is around {shape_text(shape)}, wanted a batch of 1, one or two axes, and channels")
    elif not len(sizes) == len(sizes_again) == axes or not len(added) == len(taken) == 2 * axes:
        layer.refuse(f"is between blocks of {sizes} and {sizes_again}, wanted {axes} constant numbers")
    elif sizes != sizes_again or min(sizes) < 1 or min(*added, *taken) < 0:
        layer.refuse(f"is between blocks of {sizes} and {sizes_again}, padded {added}, cropped {taken}")
    else:
        pairs = [((added[i], added[i + 1]), (taken[i], taken[i + 1])) for i in range(0, 2 * axes, 2)]
        blocks = [Blocks(size, *pair) for size, pair in zip(sizes, pairs, strict=True)]
        if not any((size + sum(b.added)) % b.size for size, b in zip(shape[1:], blocks, strict=False)):
            return blocks
        layer.refuse(f"has blocks of {sizes} of {shape_text(shape)} padded {added}, wanted whole ones")
    return None


def _check_quantisation(layer: LayerReader, spacing: Spacing) -> None:
    sides: tuple[tuple[Tensor, tuple[Tensor, ...]], ...] = (
        (layer.input, spacing.before),
        (layer.output, spacing.after),
    )
    for wanted, tensors in sides:
        for tensor in tensors:
            problems = activation_problems(tensor)
            layer.problems += [f"tensor {tensor.index} {text}" for text in problems]
            if not problems and quantisation(tensor) != quantisation(wanted):
                given = quantisation(tensor)
                layer.refuse(f"tensor {tensor.index} has scale and zero point {given}, wanted {quantisation(wanted)}")
