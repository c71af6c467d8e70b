"""The one exception of the virtual board."""

from __future__ import annotations

from ..errors import BoardError


class SimError(BoardError):
    """The virtual board cannot start, or is off."""
