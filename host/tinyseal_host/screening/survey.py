"""What clean frames are like: for every check of the gate the figure that it looks at, frame by frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..errors import TinysealError

Frames = npt.NDArray[np.generic]
Figures = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Survey:
    """The frames, float64 [frames, samples, channels], and what the checks see of them, float64 [frames, channels]."""

    values: Figures
    least: Figures
    greatest: Figures
    zeros: Figures
    """The share of zeros in the whole frame, [frames, 1]."""
    movement: Figures
    step: Figures
    mean: Figures
    deviation: Figures

    @property
    def samples(self) -> int:
        """Values of one channel in a frame."""
        samples: int = self.values.shape[1]
        return samples

    def at_rails(self, low: float, high: float, channel: int) -> Figures:
        """The share of a channel's values that are `low` or less or `high` or more, float64 [frames]."""
        values = self.values[:, :, channel]
        share: Figures = ((values <= low) | (values >= high)).mean(axis=1)
        return share


def survey(frames: Frames, channels: int, what: str) -> Survey:
    """A Survey of clean frames, [frames, values] with `channels` interleaved; `what` names them in a TinysealError.

    That is raised for frames that are no two or more, not whole samples, or not clean: with NaN or infinity in them,
    or with a channel that never moves.
    """
    count, length = frames.shape
    if count < 2:
        raise TinysealError(f"{what}: has {count} frame{'' if count == 1 else 's'}, wanted 2 or more clean ones")
    if length % channels:
        raise TinysealError(f"{what}: has {length} values a frame, wanted a multiple of {channels} channels")
    values = frames.astype(np.float64)
    finite = np.isfinite(values)
    clean = finite.all(axis=1)
    if not clean.all():
        first = int(np.flatnonzero(~clean)[0])
        bad = int((~finite[first]).sum())
        raise TinysealError(
            f"{what}: frame {first} has NaN or infinity in {bad} of its values, wanted clean frames",
            hint=f"{int((~clean).sum())} of {count} frames have; leave them out",
        )
    values = values.reshape(count, length // channels, channels)
    least, greatest = values.min(axis=1), values.max(axis=1)
    for channel in range(channels):
        if least[:, channel].min() == greatest[:, channel].max():
            always = least[0, channel] + 0.0  # -0.0 is a zero, too
            raise TinysealError(
                f"{what}: channel {channel} is {always:g} throughout, wanted frames of a sensor that works"
            )
    return Survey(
        values,
        least,
        greatest,
        (values == 0).mean(axis=(1, 2))[:, None],
        greatest - least,
        np.abs(np.diff(values, axis=1)).max(axis=1, initial=0.0),
        values.mean(axis=1),
        values.std(axis=1),
    )
