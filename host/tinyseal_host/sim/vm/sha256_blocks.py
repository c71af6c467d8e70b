"""SHA-256 block by block, as an engine computes it that somebody else pads for (FIPS 180-4, sections 4 to 6)."""

_MASK = 0xFFFFFFFF


def _root(n, power):
    """The largest integer whose `power` is at most n."""
    low, high = 0, 1 << 40
    while high - low > 1:
        middle = (low + high) >> 1
        if middle**power <= n:
            low = middle
        else:
            high = middle
    return low


def _fraction(prime, power):
    """The first 32 bits of the fractional part of a prime's root."""
    return _root(prime << 32 * power, power) & _MASK


_PRIMES = [n for n in range(2, 312) if all(n % m for m in range(2, n))]  # 64 of them
_K = [_fraction(prime, 3) for prime in _PRIMES]  # section 4.2.2
START = tuple(_fraction(prime, 2) for prime in _PRIMES[:8])  # section 5.3.3


def _rotated(x, n):
    return x >> n | x << 32 - n & _MASK


def compressed(state, block):
    """The eight words that follow `state` after a block of 64 bytes (section 6.2.2)."""
    w = [int.from_bytes(block[at : at + 4], "big") for at in range(0, 64, 4)]
    for t in range(16, 64):
        x, y = w[t - 15], w[t - 2]
        s0 = _rotated(x, 7) ^ _rotated(x, 18) ^ x >> 3
        s1 = _rotated(y, 17) ^ _rotated(y, 19) ^ y >> 10
        w.append(w[t - 16] + s0 + w[t - 7] + s1 & _MASK)
    a, b, c, d, e, f, g, h = state
    for t in range(64):
        t1 = h + (_rotated(e, 6) ^ _rotated(e, 11) ^ _rotated(e, 25)) + (e & f ^ ~e & g) + _K[t] + w[t]
        t2 = (_rotated(a, 2) ^ _rotated(a, 13) ^ _rotated(a, 22)) + (a & b ^ a & c ^ b & c)
        a, b, c, d, e, f, g, h = t1 + t2 & _MASK, a, b, c, d + t1 & _MASK, e, f, g
    return tuple(old + new & _MASK for old, new in zip(state, (a, b, c, d, e, f, g, h)))  # noqa: B905 - MicroPython's


def padding(length):
    """What follows a message of `length` bytes, up to a whole block (section 5.1.1)."""
    return b"\x80" + bytes(-(length + 9) % 64) + (length * 8).to_bytes(8, "big")


def joined(state):
    """The 32 bytes of a digest."""
    return b"".join([word.to_bytes(4, "big") for word in state])
