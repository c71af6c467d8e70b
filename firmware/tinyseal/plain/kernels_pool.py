"""Means and pools, for boards without the native emitter (level 1): FORMAT.md's MEAN, MAX_POOL and AVERAGE_POOL."""

from ustruct import unpack_from

from .fixed_point import clamp, requantise


def mean(operands, arena):
    """Mean over positions, channel by channel (MEAN's operands)."""
    in_at, pixels, c, out_at = unpack_from("<4I", operands)
    (bias,) = unpack_from("<i", operands, 16)
    hi, lo, left, right, zero, low, high = unpack_from("<7I", operands, 20)
    for channel in range(c):
        acc = bias
        for at in range(in_at + channel, in_at + channel + pixels * c, c):
            acc += arena[at]
        arena[out_at + channel] = clamp(requantise(acc, hi, lo, left, right) + zero, low, high)


def _average(total, n):
    """The average of int8 values, both divisions truncating; biased, as is each of the n values in `total`."""
    total -= 128 * n
    t = (abs(total) + n // 2) // n
    return 128 + (t if total >= 0 else -t)


def _pool(arena, operands, y, average):
    """Output row y: of the cells under the kernel the average, or the greatest."""
    in_at, in_h, in_w, c, kernel_h, kernel_w, stride_h, stride_w = unpack_from("<8I", operands)
    pad_top, pad_left, _, out_w, out_at, low, high = unpack_from("<7I", operands, 32)
    first = y * stride_h - pad_top
    top, bottom = max(first, 0), min(first + kernel_h, in_h)
    at = out_at + y * out_w * c
    for x in range(out_w):
        first = x * stride_w - pad_left
        left, right = max(first, 0), min(first + kernel_w, in_w)
        cells = (bottom - top) * (right - left)
        for channel in range(c):
            total = 0
            for iy in range(top, bottom):
                for ix in range(left, right):
                    v = arena[in_at + (iy * in_w + ix) * c + channel]
                    total = total + v if average else max(total, v)
            arena[at] = clamp(_average(total, cells) if average else total, low, high)
            at += 1


def max_pool(arena, _v, operands, y):
    """Output row y of MAX_POOL; operands: the step's."""
    _pool(arena, operands, y, False)


def average_pool(arena, _acc, operands, y):
    """Output row y of AVERAGE_POOL; operands: the step's."""
    _pool(arena, operands, y, True)
