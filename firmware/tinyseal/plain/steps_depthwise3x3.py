"""Depthwise convolution with 3x3 weights, for boards without the native emitter: FORMAT.md's DEPTHWISE3X3."""

from ustruct import unpack_from

from .fixed_point import clamp, requantise


def depthwise(_p, _v, arena, release, o):
    """A whole layer, channel by channel. o: the step's operands.

    The output may lie where the input does: three rows of the channel, with their padding, are copied to the scratch.
    """
    in_at, rows, cols, c, in_row, in_col, down, across, before_down, before_across, pad = unpack_from("<11I", o)
    scratch_at, out_rows, out_cols, out_row, out_col, rows_at, out_at, zero, low, high = unpack_from("<10I", o, 44)
    width = (out_cols - 1) * across + 3
    for channel in range(c):
        record = rows_at + 28 * channel
        bias, multiplier, _, right = unpack_from("<i3I", release, record + 12)
        following = 0
        for y in range(out_rows):
            while following < y * down + 3:
                row = following - before_down
                at = scratch_at + following % 3 * width
                for x in range(width):
                    col = x - before_across
                    inside = 0 <= row < rows and 0 <= col < cols
                    arena[at + x] = arena[in_at + row * in_row + col * in_col + channel] if inside else pad
                following += 1
            for x in range(out_cols):
                acc = bias
                for ky in range(3):
                    at = scratch_at + (y * down + ky) % 3 * width + x * across
                    for kx in range(3):
                        acc += (release[record + 3 * ky + kx] - 128) * arena[at + kx]
                value = requantise(acc, multiplier, 0, right) + zero
                arena[out_at + y * out_row + x * out_col + channel] = clamp(value, low, high)
