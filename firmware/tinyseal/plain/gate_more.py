"""The checks that a contract may ask for, for boards without the native emitter (level 1); see the native module."""

from ustruct import pack_into, unpack_from


def _words(u, n):
    """The first n words."""
    return unpack_from("<%dI" % n, u)


def _spread(p, _v, at, n, job, channel, u):
    """u of n float32, from `at` bytes behind the channel's first one."""
    step, start, _, _, exponent, base = unpack_from("<6I", job, 32 * channel)
    for i in range(n):
        bits = unpack_from("<I", p, start + at + step * i)[0]
        pack_into("<I", u, 4 * i, (_fixed(bits, exponent) - base) & 0xFFFFFFFF)  # type: ignore[name-defined]


def _begin(work, state, channel):
    """A channel's first value, work[1], stands for the one before it, and is its least; all else is zero."""
    first = unpack_from("<I", work, 4)[0]
    pack_into("<I", work, 0, first)
    pack_into("<7I", state, 32 * channel, 0, first, 0, 0, 0, 0, 0)


def _saturated(u, _v, n, record, state, channel):
    """Count values at or beyond the rails."""
    low, high = unpack_from("<2I", record, 64 * channel + 20)
    count = unpack_from("<I", state, 32 * channel)[0]
    for value in _words(u, n):
        if value <= low or value >= high:
            count += 1
    pack_into("<I", state, 32 * channel, count)


def _extremes(u, _v, n, state, channel):
    """Keep the least and how far the greatest is above it."""
    least, movement = unpack_from("<2I", state, 32 * channel + 4)
    values = _words(u, n)
    most = max(least + movement, *values)
    least = min(least, *values)
    pack_into("<2I", state, 32 * channel + 4, least, most - least)


def _steps(work, _v, n, state, channel):
    """Keep the largest difference of neighbours; work[0] is the last value of the block before, then of this one."""
    largest = unpack_from("<I", state, 32 * channel + 12)[0]
    values = _words(work, n + 1)
    for i in range(n):
        largest = max(largest, abs(values[i + 1] - values[i]))
    pack_into("<I", work, 0, values[n])
    pack_into("<I", state, 32 * channel + 12, largest)


def _sums(u, _v, n, shift, state, channel):
    """Add q = u >> shift and q * q."""
    total, low, rest = unpack_from("<3I", state, 32 * channel + 16)
    squares = low + (rest << 16)
    for value in _words(u, n):
        q = value >> shift
        total += q
        squares += q * q
    pack_into("<3I", state, 32 * channel + 16, total, squares & 0xFFFF, squares >> 16)


def _first(word, low, high, state, record, channels):
    """The first channel whose word of the state is below record[low] or above record[high]; -1 when none's is."""
    for i in range(channels):
        value = unpack_from("<I", state, 32 * i + 4 * word)[0]
        if low and value < unpack_from("<I", record, 64 * i + 4 * low)[0]:
            return i
        if high and value > unpack_from("<I", record, 64 * i + 4 * high)[0]:
            return i
    return -1


def _first_spread(state, record, channels, n):
    """The first channel whose n * sum(q^2) - sum(q)^2 is outside its limits; -1 when none is."""
    for i in range(channels):
        total, low, rest = unpack_from("<3I", state, 32 * i + 16)
        least, most = unpack_from("<2Q", record, 64 * i + 48)
        if not least <= n * ((rest << 16) + low) - total * total <= most:
            return i
    return -1
