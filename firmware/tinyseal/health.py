"""What a gate has seen (level 1): counters, and whether the sensor has failed."""

from uarray import array

from .errors import OK, SENSOR, STATUSES


class Health:
    """Counts verdicts; allocates nothing after it was made.

    `counts`: frames by status, SENSOR being those that were refused after so many others; each of them is counted under
    its reason as well. `channels`: refused frames by the channel that was to blame. `last_status` and `last_channel`:
    of the last refused frame, OK and -1 before there is one. `run`: refused frames in a row up to now; `longest`: of
    all. `failed`: whether they are so many that the contract calls it the sensor's failure.
    """

    def __init__(self, channels, failure_after):
        """`failure_after`: that many refused frames in a row are a failure, 0 for never."""
        self.counts = array("I", (0 for _ in STATUSES))
        self.channels = array("I", (0 for _ in range(channels)))
        self.last_status = OK
        self.last_channel = -1
        self.run = 0
        self.longest = 0
        self.failed = False
        self._failure_after = failure_after

    def note(self, status, channel):
        """Count a verdict of the gate; what `infer` says of the frame: the same, or SENSOR."""
        self.counts[status] += 1
        if status == OK:
            self.run = 0
            self.failed = False
            return OK
        self.last_status = status
        self.last_channel = channel
        if channel >= 0:
            self.channels[channel] += 1
        self.run += 1
        if self.run > self.longest:
            self.longest = self.run
        if self._failure_after and self.run >= self._failure_after:
            self.failed = True
            self.counts[SENSOR] += 1
            return SENSOR
        return status
