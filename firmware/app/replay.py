"""Stored frames in the place of a sensor."""

import uos

from .pace import Pace


class Replay:
    """The frames in a file, end to end as numpy's `tofile` writes them, over and over.

    ValueError when they are not whole frames of `frame_bytes`, OSError when there is no such file.
    """

    def __init__(self, path, frame_bytes, rate_hz):
        size = uos.stat(path)[6]
        if not size or size % frame_bytes:
            raise ValueError("%s: %d bytes, wanted whole frames of %d" % (path, size, frame_bytes))
        self._file = open(path, "rb")
        self._pace = Pace(rate_hz)

    def fill(self, frame):
        """The next frame, when it is time for it."""
        self._pace.wait()
        if not self._file.readinto(frame):
            self._file.seek(0)
            self._file.readinto(frame)
