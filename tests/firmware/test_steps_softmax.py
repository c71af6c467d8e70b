"""Softmax as the code that ships, the plain one too, against gemmlowp's arithmetic in plain integers."""

import struct

import numpy as np
import pytest
from int8_twins import clamp, machine_of, srdhm
from tinyseal_host.model.softmax import softmax_exponentials
from tinyseal_host.model.tables import exponential_table

machine = machine_of("steps_softmax")


def one_over_one_plus_x(a):
    """gemmlowp's one_over_one_plus_x_for_x_in_0_1 for a in Q0.31, Q0.31: Newton's method in Q2.29."""
    half_denominator = a + ((1 << 31) - 1) + 1 >> 1  # RoundingHalfSum with one
    x = 1515870810 + srdhm(half_denominator, -1010580540)
    for _ in range(3):
        one_minus = (1 << 29) - srdhm(half_denominator, x)
        x += clamp(srdhm(x, one_minus) << 2, -(1 << 31), (1 << 31) - 1)
    return clamp(x << 1, -(1 << 31), (1 << 31) - 1)


def softmax(x, exp):
    """TensorFlow Lite's reference softmax on int8, from a table of exp in Q0.31; biased bytes in and out."""
    top = int(max(x))
    e = [exp[top - int(v)] for v in x]
    total = sum(v + (1 << 11) >> 12 for v in e)
    headroom = 32 - total.bit_length()
    shifted = (total << headroom) - (1 << 31)
    scale = one_over_one_plus_x(shifted)
    shift = (12 - headroom) + 31 - 8
    out = []
    for v in e:
        product = srdhm(scale, v)
        out.append(clamp(product + (1 << shift - 1) >> shift, 0, 255))
    return out


@pytest.mark.parametrize("beta_scale", [0.0039, 0.08, 0.5, 3.0])
@pytest.mark.parametrize("depth", [1, 2, 4, 10, 255])
def test_softmax(machine, beta_scale, depth):
    rng = np.random.default_rng(depth)
    table = exponential_table(softmax_exponentials(beta_scale, 1.0))
    exp = struct.unpack("<256i", table)
    cases = [rng.integers(0, 256, depth), np.full(depth, 255), np.zeros(depth, int), rng.choice([0, 255], depth)]
    alone, but_one = np.zeros(depth, int), np.full(depth, 255)  # the least sum of exponentials, and nearly the greatest
    alone[depth // 2], but_one[-1] = 255, 0
    cases += [alone, but_one]
    for x in cases:
        in_at, out_at = 8, 8 + depth
        arena = bytearray(8) + bytearray(bytes(int(v) for v in x)) + bytearray(depth + 3)
        before = bytes(arena)
        machine.call("softmax", 0, 0, arena, table, in_at, depth, out_at)
        assert list(arena[out_at : out_at + depth]) == softmax(x, exp)
        assert arena[:out_at] + arena[out_at + depth :] == before[:out_at] + before[out_at + depth :]
