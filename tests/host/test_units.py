"""The fixed point against exact fractions: floor, 15 bits, and the errors that FORMAT.md promises."""

from fractions import Fraction

import numpy as np
import pytest
from gate_cases import Limits, fixed_point
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tinyseal_host.units import Units

finite = st.floats(width=32, allow_nan=False, allow_infinity=False)


@st.composite
def ranges(draw):
    """A range of float32 and values in it."""
    low, high = sorted((draw(finite), draw(finite)))
    assume(low < high)
    values = draw(st.lists(st.floats(low, high, width=32), min_size=1, max_size=40))
    return low, high, np.array(values, np.float32)


@settings(deadline=None)
@given(ranges())
def test_float32(drawn):
    low, high, values = drawn
    units = Units.of_float32(low, high)
    u_of, shift = fixed_point("float32", Limits(low, high))
    assert units.u(values).tolist() == [u_of(value) for value in values]
    assert units.shift == shift
    assert units.span == u_of(high)
    assert units.span < 1 << 31
    assert units.u(np.array([low, high], np.float32)).tolist() == [0, units.span]
    assert 0 <= units.q(values).min() <= units.q(values).max() < 1 << 15
    for value, u in zip(values, units.u(values).tolist(), strict=True):
        assert units.physical(u) <= Fraction(float(value)) < units.physical(u + 1)
    assert units.unit * 2**29 <= Fraction(max(abs(low), abs(high))) or units.unit == Fraction(2) ** -155


@pytest.mark.parametrize(("low", "high", "shift"), [(-32768, 32767, 1), (0, 32767, 0), (0, 32768, 1), (5, 6, 0)])
def test_raw_integers(low, high, shift):
    units = Units.of_integers(low, high, Fraction(1, 2), Fraction(3))
    assert units.shift == shift
    assert units.u(np.array([low, high], np.int16 if high < 32768 else np.int32)).tolist() == [0, high - low]
    assert units.physical(0) == Fraction(low) / 2 + 3
    assert units.unit == Fraction(1, 2)


@st.composite
def columns(draw):
    """Values of a channel with its fixed point: float32, or int16 in a wide or a narrow range."""
    if draw(st.booleans()):
        low, high, values = draw(ranges())
        return Units.of_float32(low, high), values, [Fraction(float(value)) for value in values]
    low, high = sorted(draw(st.lists(st.integers(-32768, 32767), min_size=2, max_size=2, unique=True)))
    values = draw(st.lists(st.integers(low, high), min_size=1, max_size=40))
    return (
        Units.of_integers(low, high, Fraction(1), Fraction(0)),
        np.array(values, np.int16),
        [Fraction(value) for value in values],
    )


@settings(deadline=None)
@given(columns())
def test_errors_of_mean_and_deviation(drawn):
    """The mean, corrected as the host does it, to half an LSB and half a u; the deviation to half an LSB."""
    units, values, exact = drawn
    lsb = units.unit * 2**units.shift
    q = [Fraction(value) for value in units.q(values).tolist()]
    n = len(q)
    corrected = units.origin + sum(q) / n * lsb + Fraction(2**units.shift - 1, 2) * units.unit
    assert abs(corrected - sum(exact) / n) <= lsb / 2 + units.unit / 2
    if units.exponent is None and not units.shift:
        assert corrected == sum(exact) / n
    variance = sum(value * value for value in q) / n - (sum(q) / n) ** 2
    true = (sum(value * value for value in exact) / n - (sum(exact) / n) ** 2) / lsb**2
    # |sqrt(variance) - sqrt(true)| <= 1/2, without square roots: |variance - true| <= sqrt(true) + 1/4, squared.
    difference = abs(variance - true)
    assert difference <= Fraction(1, 4) or (difference - Fraction(1, 4)) ** 2 <= true
