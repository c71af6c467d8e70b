"""The kernels of the network's edges as the code that ships, the plain one too, against plain numbers."""

import numpy as np
import pytest
from int8_twins import machine_of
from tflite_parts import tflm_quantise
from tinyseal_host.model.tables import quantise_table

machine = machine_of("kernels")


_MANTISSAS = (0, 1, 0x3FFFFF, 0x400000, 0x7FFFFF)
_EDGES = [sign << 31 | exponent << 23 | m for sign in (0, 1) for exponent in range(256) for m in _MANTISSAS]
"""float32 of every exponent: both zeros, denormals and infinities among them."""


@pytest.mark.parametrize(
    ("scale", "zero_point"), [(0.1, 0), (1.0, -128), (3.1e-5, 127), (0.2458, -15), (1e-30, 5), (7e20, -3)]
)
def test_quantise(machine, scale, zero_point):
    """TFLM's QUANTIZE, which is x / scale in float32, rounded half away from zero, + zero point, clamped.

    TFLM itself is asked as far as a quotient fits its int32; what it makes of others is not defined.
    """
    scale = float(np.float32(scale))
    rng = np.random.default_rng(3)
    bits = [*_EDGES, *(int(v) for v in rng.integers(0, 1 << 32, 800))]
    near = np.float32(scale) * (np.arange(-300, 300).astype(np.float32) / np.float32(2))
    for offset in (-1, 0, 1):  # on, and one float beside, every half step
        bits += [int(v) + offset & 0xFFFFFFFF for v in near.view(np.uint32)]
    x = np.array(bits, np.uint32).view(np.float32)
    x = x[~np.isnan(x)]
    with np.errstate(over="ignore"):
        quotient = (x / np.float32(scale)).astype(np.float64)
    rounded = np.where(quotient < 0, np.ceil(quotient - 0.5), np.floor(quotient + 0.5))
    expected = np.clip(rounded + zero_point, -128, 127).astype(int) + 128
    out = bytearray(len(x))
    machine.call("quantise", x.astype("<f4").tobytes(), 0, 0, out, len(x), quantise_table(scale, zero_point))
    assert list(out) == expected.tolist()
    fits = np.abs(rounded) < 1 << 30
    theirs = tflm_quantise(x[fits], np.float32(scale), zero_point)
    np.testing.assert_array_equal(theirs.astype(int) + 128, expected[fits])


@pytest.mark.parametrize("sign", [0, 1 << 31])
def test_nan_ends_and_stays_alone(machine, sign):
    """Its byte means nothing; those beside it are as ever, whichever NaN it is."""
    for bits in (0x7F800001, 0x7FC00000, 0x7FFFFFFF):
        x = np.array([0x3F800000, bits | sign, 0xBF800000], np.uint32)
        out = bytearray(b"\xa5" * 5)
        machine.call("quantise", x.astype("<u4").tobytes(), 0, 0, out, 3, quantise_table(1.0, 0))
        assert (out[0], out[2], out[3:]) == (129, 127, b"\xa5" * 2)


@pytest.mark.parametrize("n", [1, 2, 5, 256, 1000])
def test_finish(machine, n):
    """The first of the greatest, wherever it stands: in random bytes, among equals of every value, at either end."""
    rng = np.random.default_rng(n)
    rows = [rng.integers(0, 256, n), rng.integers(100, 103, n), np.arange(n) % 256, -np.arange(n) % 256]
    rows += [np.full(n, value) for value in (0, 1, 127, 128, 254, 255)]
    for row in rows:
        x = row.astype(np.uint8)
        out = bytearray(b"\xa5" * (n + 2))
        assert machine.call("finish", x.tobytes(), n, out) == int(np.argmax(x))
        assert np.frombuffer(bytes(out[:n]), np.int8).tolist() == (row - 128).tolist()
        assert out[n:] == b"\xa5" * 2
