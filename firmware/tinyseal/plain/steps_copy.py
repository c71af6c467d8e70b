"""Moving bytes, for boards without the native emitter: FORMAT.md's COPY, and FILL by it."""

from ustruct import unpack_from


def copy(x, out, at, out_at, size, loops):
    """Runs of `size` bytes, first byte first, from arena offset `at` to `out_at`, in four loops around each other.

    x and out are both the arena. `loops`: of each loop, the innermost first, its turns, a word that is not used here,
    and what is added to the two places when it goes on, as i32.
    """
    loops = unpack_from("<16i", loops)
    left = [loops[loop] for loop in range(0, 16, 4)]
    loop = 0
    while loop < 4:
        for i in range(size):
            out[out_at + i] = x[at + i]
        at += size
        out_at += size
        loop = 0
        while loop < 4:
            turns, _, step, out_step = loops[4 * loop : 4 * loop + 4]
            left[loop] -= 1
            if left[loop]:
                at += step
                out_at += out_step
                break
            left[loop] = turns
            loop += 1
