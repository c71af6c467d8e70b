"""Pools and means, for boards without the native emitter: FORMAT.md's MEAN, MAX_POOL and AVERAGE_POOL."""

from ustruct import pack_into, unpack_from

from .fixed_point import clamp


def pool(_x, _v, arena, o, y, kind):
    """Output row y: of each kernel and channel the greatest (`kind` 0), the average (1), or, as words, the sum (2).

    `o`: a pool's operands; the zero point of sums and averages is 128.
    """
    in_at, in_h, in_w, c, kernel_h, kernel_w, stride_h, stride_w = unpack_from("<8I", o)
    pad_top, pad_left, _, out_w, out_at, low, high = unpack_from("<7I", o, 32)
    first = y * stride_h - pad_top
    rows = range(max(first, 0), min(first + kernel_h, in_h))
    out_at += y * out_w * c
    for x in range(out_w):
        first = x * stride_w - pad_left
        cols = range(max(first, 0), min(first + kernel_w, in_w))
        n = len(rows) * len(cols)
        for channel in range(c):
            top = total = 0
            for iy in rows:
                for ix in cols:
                    v = arena[in_at + (iy * in_w + ix) * c + channel]
                    top = max(top, v)
                    total += v - 128
            if kind == 2:
                pack_into("<i", arena, out_at, total)
                out_at += 4
            else:
                if kind:
                    average = (abs(total) + n // 2) // n
                    top = 128 + (average if total >= 0 else -average)
                arena[out_at] = clamp(top, low, high)
                out_at += 1
