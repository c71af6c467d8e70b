"""A search for small changes that make the network answer wrongly and that the gate lets through.

It knows the contract and asks the network for its scores, and nothing else: no gradient. As in the Square Attack
(Andriushchenko and others, 2020), a run of samples of one channel is moved to one end of what is allowed at a time, and
what brings the right class no further ahead is kept.
"""

from collections.abc import Callable

import numpy as np

_QUERIES = 200
_LONGEST = 50  # samples that are moved at once, at first


def attack(
    frame: np.ndarray,
    reach: np.ndarray,
    scores: Callable[[np.ndarray], np.ndarray],
    passes: Callable[[np.ndarray], bool],
    rng: np.random.Generator,
) -> np.ndarray:
    """A frame, float32 [samples, channels], no value of which is further than `reach` of its channel from `frame`.

    The first that is found to change the class, else the one that comes nearest to it after 200 queries. `passes` tells
    whether the gate accepts one.
    """
    right = int(np.argmax(scores(frame)))
    best, lead = frame, _lead(scores(frame), right)
    samples, channels = frame.shape
    for query in range(_QUERIES):
        length = max(1, round(_LONGEST * (1 - query / _QUERIES)))
        channel, at = rng.integers(channels), rng.integers(samples)
        tried = best.copy()
        tried[at : at + length, channel] = frame[at : at + length, channel] + rng.choice([-1, 1]) * reach[channel]
        if not passes(tried):
            continue
        found = _lead(scores(tried), right)
        if found <= lead:
            best, lead = tried, found
        if lead < 0:
            break
    return best


def _lead(scores: np.ndarray, right: int) -> int:
    """By how much the right class is ahead of the best other one; below zero when the network answers wrongly."""
    others = np.delete(scores.astype(int), right)
    return int(scores[right]) - int(others.max())
