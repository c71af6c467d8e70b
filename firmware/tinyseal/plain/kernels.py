"""The int8 network's leaves, for boards without the native emitter (level 1); FORMAT.md defines what they compute."""

from ustruct import unpack_from

from .fixed_point import clamp, requantise_row, word


def quantise(p, _a, _q, out, n, table):
    """n float32 at p to n biased bytes at out, by their bits (FORMAT.md "Quantise table"). NaN was refused."""
    zero, first, count = unpack_from("<3I", table)
    for i in range(n):
        (bits,) = unpack_from("<I", p, 4 * i)
        a = bits & 0x7FFFFFFF
        q = (a >> 16) - first
        if q < 0:
            q = 0
        elif q >= count:
            q = 256
        else:
            q = table[1040 + q]
            while a >= unpack_from("<I", table, 12 + 4 * q)[0]:
                q += 1
        out[i] = clamp(zero - q if bits >> 31 else zero + q, 0, 255)


def rows(release, arena, _acc, layer, in_at, step, pixels, out_at):
    """A dense layer on each of `pixels` inputs, `step` bytes apart from arena offset `in_at` on, to `out_at`.

    layer: the step's operands from k on, k rows_at m out_at zero low high, with out_at not used.
    """
    k, rows_at, m, _, zero, low, high = unpack_from("<7I", layer)
    for _ in range(pixels):
        total = 0
        for i in range(in_at, in_at + k):
            total += arena[i]
        at = rows_at
        for _ in range(m):
            record = (at + k + 3) & -4
            acc = word(release, record) - 128 * total
            for i in range(k):
                acc += release[at + i] * arena[in_at + i]
            arena[out_at] = clamp(requantise_row(acc, release, record) + zero, low, high)
            out_at += 1
            at = record + 20
        in_at += step


def patches(operands, arena, y):
    """Copy what lies under the kernel for each pixel of output row y to the scratch (CONV's operands, FORMAT.md)."""
    in_at, in_h, in_w, c, kernel_h, kernel_w, stride_h, stride_w = unpack_from("<8I", operands)
    dilation_h, dilation_w, pad_top, pad_left, pad, out, _, out_w = unpack_from("<8I", operands, 32)
    for x in range(out_w):
        for ky in range(kernel_h):
            iy = y * stride_h + ky * dilation_h - pad_top
            for kx in range(kernel_w):
                ix = x * stride_w + kx * dilation_w - pad_left
                inside = 0 <= iy < in_h and 0 <= ix < in_w
                at = in_at + (iy * in_w + ix) * c
                for i in range(c):
                    arena[out + i] = arena[at + i] if inside else pad
                out += c


def finish(x, n, out):
    """n biased bytes to int8 at out; returns the index of the first greatest."""
    top = 0
    for i in range(n):
        out[i] = x[i] - 128
        if x[i] > x[top]:
            top = i
    return top
