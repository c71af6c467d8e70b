"""A session as a picture: the class of every frame, and how long it took."""

from __future__ import annotations

import numpy as np

from ..errors import TinysealError
from ..picture import Ink, Panel, draw
from .session import Session

_LEGEND = {Ink.TRACE: "frames", Ink.REFUSED: "refused"}


def picture(session: Session, title: str) -> bytes:
    """A PNG; TinysealError when there is no frame in it."""
    if not session.history:
        raise TinysealError("nothing to draw: no frame came")
    frames = [frame for _, frame in session.history]
    refused = np.array([not frame.accepted for frame in frames])
    tops = np.array([[frame.top if frame.accepted else np.nan] for frame in frames])
    milliseconds = np.array([[(frame.gate_us + frame.net_us) / 1000] for frame in frames])
    outputs = max((len(frame.scores) for frame in frames), default=0)
    names = ", ".join(f"{top} {session.label(top)}" for top in sorted(session.classes)) or "none"
    nothing = np.zeros(tops.shape, np.bool_)
    most = float(milliseconds.max()) or 1.0
    panels = [
        Panel(f"class: {names}", tops, -0.5, max(outputs, 1) - 0.5, nothing, refused, limited=False),
        Panel("gate and network, ms", milliseconds, 0.0, most, nothing, refused, limited=False),
    ]
    seconds = session.history[-1][0] - session.history[0][0]
    return draw(title, panels, legend=_LEGEND, axis=f"frame, {len(frames)} in {seconds:.0f} s")
