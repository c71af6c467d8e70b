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


def test_finish(machine):
    x = bytes([3, 200, 7, 200, 0, 255, 255, 128])
    out = bytearray(8)
    assert machine.call("finish", x, 8, out) == 5
    assert np.frombuffer(bytes(out), np.int8).tolist() == [v - 128 for v in x]
