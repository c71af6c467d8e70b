"""Quantile, margin and rounding of a limit, and the limits that the other frames alone would give."""

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tinyseal_host.screening.limits import Axis, Rule, rounded_down, rounded_up, unit_of

FIGURES = st.lists(st.floats(0, 1000, width=32), min_size=2, max_size=30)
RULES = st.builds(Rule, st.floats(0, 2), st.floats(0, 0.49))


@pytest.mark.parametrize(
    ("rule", "axis", "expected"),
    [
        (Rule(0.0, 0.0), Axis.LINEAR, (1.0, 100.0)),
        (Rule(0.1, 0.0), Axis.LINEAR, (1 - 9.9, 100 + 9.9)),
        (Rule(0.5, 0.0), Axis.LOGARITHMIC, (0.1, 1000.0)),
        (Rule(0.1, 0.25), Axis.LINEAR, (4 - 4.6, 50 + 4.6)),
        (Rule(0.1, 0.19), Axis.LINEAR, (1 - 9.9, 100 + 9.9)),
    ],
)
def test_a_limit_by_hand(rule, axis, expected):
    """Five frames: a quantile of 1/5 would disregard the outermost at either end, a little less none."""
    figures = np.array([50.0, 1.0, 9.0, 100.0, 4.0])
    assert rule.limits(figures, figures, axis) == pytest.approx(expected)


def test_a_share_is_at_most_all():
    shares = np.array([0.0, 0.25])
    assert Rule(0.5, 0.0).limits(shares, shares, Axis.SHARE)[1] == 0.75
    assert Rule(0.9, 0.0).limits(shares, shares, Axis.SHARE)[1] == 1.0


def test_from_zero_there_is_no_factor():
    figures = np.array([0.0, 8.0])
    assert Rule(0.5, 0.0).limits(figures, figures, Axis.LOGARITHMIC) == (0.0, 12.0)


@given(FIGURES, RULES, st.sampled_from(Axis))
def test_limits_without_a_frame_are_those_of_the_others(figures, rule, axis):
    own = np.array(figures)
    lows, highs = rule.limits_without(own, own + 1, axis)
    for i in range(len(own)):
        others = np.delete(own, i)
        assert (lows[i], highs[i]) == rule.limits(others, others + 1, axis)


@given(FIGURES, st.floats(0, 2), st.sampled_from(Axis))
def test_without_a_quantile_nothing_lies_outside(figures, margin, axis):
    shares = np.array(figures) / 1000
    low, high = Rule(margin, 0.0).limits(shares, shares, axis)
    assert low <= shares.min()
    assert shares.max() <= high


@given(st.floats(-1e30, 1e30), st.integers(-40, 30))
def test_rounding_goes_outwards_to_a_multiple(value, exponent):
    unit = 10.0**exponent
    down, up = rounded_down(value, exponent), rounded_up(value, exponent)
    assert down <= value <= up
    for end in (down, up):
        assert abs(end - value) <= unit * (1 + 1e-9) + abs(value) * 1e-15
        if abs(end) < 1e15 * unit:
            assert Decimal(repr(end)) % Decimal(10) ** exponent == 0


def test_a_multiple_stays_as_it_is():
    assert rounded_down(0.3, -1) == rounded_up(0.3, -1) == 0.3
    assert rounded_up(-27.82, -1) == -27.8
    assert rounded_down(-27.82, -1) == -27.9


@given(st.floats(1e-30, 1e30))
def test_a_unit_leaves_three_digits(span):
    assert 100 * (1 - 1e-9) <= span / 10.0 ** unit_of(span) <= 1000 * (1 + 1e-9)
