"""The arena planner: what lives together never overlaps, and little is wasted."""

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tinyseal_host.model.arena import Buffer, live_bytes, place


@st.composite
def buffers(draw):
    lives = draw(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 4), st.integers(1, 300)), max_size=20))
    return [Buffer(size, first, first + more) for first, more, size in lives]


@settings(max_examples=200, deadline=None, derandomize=True)
@given(buffers())
def test_buffers_alive_in_one_step_lie_apart(made):
    offsets, length = place(made)
    for step in range(18):
        alive = sorted((at, at + b.size) for at, b in zip(offsets, made, strict=True) if b.first <= step <= b.last)
        assert all(end <= start for (_, end), (start, _) in itertools.pairwise(alive))
    assert all(at % 4 == 0 and at + b.size <= length for at, b in zip(offsets, made, strict=True))
    assert length % 4 == 0
    assert length <= sum(b.size + 3 for b in made) + 3


def test_chain_needs_no_more_than_its_widest_step():
    """Each buffer is read in the step that writes the next one; the widest pair is 64 + 100."""
    sizes = [40, 64, 100, 8, 80]
    assert place([Buffer(size, max(i - 1, 0), i) for i, size in enumerate(sizes)])[1] == 164


def test_gap_between_two_is_used():
    """The large ones meet only in step 1; the small one fits below the second while the first is gone."""
    offsets, length = place([Buffer(100, 0, 1), Buffer(80, 1, 2), Buffer(60, 2, 2)])
    assert offsets == [0, 100, 0]
    assert length == 180


def test_no_buffers():
    assert place([]) == ([], 0)


def lowest(made, order):
    """The arena's length when buffers are put down in this order, each at the least multiple of 4 that is free."""
    offsets = {}
    for number in order:
        new = made[number]
        at = 0
        while any(
            made[n].first <= new.last
            and new.first <= made[n].last
            and at < offset + made[n].size
            and offset < at + new.size
            for n, offset in offsets.items()
        ):
            at += 4
        offsets[number] = at
    return max(-(-(offset + made[n].size) // 4) * 4 for n, offset in offsets.items())


def test_no_order_of_a_few_buffers_is_better():
    """Every best packing can be had by putting its buffers down in the order of their offsets."""
    rng = np.random.default_rng(11)
    for _ in range(60):
        starts = rng.integers(0, 6, 6)
        made = [
            Buffer(int(size), int(at), int(at + more))
            for size, at, more in zip(rng.integers(1, 40, 6), starts, rng.integers(0, 4, 6), strict=True)
        ]
        assert place(made)[1] == min(lowest(made, order) for order in itertools.permutations(range(6)))


def random_graph(rng):
    """Buffers of a network in which most layers read the last output, and some one or two more from before."""
    layers = int(rng.integers(4, 21))
    last = list(range(layers))
    for layer in range(1, layers):
        for source in {layer - 1, *rng.integers(max(0, layer - 5), layer, rng.integers(0, 3))}:
            last[source] = layer
    return [Buffer(4 * int(rng.integers(1, 300)), layer, end) for layer, end in enumerate(last)]


def test_random_graphs_come_near_the_most_that_is_alive_at_once():
    rng = np.random.default_rng(5)
    ratios = []
    for _ in range(300):
        made = random_graph(rng)
        bound = max(sum(b.size for b in made if b.first <= step <= b.last) for step in range(21))
        assert max(live_bytes(made)) == bound
        ratios.append(place(made)[1] / bound)
    assert np.mean(np.equal(ratios, 1)) > 0.95
    assert np.mean(ratios) < 1.005
