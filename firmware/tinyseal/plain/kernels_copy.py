"""Moving bytes, for boards without the native emitter (level 1): FORMAT.md's FILL and COPY."""

from ustruct import unpack_from


def fill(arena, at, n, value):
    """n bytes of `value` from arena offset `at` on."""
    for i in range(at, at + n):
        arena[i] = value


def copy(arena, _out, _n, operands):
    """COPY's four loops around a run of `size` bytes."""
    in_at, out_at, size, n0, n1, n2, n3 = unpack_from("<7I", operands)
    in_0, in_1, in_2, in_3, out_0, out_1, out_2, out_3 = unpack_from("<8i", operands, 28)
    for i0 in range(n0):
        for i1 in range(n1):
            for i2 in range(n2):
                source = in_at + i0 * in_0 + i1 * in_1 + i2 * in_2
                target = out_at + i0 * out_0 + i1 * out_1 + i2 * out_2
                for _ in range(n3):
                    for i in range(size):
                        arena[target + i] = arena[source + i]
                    source += in_3
                    target += out_3
