"""The host's gate at every edge of FORMAT.md's contract: which check fails, and which of several comes first."""

import numpy as np
import pytest
from tinyseal_host.contract import Contract
from tinyseal_host.errors import Status
from tinyseal_host.gate import check

LOW, HIGH = np.float32(-1.5), np.float32(0.1)
CONTRACT = Contract.simple(6, float(LOW), float(HIGH), max_zeros=2)
SMALLEST = np.float32(1e-45)  # the least subnormal


def frame(*values):
    """Six float32, of which the last ones are 0.05."""
    return np.array([*values, *[0.05] * (6 - len(values))], np.float32)


def above(value):
    return np.nextafter(value, np.float32(np.inf))


def below(value):
    return np.nextafter(value, np.float32(-np.inf))


@pytest.mark.parametrize(
    ("values", "status"),
    [
        ((), Status.OK),
        ((LOW, HIGH), Status.OK),
        ((below(LOW),), Status.RANGE),
        ((above(HIGH),), Status.RANGE),
        ((above(LOW), below(HIGH)), Status.OK),
        ((np.nan,), Status.NAN),
        ((-np.nan,), Status.NAN),
        ((np.inf,), Status.NAN),
        ((-np.inf,), Status.NAN),
        ((0.0, 0.0), Status.OK),
        ((0.0, -0.0, 0.0), Status.ZEROS),
        ((-0.0, -0.0, -0.0), Status.ZEROS),
        ((0.0, 0.0, SMALLEST, -SMALLEST), Status.OK),
        ((5.0, np.nan), Status.NAN),
        ((0.0, 0.0, 0.0, 5.0), Status.RANGE),
        ((0.0, 0.0, 0.0, np.inf), Status.NAN),
    ],
)
@pytest.mark.parametrize("turn", range(6))
def test_values(values, status, turn):
    """Wherever in the frame the values stand."""
    assert check(np.roll(frame(*values), turn), CONTRACT) is status


@pytest.mark.parametrize("zero", [0.0, -0.0])
@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-0.0, 1.0), (-1.0, 0.0), (-1.0, -0.0)])
def test_both_zeros_lie_in_a_range_that_ends_at_either(zero, low, high):
    contract = Contract.simple(1, low, high, max_zeros=1)
    assert check(np.array([zero], np.float32), contract) is Status.OK


@pytest.mark.parametrize("shape", [(6,), (2, 3), (1, 6, 1), (6, 1)])
def test_any_contiguous_shape_is_a_frame(shape):
    assert check(frame().reshape(shape), CONTRACT) is Status.OK


@pytest.mark.parametrize(
    "wrong",
    [
        frame()[:5],
        np.append(frame(), np.float32(0.05)),
        np.zeros(0, np.float32),
        frame().astype(np.float64),
        frame().astype(">f4"),
        np.ones(6, np.int32),
        np.append(frame(), frame())[::2],
        np.ones((3, 2), np.float32).T,
        frame().tobytes(),
        list(frame()),
        None,
    ],
    ids=["short", "long", "empty", "float64", "big-endian", "int32", "strided", "transposed", "bytes", "list", "None"],
)
def test_anything_else_is_size(wrong):
    assert check(wrong, CONTRACT) is Status.SIZE


def test_size_comes_before_what_the_values_are():
    assert check(np.full(5, np.nan, np.float32), CONTRACT) is Status.SIZE
