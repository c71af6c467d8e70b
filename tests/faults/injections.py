"""The faults: each turns one clean frame, float32 [samples, channels], into one or more faulty ones.

How strong a fault is, is said in units of the training recordings: their least and greatest value and their standard
deviation, channel by channel. What is drawn at random comes from a generator that is seeded by fault and frame.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np

Frame = np.ndarray
Variants = Callable[["Scene"], Iterator[Frame]]


@dataclass(frozen=True)
class Scene:
    """A clean frame, the one that came before it, and what is known of each channel from the training recordings."""

    frame: Frame
    before: Frame
    least: np.ndarray
    greatest: np.ndarray
    deviation: np.ndarray
    rng: np.random.Generator

    @property
    def samples(self) -> range:
        return range(self.frame.shape[0])

    @property
    def channels(self) -> range:
        return range(self.frame.shape[1])

    def with_channel(self, channel: int, values: np.ndarray | float) -> Frame:
        """The frame with one channel replaced."""
        faulty = self.frame.copy()
        faulty[:, channel] = values
        return faulty

    def some(self, count: int) -> np.ndarray:
        """Positions of `count` different samples."""
        return self.rng.choice(self.frame.shape[0], count, replace=False)


@dataclass(frozen=True)
class Fault:
    """One kind of fault at one level; `variants` of a scene are the faulty frames, the same number for every frame."""

    kind: str
    level: str
    variants: Variants


def dead(scene: Scene) -> Iterator[Frame]:
    """A channel is zero throughout."""
    for channel in scene.channels:
        yield scene.with_channel(channel, 0.0)


def stuck(share: float) -> Variants:
    """A channel keeps its value for the last part of the frame."""

    def variants(scene: Scene) -> Iterator[Frame]:
        first = len(scene.samples) - round(share * len(scene.samples))
        for channel in scene.channels:
            values = scene.frame[:, channel].copy()
            values[first:] = values[first]
            yield scene.with_channel(channel, values)

    return variants


def dropout(share: float) -> Variants:
    """Samples are lost here and there, all channels at once, and read as zero."""

    def variants(scene: Scene) -> Iterator[Frame]:
        faulty = scene.frame.copy()
        faulty[scene.some(round(share * len(scene.samples)))] = 0.0
        yield faulty

    return variants


def clipped(share: float) -> Variants:
    """An amplifier ends at a share of what this channel reaches in this frame, above and below its middle."""

    def variants(scene: Scene) -> Iterator[Frame]:
        for channel in scene.channels:
            values = scene.frame[:, channel]
            middle, half = (values.max() + values.min()) / 2, (values.max() - values.min()) / 2
            yield scene.with_channel(channel, np.clip(values, middle - share * half, middle + share * half))

    return variants


def pinned(share: float) -> Variants:
    """For a part of the frame a channel lies at the greatest value that was ever seen of it."""

    def variants(scene: Scene) -> Iterator[Frame]:
        for channel in scene.channels:
            values = scene.frame[:, channel].copy()
            values[: round(share * len(values))] = scene.greatest[channel]
            yield scene.with_channel(channel, values)

    return variants


def gain(factor: float, *, every: bool) -> Variants:
    """One channel, or every one, is scaled."""

    def variants(scene: Scene) -> Iterator[Frame]:
        if every:
            yield scene.frame * np.float32(factor)
            return
        for channel in scene.channels:
            yield scene.with_channel(channel, scene.frame[:, channel] * np.float32(factor))

    return variants


def offset(share: float) -> Variants:
    """A share of the span that was seen of it is added to a channel, or taken away."""

    def variants(scene: Scene) -> Iterator[Frame]:
        for channel in scene.channels:
            by = share * (scene.greatest[channel] - scene.least[channel])
            for sign in (1, -1):
                yield scene.with_channel(channel, scene.frame[:, channel] + sign * by)

    return variants


def swapped(scene: Scene) -> Iterator[Frame]:
    """Two channels are taken for each other."""
    for one, other in combinations(scene.channels, 2):
        order = list(scene.channels)
        order[one], order[other] = other, one
        yield scene.frame[:, order]


def flipped(*, every: bool) -> Variants:
    """One channel, or every one, has the wrong sign: a sensor that is mounted upside down."""
    return gain(-1.0, every=every)


def spikes(count: int, times: float) -> Variants:
    """Single values of a channel jump to so many times the extremes that were seen of it."""

    def variants(scene: Scene) -> Iterator[Frame]:
        for channel in scene.channels:
            values = scene.frame[:, channel].copy()
            ends = np.array([scene.least[channel], scene.greatest[channel]])
            values[scene.some(count)] = times * scene.rng.choice(ends, count)
            yield scene.with_channel(channel, values)

    return variants


def nan_burst(count: int) -> Variants:
    """So many values of a channel in a row are NaN."""

    def variants(scene: Scene) -> Iterator[Frame]:
        for channel in scene.channels:
            values = scene.frame[:, channel].copy()
            at = scene.rng.integers(0, len(values) - count + 1)
            values[at : at + count] = np.nan
            yield scene.with_channel(channel, values)

    return variants


def shifted_copy(samples: int) -> Variants:
    """A channel shows what its neighbour had so many samples before."""

    def variants(scene: Scene) -> Iterator[Frame]:
        for channel in scene.channels:
            neighbour = (channel + 1) % len(scene.channels)
            yield scene.with_channel(channel, np.roll(scene.frame[:, neighbour], samples))

    return variants


def noise(times: float) -> Variants:
    """White noise on all channels, so many times as strong as the channel's own standard deviation in training."""

    def variants(scene: Scene) -> Iterator[Frame]:
        yield scene.frame + scene.rng.normal(0.0, 1.0, scene.frame.shape) * times * scene.deviation

    return variants


