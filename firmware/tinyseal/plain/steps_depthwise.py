"""Depthwise convolution, for boards without the native emitter: the sums of FORMAT.md's DEPTHWISE."""

from ustruct import pack_into, unpack_from


def depthwise(_s, _x, arena, release, o, y, pixel):
    """For one pixel of output row y the sum of each channel, without its bias, as words at the step's scratch.

    `o`: the step's operands.
    """
    in_at, in_h, in_w, c, kernel_h, kernel_w, stride_h, stride_w = unpack_from("<8I", o)
    dilation_h, dilation_w, top, left, pad, multiplier = unpack_from("<6I", o, 32)
    rows_at, m, sums_at = unpack_from("<3I", o, 68)
    for channel in range(m):
        total = 0
        at = rows_at + channel
        for ky in range(kernel_h):
            iy = y * stride_h + ky * dilation_h - top
            for kx in range(kernel_w):
                ix = pixel * stride_w + kx * dilation_w - left
                if 0 <= iy < in_h and 0 <= ix < in_w:
                    v = arena[in_at + (iy * in_w + ix) * c + channel // multiplier]
                    total += (release[at] - 128) * (v - pad)
                at += m
        pack_into("<i", arena, sums_at + 4 * channel, total)
