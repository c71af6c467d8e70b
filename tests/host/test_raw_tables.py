"""Quantise tables of raw integers, read as FORMAT.md says, against TensorFlow Lite Micro's own QUANTIZE."""

import numpy as np
import pytest
from gate_cases import ENDS, NUMPY
from hypothesis import given, settings
from hypothesis import strategies as st
from tflite_parts import scales, tflm_quantise, zero_points
from tinyseal_host.contract import Channel, Contract
from tinyseal_host.model.raw_tables import raw_quantise_tables


def looked_up(table, kind, raw):
    """The int8 value of each raw one, by the document alone."""
    if kind != "int16":
        return (np.frombuffer(table, np.uint8)[raw.view(np.uint8)] ^ 128).view(np.int8)
    base, shift = (int(word) for word in np.frombuffer(table, "<u2", 2))
    x = np.maximum(raw.astype(np.int64) + 32768 - base, 0)
    n = np.frombuffer(table, np.uint8, 256, 4)[np.minimum(x >> shift, 255)].astype(np.int64)
    last = np.frombuffer(table, "<u2", 256, 260).astype(np.int64)
    for _ in range(4):  # blocks are small enough that it is never far
        n += x > last[n]
    assert not (x > last[n]).any()
    return (n - 128).astype(np.int8)


def check(kind, raw_scale, offset, scale, zero_point):
    raw = np.arange(ENDS[kind][0], ENDS[kind][1] + 1).astype(NUMPY[kind])
    contract = Contract(kind, 1, (Channel(0, 1, float(raw_scale), float(offset)),), 0)
    physical = (raw.astype(np.float32) * np.float32(raw_scale)).astype(np.float32) + np.float32(offset)
    table = raw_quantise_tables(contract, float(scale), zero_point)
    assert len(table) == (772 if kind == "int16" else 256)
    np.testing.assert_array_equal(looked_up(table, kind, raw), tflm_quantise(physical, scale, zero_point))


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from(sorted(ENDS)),
    scales(1e-5, 10),
    st.floats(-300, 300, width=32),
    scales(),
    zero_points,
)
def test_every_raw_value_is_quantised_as_by_tflm(kind, raw_scale, offset, scale, zero_point):
    check(kind, raw_scale, offset, scale, zero_point)


@pytest.mark.parametrize("kind", sorted(ENDS))
@pytest.mark.parametrize(
    ("raw_scale", "offset"),
    [(0.5, 0.0), (0.25, 0.125), (1.0, -0.5), (1e-4, 0.0), (1e4, 0.0), (3e4, -3e5), (1e-40, 1.0), (2.0**-149, 0.0)],
)
def test_ties_and_extremes(kind, raw_scale, offset):
    """Halves between two values, which the order of roundings decides; far out, within TFLM's int32; denormals."""
    check(kind, raw_scale, offset, np.float32(0.5), -1)


def test_one_table_for_channels_that_are_alike():
    alike = Contract("int8", 2, (Channel(0, 1, 0.5, 1.0), Channel(0, 9, 0.5, 1.0)), 0)
    other = Contract("int8", 2, (Channel(0, 1, 0.5, 1.0), Channel(0, 1, 0.5, -1.0)), 0)
    assert len(raw_quantise_tables(alike, 0.1, 0)) == 256
    tables = raw_quantise_tables(other, 0.1, 0)
    first, second = (raw_quantise_tables(Contract("int8", 1, (one,), 0), 0.1, 0) for one in other.channels)
    assert tables == first + second
    signs = Contract("int8", 2, (Channel(0, 1, 0.5, 0.0), Channel(0, 1, 0.5, -0.0)), 0)
    assert len(raw_quantise_tables(signs, 0.1, 0)) == 512