def constant(scene: Scene) -> Iterator[Frame]:
    """One sample again and again."""
    yield np.repeat(scene.frame[:1], len(scene.samples), axis=0)


def replayed(scene: Scene) -> Iterator[Frame]:
    """The frame before once more, instead of this one."""
    yield scene.before


FAULTS = (
    Fault("dead channel", "zero", dead),
    Fault("stuck value", "last quarter", stuck(0.25)),
    Fault("stuck value", "last half", stuck(0.5)),
    Fault("stuck value", "all of it", stuck(1.0)),
    Fault("dropout", "10 %", dropout(0.1)),
    Fault("dropout", "30 %", dropout(0.3)),
    Fault("dropout", "50 %", dropout(0.5)),
    Fault("saturation", "clipped at 50 %", clipped(0.5)),
    Fault("saturation", "clipped at 10 %", clipped(0.1)),
    Fault("saturation", "at the end for 5 %", pinned(0.05)),
    Fault("saturation", "at the end for 30 %", pinned(0.3)),
    Fault("gain", "x10, one channel", gain(10.0, every=False)),
    Fault("gain", "x10, all", gain(10.0, every=True)),
    Fault("gain", "/10, one channel", gain(0.1, every=False)),
    Fault("gain", "/10, all", gain(0.1, every=True)),
    Fault("offset", "10 % of the span", offset(0.1)),
    Fault("offset", "50 % of the span", offset(0.5)),
    Fault("swapped channels", "every pair", swapped),
    Fault("sign flip", "one channel", flipped(every=False)),
    Fault("sign flip", "all", flipped(every=True)),
    Fault("spikes", "1, as high as seen", spikes(1, 1.0)),
    Fault("spikes", "5, as high as seen", spikes(5, 1.0)),
    Fault("spikes", "1, twice as high", spikes(1, 2.0)),
    Fault("NaN burst", "1 value", nan_burst(1)),
    Fault("NaN burst", "10 values", nan_burst(10)),
    Fault("time-shifted copy", "5 samples", shifted_copy(5)),
    Fault("time-shifted copy", "50 samples", shifted_copy(50)),
    Fault("white noise", "0.1 deviations", noise(0.1)),
    Fault("white noise", "0.5 deviations", noise(0.5)),
    Fault("white noise", "1 deviation", noise(1.0)),
    Fault("white noise", "2 deviations", noise(2.0)),
    Fault("replay", "one sample, constant", constant),
    Fault("replay", "the frame before", replayed),
)
"""All but the one that is searched for, `adversarial`."""
