"""The viper leaves around the dot-product kernels (level 1): inputs made ready.

A unit is what eight input bytes x become, nine words: r[k] = (2x[k] + 1) / (2x[k+1] + 1) modulo 2^32 for the first
seven, 2x[7] + 1, and 256 * sum(x). Why: `firmware/dot_generator.py`.
"""

import micropython


@micropython.viper
def invert(inverse: ptr32):
    """256 words: that of x is the inverse of 2x + 1 modulo 2^32, by Newton's iterations, which double the bits."""
    x = 0
    while x < 256:
        odd = x + x + 1
        r = odd  # right in three bits: the square of an odd number is 1 modulo 8
        n = 0
        while n < 4:
            r = (2 - odd * r) * r
            n += 1
        inverse[x] = r
        x += 1


@micropython.viper
def units(x: ptr8, u: int, out: ptr32, inverse: ptr32, at: int, out_at: int, n: int, pixels: int, step: int):
    """n units for each of `pixels` inputs, `step` bytes apart from offset `at` of x on, to offset `out_at` of out.

    u reserves a register: pass 0. RV32 17.9 instructions a byte, Xtensa 20.7.
    """
    start = int(x) + at
    out = ptr32(int(out) + out_at)
    while pixels > 0:
        x = ptr8(start)
        end = start + 8 * n
        while int(x) < end:
            u = x[0]
            total = u
            v = x[1]
            total += v
            out[0] = inverse[v] * (u + u + 1)
            u = x[2]
            total += u
            out[1] = inverse[u] * (v + v + 1)
            v = x[3]
            total += v
            out[2] = inverse[v] * (u + u + 1)
            u = x[4]
            total += u
            out[3] = inverse[u] * (v + v + 1)
            v = x[5]
            total += v
            out[4] = inverse[v] * (u + u + 1)
            u = x[6]
            total += u
            out[5] = inverse[u] * (v + v + 1)
            v = x[7]
            out[6] = inverse[v] * (u + u + 1)
            out[7] = v + v + 1
            out[8] = (total + v) << 8
            out = ptr32(int(out) + 36)
            x = ptr8(int(x) + 8)
        start += step
        pixels -= 1


@micropython.viper
def patches(src: ptr8, out: ptr8, operands: ptr32, y: int, x: int, pixels: int, out_at: int):
    """What lies under the kernel for `pixels` pixels of output row y from x on, one after the other to `out_at`.

    src and out are both the arena. `operands`: CONV's, FORMAT.md.
    """
    arena = int(src) + operands[0]
    out = ptr8(int(out) + out_at)
    in_w = operands[2]
    c = operands[3]
    across = operands[5]
    far = (across - 1) * operands[9]
    while pixels > 0:
        ky = 0
        iy = y * operands[6] - operands[10]
        left = x * operands[7] - operands[11]
        while ky < operands[4]:
            # A row of the kernel that lies side by side in the input is one run.
            taps = across
            run = c
            if operands[9] == 1 and left >= 0 and left + far < in_w:
                taps = 1
                run = across * c
            ix = left
            while taps > 0:
                end = int(out) + run
                if uint(iy) < uint(operands[1]) and uint(ix) < uint(in_w):
                    src = ptr8(arena + (iy * in_w + ix) * c)
                    while int(out) < end:
                        out[0] = src[0]
                        src = ptr8(int(src) + 1)
                        out = ptr8(int(out) + 1)
                else:
                    pad = operands[12]
                    while int(out) < end:
                        out[0] = pad
                        out = ptr8(int(out) + 1)
                ix += operands[9]
                taps -= 1
            iy += operands[8]
            ky += 1
        x += 1
        pixels -= 1


@micropython.viper
def ring_places(places: ptr32, row: int, ring: ptr32):
    """Where the units under the kernel lie, in the kernel's order; its first row is at offset `row` of the ring.

    `ring`: bytes of the ring, kernel_h, bytes from a row of the kernel to the next, kernel_w, bytes from a tap to the
    next, bytes of a tap.
    """
    ky = ring[1]
    while ky > 0:
        tap = row
        kx = ring[3]
        while kx > 0:
            unit = tap
            while unit < tap + ring[5]:
                places[0] = unit
                places = ptr32(int(places) + 4)
                unit += 36
            tap += ring[4]
            kx -= 1
        row += ring[2]
        if row >= ring[0]:
            row -= ring[0]
        ky -= 1


@micropython.viper
def clear(s: ptr32, at: int, n: int):
    """n words from offset `at` on become zero."""
    s = ptr32(int(s) + at)
    end = int(s) + 4 * n
    while int(s) < end:
        s[0] = 0
        s = ptr32(int(s) + 4)
