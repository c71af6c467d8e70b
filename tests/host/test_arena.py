"""The arena planner: what lives together never overlaps, and little is wasted."""

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st
from tinyseal_host.model.arena import Buffer, place


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
