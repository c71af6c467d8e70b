"""The dot products that the generator writes, as the code that ships, plain too, against integers from FORMAT.md.

The units lie anywhere, and in another order in memory than in the row, as in a ring.
"""

import contextlib
import struct
from functools import partial

import numpy as np
import pytest
from int8_twins import (
    BASE,
    KERNELS,
    UNIT_LEN,
    WIDTHS,
    Layer,
    clamp,
    opened,
    plain_units,
    requantise,
    twice,
    units,
    words,
)

AT = 12  # of the first unit in the arena


@pytest.fixture(scope="module", params=[(width, code) for width in WIDTHS for code in KERNELS])
def kernels(request):
    """(width, machine, [(kernel, what makes its units)])."""
    width, code = request.param
    with opened(f"dot_{width}", code) as machine:
        if code == "plain":
            yield width, machine, [("dot", plain_units), ("dot_pairs", plain_units)]
        elif code == "x64":
            yield width, machine, [("dot", units), ("dot_pairs", partial(units, plain=True))]
        else:
            yield width, machine, [("dot", units)]


def run(machine, name, units_of, inputs, table, output, *, m, short, limits=(0, 0, 0)):
    """What a kernel makes of `output`, bytes that lie in the arena behind the units of `inputs` [pixels, width]."""
    pixels, width = inputs.shape
    count = width // 8
    order = np.random.default_rng(pixels).permutation(count)
    pitch = UNIT_LEN * (count + 1)  # of a pixel; a unit's place between them is none of theirs
    arena = bytearray(b"\xa5" * (AT + pitch * pixels))
    for pixel, x in enumerate(inputs):
        made = units_of(x)
        for unit, place in enumerate(order):
            at = AT + pitch * pixel + UNIT_LEN * int(place)
            arena[at : at + UNIT_LEN] = made[UNIT_LEN * unit :][:UNIT_LEN]
    out_at = len(arena)
    arena += output + b"\xa5" * 8
    before = bytes(arena)
    job = words(BASE, m, int(short), pitch, *limits)
    places = words(*(UNIT_LEN * int(place) for place in order))
    machine.call(name, bytes(BASE) + table, 0, arena, job, places, AT, out_at, pixels)
    assert arena[:out_at] == before[:out_at]
    assert arena[out_at + len(output) :] == before[out_at + len(output) :]
    return bytes(arena[out_at:][: len(output)])


def short(kernels, layer, inputs):
    """The bytes of every kernel of a width, pixel after pixel; they have to agree."""
    _, machine, forms = kernels
    limits = (layer.zero, layer.low, layer.high)
    size = bytearray(b"\x3c" * (layer.m * len(inputs)))
    found = {
        run(machine, name, units_of, inputs, layer.short_table(), size, m=layer.m, short=True, limits=limits)
        for name, units_of in forms
    }
    assert len(found) == 1
    return list(found.pop())


def long(kernels, layer, inputs, before):
    """u32 sums of every kernel of a width, added to `before`; they have to agree."""
    width, machine, forms = kernels
    table = layer.biased()[:, :width].tobytes()
    found = {
        run(machine, name, units_of, inputs, table, bytearray(words(*before)), m=layer.m, short=False)
        for name, units_of in forms
    }
    assert len(found) == 1
    return list(struct.unpack(f"<{len(before)}I", found.pop()))


@pytest.mark.parametrize("extreme", [False, True])
@pytest.mark.parametrize(("m", "pixels"), [(1, 1), (3, 2), (2, 5)])
def test_short(kernels, m, pixels, extreme):
    """Rows that fill their block, and shorter ones: behind them the inputs are rubbish."""
    width = kernels[0]
    for k in (width, width - 15):
        rng = np.random.default_rng([k, m, pixels, extreme])
        layer = Layer(rng, k, m, extreme, short=True)
        inputs = rng.choice([0, 255], (pixels, width)) if extreme else rng.integers(0, 256, (pixels, width))
        assert short(kernels, layer, inputs) == [v for x in inputs for v in layer.output(x[:k])]


@pytest.mark.parametrize("extreme", [False, True])
@pytest.mark.parametrize(("m", "pixels"), [(1, 1), (3, 2), (2, 5)])
def test_long(kernels, m, pixels, extreme):
    width = kernels[0]
    rng = np.random.default_rng([width, m, pixels, extreme])
    layer = Layer(rng, width, m, extreme)
    inputs = rng.choice([0, 255], (pixels, width)) if extreme else rng.integers(0, 256, (pixels, width))
    before = [int(v) for v in rng.integers(0, 1 << 32, m * pixels)]
    added = [twice(x, v) for x in inputs for v in layer.biased()]
    assert long(kernels, layer, inputs, before) == [(a + b) % (1 << 32) for a, b in zip(before, added, strict=True)]


