"""Moving bytes, viper leaves (level 1): FORMAT.md's FILL and COPY."""

import micropython


@micropython.viper
def fill(arena: ptr8, at: int, n: int, value: int):
    """n bytes of `value` from arena offset `at` on; RV32 22 instructions a byte, Xtensa 23."""
    out = ptr8(int(arena) + at)
    while n > 0:
        out[0] = value
        out = ptr8(int(out) + 1)
        n -= 1


@micropython.viper
def copy(x: ptr8, out: ptr8, n: int, operands: ptr32):
    """COPY's four loops around a run of `size` bytes. x is the arena; out and n only reserve registers.

    Strides are below 2^24 in size and may be negative. An address is moved on once more after a loop's last turn;
    it is not read there, and may wrap. RV32 21 instructions a byte and 52 more a run, Xtensa 22 and 64.
    """
    arena = int(x)
    size = operands[2]
    wide = 1
    wide = int((wide << 31) << 1 != 0) << 5
    from_0 = arena + operands[0]
    to_0 = arena + operands[1]
    n0 = operands[3]
    while n0 > 0:
        from_1 = from_0
        to_1 = to_0
        n1 = operands[4]
        while n1 > 0:
            from_2 = from_1
            to_2 = to_1
            n2 = operands[5]
            while n2 > 0:
                from_3 = from_2
                to_3 = to_2
                n3 = operands[6]
                while n3 > 0:
                    x = ptr8(from_3)
                    out = ptr8(to_3)
                    n = size
                    while n > 0:
                        out[0] = x[0]
                        x = ptr8(int(x) + 1)
                        out = ptr8(int(out) + 1)
                        n -= 1
                    from_3 += (operands[10] << wide) >> wide
                    to_3 += (operands[14] << wide) >> wide
                    n3 -= 1
                from_2 += (operands[9] << wide) >> wide
                to_2 += (operands[13] << wide) >> wide
                n2 -= 1
            from_1 += (operands[8] << wide) >> wide
            to_1 += (operands[12] << wide) >> wide
            n1 -= 1
        from_0 += (operands[7] << wide) >> wide
        to_0 += (operands[11] << wide) >> wide
        n0 -= 1
