"""Moving bytes, a viper leaf (level 1): FORMAT.md's COPY, and FILL by it."""

import micropython


@micropython.viper
def copy(x: ptr8, out: ptr8, at: int, out_at: int, size: int, loops: ptr32):
    """Runs of `size` bytes, first byte first, from arena offset `at` to `out_at`, in four loops around each other.

    x and out are both the arena. `loops`: of each loop, the innermost first, its turns, the turns still to go, which
    are the same before and after, and what is added to the two places when it goes on, as i32.
    RV32 21 instructions a byte and 50 more a run, Xtensa 22 and 60.
    """
    x = ptr8(int(x) + at)
    out = ptr8(int(out) + out_at)
    wide = 1
    wide = int((wide << 31) << 1 != 0) << 5
    loop = loops
    last = int(loops) + 64
    while int(loop) < last:
        n = size
        while n > 0:
            out[0] = x[0]
            x = ptr8(int(x) + 1)
            out = ptr8(int(out) + 1)
            n -= 1
        loop = loops
        while int(loop) < last:
            loop[1] = loop[1] - 1
            if loop[1]:
                x = ptr8(int(x) + ((loop[2] << wide) >> wide))
                out = ptr8(int(out) + ((loop[3] << wide) >> wide))
                break
            loop[1] = loop[0]
            loop = ptr32(int(loop) + 16)
