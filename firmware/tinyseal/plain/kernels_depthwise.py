"""Depthwise convolution, for boards without the native emitter (level 1): FORMAT.md's DEPTHWISE and "Rows table"."""

from ustruct import unpack_from

from .fixed_point import clamp, requantise_row, word


def depthwise(arena, _w, _acc, release, operands, y):
    """Output row y; operands: the step's."""
    in_at, in_h, in_w, c, kernel_h, kernel_w, stride_h, stride_w = unpack_from("<8I", operands)
    dilation_h, dilation_w, pad_top, pad_left, pad, multiplier, _, out_w = unpack_from("<8I", operands, 32)
    k, rows_at, m, out_at, zero, low, high = unpack_from("<7I", operands, 64)
    out_at += y * out_w * m
    for x in range(out_w):
        at = rows_at
        for row in range(m):
            record = (at + k + 3) & -4
            acc = word(release, record)
            for ky in range(kernel_h):
                iy = y * stride_h + ky * dilation_h - pad_top
                for kx in range(kernel_w):
                    ix = x * stride_w + kx * dilation_w - pad_left
                    v = pad
                    if 0 <= iy < in_h and 0 <= ix < in_w:
                        v = arena[in_at + (iy * in_w + ix) * c + row // multiplier]
                    acc += (release[at] - 128) * v
                    at += 1
            arena[out_at] = clamp(requantise_row(acc, release, record) + zero, low, high)
            out_at += 1
            at = record + 20
