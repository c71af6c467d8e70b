"""What is around the dot products, for boards without the native emitter (level 1): inputs made ready.

A unit is its eight bytes here. It has the place of the nine words that the native kernels make of them, so that all
that plans and places units is the same.
"""

from ustruct import pack_into, unpack_from

_UNIT_LEN = 36


def invert(inverse):
    """Nothing: units have no factors here."""


def units(x, _u, out, _inverse, at, out_at, n, pixels, step):
    """n units for each of `pixels` inputs, `step` bytes apart from offset `at` of x on, to offset `out_at` of out."""
    for _ in range(pixels):
        for from_at in range(at, at + 8 * n, 8):
            for i in range(8):
                out[out_at + i] = x[from_at + i]
            out_at += _UNIT_LEN
        at += step


def patches(src, out, operands, y, x, pixels, out_at):
    """What lies under the kernel for `pixels` pixels of output row y from x on, one after the other to `out_at`.

    src and out are both the arena. `operands`: CONV's, FORMAT.md.
    """
    in_at, in_h, in_w, c, kernel_h, kernel_w, stride_h, stride_w = unpack_from("<8I", operands)
    dilation_h, dilation_w, top, left, pad = unpack_from("<5I", operands, 32)
    for pixel in range(x, x + pixels):
        for ky in range(kernel_h):
            iy = y * stride_h + ky * dilation_h - top
            for kx in range(kernel_w):
                ix = pixel * stride_w + kx * dilation_w - left
                inside = 0 <= iy < in_h and 0 <= ix < in_w
                at = in_at + (iy * in_w + ix) * c
                for i in range(c):
                    out[out_at + i] = src[at + i] if inside else pad
                out_at += c


def ring_places(places, row, ring):
    """Where the units under the kernel lie, in the kernel's order; its first row is at offset `row` of the ring.

    `ring`: bytes of the ring, kernel_h, bytes from a row of the kernel to the next, kernel_w, bytes from a tap to the
    next, bytes of a tap.
    """
    ring_len, kernel_h, row_step, kernel_w, tap_step, tap_len = unpack_from("<6I", ring)
    at = 0
    for ky in range(kernel_h):
        first = (row + ky * row_step) % ring_len
        for kx in range(kernel_w):
            tap = first + kx * tap_step
            for unit in range(tap, tap + tap_len, _UNIT_LEN):
                pack_into("<I", places, at, unit)
                at += 4


def clear(s, at, n):
    """n words from offset `at` on become zero."""
    for i in range(at, at + 4 * n):
        s[i] = 0
