"""The simpler operators of a program, in numpy as FORMAT.md section 3 describes them; for `program_interpreter`.

Each takes the interpreter, whose `place` is a view of the arena and `table` of the tables section, and the operands.
"""

import itertools

import numpy as np


def check_distinct(*places):
    """Raise unless the places (first byte, length) do not touch."""
    ordered = sorted(places)
    for (at, length), (following, _) in itertools.pairwise(ordered):
        if at + length > following:
            raise ValueError(f"{length} bytes at {at} overlap those at {following}")


def scaled(acc, words):
    """gemmlowp's requantise before the zero point, as section "Rows table" writes it, with its bounds."""
    hi, lo, left, right = words
    if np.any(hi >> 15) or np.any(lo >> 16) or np.any(left > 28) or np.any(right > 31):
        raise ValueError("multiplier out of range")
    shifted = acc << left
    if np.any(np.abs(shifted) >= 1 << 29):
        raise ValueError("accumulator out of bounds")
    t = np.floor_divide(shifted * (hi << 16 | lo) + (1 << 30), 1 << 31)
    power = np.int64(1) << right
    magnitude = (np.abs(t) + (power >> 1)) // power
    return np.where(t < 0, -magnitude, magnitude)


def requantise(acc, words, o):
    """Biased bytes of accumulators; zero point and limits are the step's."""
    if not (o.low <= o.high <= 255 and o.zero <= 255):
        raise ValueError(f"zero {o.zero}, limits {o.low} to {o.high}")
    return np.clip(scaled(acc, words) + o.zero, o.low, o.high).astype(np.uint8)


def _image(program, o):
    return program.place(o.in_at, o.in_h * o.in_w * o.c).reshape(o.in_h, o.in_w, o.c).astype(np.int64)


def _cells(o, y, x, dilation_h=1, dilation_w=1):
    """For each cell of the kernel at an output position its place in the input, None outside it."""
    for ky, kx in itertools.product(range(o.kernel_h), range(o.kernel_w)):
        iy = y * o.stride_h + ky * dilation_h - o.pad_top
        ix = x * o.stride_w + kx * dilation_w - o.pad_left
        yield (iy, ix) if 0 <= iy < o.in_h and 0 <= ix < o.in_w else None


def depthwise(program, o):
    """DEPTHWISE."""
    if o.k != o.kernel_h * o.kernel_w or o.m != o.c * o.multiplier:
        raise ValueError(f"k {o.k}, m {o.m}")
    check_distinct((o.in_at, o.in_h * o.in_w * o.c), (o.scratch_at, 4 * o.m), (o.out_at, o.out_h * o.out_w * o.m))
    program.spoil(o.scratch_at, 4 * o.m)
    image = _image(program, o)
    weights, bias, words = program.rows(o)
    channel = np.arange(o.m) // o.multiplier
    output = program.place(o.out_at, o.out_h * o.out_w * o.m).reshape(o.out_h, o.out_w, o.m)
    for y, x in itertools.product(range(o.out_h), range(o.out_w)):
        acc = bias.copy()
        for w, cell in zip(weights, _cells(o, y, x, o.dilation_h, o.dilation_w), strict=True):
            inputs = np.full(o.m, o.pad, np.int64) if cell is None else image[cell][channel]
            acc += (inputs - o.pad) * w
        output[y, x] = requantise(acc, words, o)


def depthwise3x3(program, o):
    """DEPTHWISE3X3; channel by channel and row by row, as the output may take the input's place."""
    records = program.table(o.rows_at, "u1", 28 * o.c).reshape(o.c, 28)
    if records[:, 9:12].any():
        raise ValueError("padding of a record is not zero")
    weights = records[:, :9].astype(np.int64).reshape(o.c, 3, 3) - 128
    words = records[:, 12:].copy().view("<u4").astype(np.int64)
    bias = records[:, 12:16].copy().view("<i4").astype(np.int64)[:, 0]
    multiplier, half, right = words.T[1:]
    if np.any(half != 1 << right >> 1) or np.any(right < 1) or np.any(right > 22) or o.zero < o.low:
        raise ValueError(f"half {half}, right {right}")
    program.place(o.scratch_at, 3 * ((o.out_cols - 1) * o.stride_across + 3))[:] = 0xA5
    for i in range(o.c):
        kept = {}
        for y in range(o.out_rows):
            sums = np.full(o.out_cols, bias[i])
            for ky in range(3):
                row = y * o.stride_down + ky - o.before_down
                if 0 <= row < o.rows and row not in kept:
                    places = [o.in_at + row * o.in_row + col * o.in_col + i for col in range(o.cols)]
                    kept[row] = [int(program.place(at, 1)[0]) for at in places]
                line = kept.get(row) if 0 <= row < o.rows else None
                for kx in range(3):
                    for x in range(o.out_cols):
                        col = x * o.stride_across + kx - o.before_across
                        value = line[col] if line is not None and 0 <= col < o.cols else o.pad
                        sums[x] += value * weights[i, ky, kx]
            if np.any(np.abs(sums) >= 1 << 20):
                raise ValueError("accumulator out of bounds")
            found = requantise(sums, (multiplier[i] >> 16, multiplier[i] & 0xFFFF, 0, right[i]), o)
            for x in range(o.out_cols):
                program.place(o.out_at + y * o.out_row + x * o.out_col + i, 1)[0] = found[x]