class Rows:
    """Rows of (weight, acc, multiplier, right): weights that are all the same, and the accumulator that inputs of
    nothing but `value` are to give."""

    low, high, zero = 0, 255, 128

    def __init__(self, width, value, rows):
        self.m = len(rows)
        self._weights = np.array([[weight + 128] * width for weight, *_ in rows], np.uint8)
        bases = [2 * (acc - width * weight * value) - width * (weight + 128) for weight, acc, *_ in rows]
        self._numbers = [
            words(base, q, 1 << right >> 1, right) for base, (*_, q, right) in zip(bases, rows, strict=True)
        ]
        self.expected = [clamp(requantise(acc, q, 0, right) + 128, 0, 255) for _, acc, q, right in rows]

    def biased(self):
        return self._weights

    def short_table(self):
        return b"".join(v.tobytes() + numbers for v, numbers in zip(self._weights, self._numbers, strict=True))


WEIGHTS = (-128, -127, 0, 127)
BOUND = (1 << 22) - 1


@pytest.mark.parametrize("value", [0, 255])
def test_short_at_the_bounds(kernels, value):
    """Sums of products, and accumulators, at the ends of what FORMAT.md allows."""
    width = kernels[0]
    numbers = [(1 << 30, 1), ((1 << 31) - 1, 15), ((1 << 31) - 1, 31), (0, 1)]
    accs = (-BOUND, -1, 0, 1, BOUND)
    layer = Rows(width, value, [(weight, acc, *n) for weight in WEIGHTS for acc in accs for n in numbers])
    assert short(kernels, layer, np.full((3, width), value)) == 3 * layer.expected


def test_ties_of_rounding(kernels):
    """Accumulators on every half, and next to it, at every right shift; 2^31 - 1 leaves them all but as they are."""
    rows = []
    for right in range(1, 32):
        halves = [sign * half * (1 << right) // 2 for half in (1, 2, 3, 6) for sign in (1, -1)]
        accs = [half + d for half in halves for d in range(-2, 3)] + [0, 1, -1, 2, -2, BOUND, -BOUND]
        for multiplier in (1 << 30, (1 << 30) + 1, (1 << 31) - 1):
            rows += [(0, acc, multiplier, right) for acc in accs if abs(acc) <= BOUND]
    layer = Rows(kernels[0], 77, rows)
    assert short(kernels, layer, np.full((1, kernels[0]), 77)) == layer.expected


@pytest.mark.parametrize("value", [0, 255])
def test_long_at_the_bounds(kernels, value):
    """What one block adds at the most, to sums at both ends of 32 bits."""
    width = kernels[0]
    layer = Rows(width, value, [(weight, 0, 0, 1) for weight in WEIGHTS])
    added = 3 * [twice([value] * width, v) for v in layer.biased()]
    for start in (0, (1 << 31) - 1, 1 << 31, (1 << 32) - 1):
        expected = [(start + n) % (1 << 32) for n in added]
        assert long(kernels, layer, np.full((3, width), value), [start] * len(added)) == expected


@pytest.mark.parametrize("code", KERNELS)
@pytest.mark.parametrize(("weight", "value", "left", "right"), [(-127, 255, 0, 21), (127, 0, 0, 1), (-128, 255, 0, 31)])
def test_the_longest_row(code, weight, value, left, right):
    """k = 16384: 256 blocks, all alike, through the kernels that go with them, and an accumulator of 2^29 - 1."""
    k, blocks = 16384, 256
    acc = ((1 << 29) - 1) * (-1 if weight * value < 0 else 1)
    base = 2 * (acc - k * weight * value) - k * (weight + 128)
    release = bytes([weight + 128]) * 64 + words(base, 0x7FFF, 0xFFFF, left, right)
    inverse = bytearray(1024)
    units_at, sums_at, out_at = 64, 64 + 8 * UNIT_LEN, 64 + 8 * UNIT_LEN + 4
    arena = bytearray([value]) * 64 + bytes(8 * UNIT_LEN + 4 + 1)
    places = words(*range(0, 8 * UNIT_LEN, UNIT_LEN))
    with contextlib.ExitStack() as stack:
        around, dots, ends = (stack.enter_context(opened(name, code)) for name in ("kernels_dot", "dot_64", "kernels"))
        around.call("invert", inverse)
        around.call("units", arena, 0, arena, inverse, 0, units_at, 8, 1, 0)
        for _ in range(blocks):
            dots.call("dot", release, 0, arena, words(0, 1, 0, 0, 128, 0, 255), places, units_at, sums_at, 1)
        ends.call("requantise", 0, 0, arena, release, words(64, 1, 1, 0, 128, 0, 255), sums_at, out_at, 1)
    assert arena[out_at] == clamp(requantise(acc, (1 << 31) - 1, left, right) + 128, 0, 255)
