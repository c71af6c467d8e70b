"""The tables of ADD: the same byte as TensorFlow Lite's three requantisations for every a and b."""

import numpy as np
import pytest
from int8_twins import requantise
from tinyseal_host.model.addition import sums_of
from tinyseal_host.model.layers import Addition, Operands, Scaled
from tinyseal_host.model.quantisation import Requantisation, quantize_multiplier

EVERY = np.arange(-128, 128)


def addition(scales, zero_points, *, subtract=False, limits=(-128, 127)):
    """As the reader makes it of the scales of a, b and the output, float32 values."""
    a_scale, b_scale, out_scale = (float(np.float32(scale)) for scale in scales)
    twice = 2 * max(a_scale, b_scale)
    a, b, out = (
        quantize_multiplier(np.array([factor]))
        for factor in (a_scale / twice, b_scale / twice, twice / (out_scale * (1 << 20)))
    )
    operands = Operands(1, 1, None)
    scaled = Scaled(zero_points[0], a), Scaled(zero_points[1], b)
    return Addition(operands, *scaled, subtract, Requantisation(out, zero_points[2], *limits))


def addends(scaled):
    q, shift = int(scaled.multiplier.q31[0]), int(scaled.multiplier.shift[0])
    return [requantise((int(x) - scaled.zero_point) << 20, q, 0, -shift) for x in EVERY]


def expected(found):
    """int8 [256, 256] in plain integers, each sum's byte worked out once."""
    out = found.requantisation
    q, shift = int(out.multiplier.q31[0]), int(out.multiplier.shift[0])
    sign = -1 if found.subtract else 1
    totals = np.add.outer(np.array(addends(found.a)), sign * np.array(addends(found.b)))
    distinct, places = np.unique(totals, return_inverse=True)
    values = [min(max(requantise(int(v), q, 0, -shift) + out.zero_point, out.low), out.high) for v in distinct]
    return np.array(values)[places].reshape(totals.shape)


def computed(found):
    """int8 [256, 256] of tables and operands as FORMAT.md's ADD has them."""
    sums, out = sums_of(found), found.requantisation
    o = sums.operands
    a, b = (np.frombuffer(table, "<u4").astype(np.int64) for table in (sums.a_table, sums.b_table))
    assert max(a.max(), b.max()) < 1 << 30
    assert 0 <= o["base"] < 1 << 31
    v = a[:, None] + b[None, :] - o["base"]
    assert np.abs(v).max() < 1 << (29 if o["hi"] else 30)
    if o["hi"]:
        v = (v * (o["hi"] << 16 | o["lo"]) + (1 << 30)) >> 31
    v = (v - o["away"] * (v < 0) + (1 << o["right"] >> 1)) >> o["right"]
    return np.clip(v + out.zero_point, out.low, out.high)


@pytest.mark.parametrize("subtract", [False, True])
@pytest.mark.parametrize("seed", range(8))
def test_scales_as_a_converter_finds_them_need_no_multiplier(seed, subtract):
    rng = np.random.default_rng([seed, subtract])
    zero_points = [int(v) for v in rng.choice([-128, 127, *rng.integers(-128, 128, 4)], 3)]
    found = addition(
        rng.uniform(0.01, 0.1, 3), zero_points, subtract=subtract, limits=(-100, 127) if seed & 1 else (-128, 127)
    )
    assert sums_of(found).operands["hi"] == 0
    assert np.array_equal(computed(found), expected(found))


@pytest.mark.parametrize(
    ("scales", "multiplied"),
    [
        ((0.05, 0.05, 0.05), False),  # a half now and then: away from zero
        ((0.1, 0.1, 0.2), False),
        ((0.05, 0.04, 0.08), True),  # sums next to the rounding of the product, closer than 32 bits can tell apart
        ((1e-4, 7.0, 0.3), False),
        ((1.0, 1.0, 1e9), True),  # the multiplier is zero
        ((0.1, 0.2, 4e-7), True),  # no right shift
    ],
)
def test_other_scales(scales, multiplied):
    found = addition(scales, (-15, 14, -1))
    assert np.array_equal(computed(found), expected(found))
    assert (sums_of(found).operands["hi"] > 0) == multiplied