def _pool(program, o, pooled):
    check_distinct((o.in_at, o.in_h * o.in_w * o.c), (o.out_at, o.out_h * o.out_w * o.c))
    image = _image(program, o) - 128
    output = program.place(o.out_at, o.out_h * o.out_w * o.c).reshape(o.out_h, o.out_w, o.c)
    for y, x in itertools.product(range(o.out_h), range(o.out_w)):
        cells = np.array([image[cell] for cell in _cells(o, y, x) if cell is not None])
        output[y, x] = np.clip(pooled(cells) + 128, o.low, o.high)


def max_pool(program, o):
    """MAX_POOL."""
    _pool(program, o, lambda cells: cells.max(axis=0))


def average_pool(program, o):
    """AVERAGE_POOL."""

    def average(cells):
        n = len(cells)
        return [(s + n // 2) // n if s >= 0 else -((-s + n // 2) // n) for s in cells.sum(axis=0).tolist()]

    _pool(program, o, lambda cells: np.array(average(cells)))


def map_bytes(program, o):
    """MAP."""
    if o.in_at != o.out_at:
        check_distinct((o.in_at, o.length), (o.out_at, o.length))
    program.place(o.out_at, o.length)[:] = program.table(o.table_at, "u1", 256)[program.place(o.in_at, o.length)]


def _operands(program, o):
    """a and b as int64 [length], and a view of the output, which may lie where they do and not astride."""
    if not o.period or o.length % o.period or o.b_constant > 1:
        raise ValueError(f"period {o.period} of {o.length}, constant {o.b_constant}")
    if o.out_at != o.a_at:
        check_distinct((o.out_at, o.length), (o.a_at, o.length))
    if not o.b_constant and (o.out_at != o.b_at or o.period != o.length):
        check_distinct((o.out_at, o.length), (o.b_at, o.period))
    b = program.table(o.b_at, "u1", o.period) if o.b_constant else program.place(o.b_at, o.period)
    a, b = program.place(o.a_at, o.length).astype(np.int64), np.tile(b.astype(np.int64), o.length // o.period)
    return a, b, program.place(o.out_at, o.length)


def _finished(v, o):
    """Biased bytes of what ADD and MUL have found; a `hi` of 0 stands for no multiplier."""
    if o.hi:
        if np.any(np.abs(v) >= 1 << 29):
            raise ValueError("accumulator out of bounds")
        v = scaled(v, (o.hi, o.lo, 0, 0))
    if np.any(np.abs(v) >= 1 << 30) or o.right > 31:
        raise ValueError(f"value out of bounds, or shift of {o.right}")
    v = np.floor_divide(np.where(v < 0, v - o.away, v) + (1 << o.right >> 1), 1 << o.right)
    if not (o.low <= o.high <= 255 and o.zero <= 255):
        raise ValueError(f"zero {o.zero}, limits {o.low} to {o.high}")
    return np.clip(v + o.zero, o.low, o.high)


def add(program, o):
    """ADD."""
    a, b, output = _operands(program, o)
    a_table, b_table = (program.table(at, "<u4", 256).astype(np.int64) for at in (o.a_table_at, o.b_table_at))
    if max(a_table.max(), b_table.max()) >> 30 or o.base >> 31:
        raise ValueError("table or base out of bounds")
    output[:] = _finished(a_table[a] + b_table[b] - o.base, o)


def mul(program, o):
    """MUL."""
    a, b, output = _operands(program, o)
    if max(o.a_zero, o.b_zero) > 255 or o.left > 28:
        raise ValueError(f"zero points {o.a_zero} and {o.b_zero}, left shift {o.left}")
    output[:] = _finished((a - o.a_zero) * (b - o.b_zero) << o.left, o)


def minimum(program, o):
    """MINIMUM."""
    a, b, output = _operands(program, o)
    output[:] = np.minimum(a, b)


def maximum(program, o):
    """MAXIMUM."""
    a, b, output = _operands(program, o)
    output[:] = np.maximum(a, b)


def fill(program, o):
    """FILL."""
    program.place(o.out_at, o.length)[:] = o.value


def copy(program, o):
    """COPY, turn by turn; what is written must not be read."""
    turns = itertools.product(*(range(n) for n in (o.n0, o.n1, o.n2, o.n3)))
    in_strides, out_strides = (
        [stride - (stride >> 31 << 32) for stride in (getattr(o, f"{name}_{loop}") for loop in range(4))]
        for name in ("in", "out")
    )
    read, written = set(), set()
    for turn in turns:
        source = o.in_at + sum(i * stride for i, stride in zip(turn, in_strides, strict=True))
        target = o.out_at + sum(i * stride for i, stride in zip(turn, out_strides, strict=True))
        program.place(target, o.size)[:] = program.place(source, o.size)
        read.update(range(source, source + o.size))
        written.update(range(target, target + o.size))
    if read & written:
        raise ValueError("input and output of a copy overlap")
