"""The contract section of a release (level 1): FORMAT.md "Contract"."""

import ustruct
from micropython import const

from .errors import RELEASE, SealError

_FLOAT32 = const(1)
_UINT8 = const(4)
_FIXED = const(28)
_RECORD = const(64)  # bytes of a channel's record
_CHANNELS_MAX = const(256)
_MEAN_OR_DEVIATION = const(24)
_SAMPLES_MAX = const(65535)  # for the sums of mean and deviation
_ONE = const(0x3F800000)  # as a float32
_INFINITY = const(0x7F800000)


def _refuse(what):
    raise SealError(RELEASE, "contract: " + what)


class Contract:
    """What a frame must be.

    Of the section's fields `type`, `length`, `channels`, `checks`, `max_zeros` and `failure_after`; `samples` values of
    a channel, `size` bytes of a value, `at` where the first channel's record is in `release`. SealError(RELEASE) when a
    rule is broken; those for records of raw integers are looked at by `raw`.
    """

    def __init__(self, release, at, n):
        """n bytes at release offset `at`, which lie in it."""
        if n < _FIXED:
            _refuse("channels")
        self.type, self.length, self.channels, self.checks, self.max_zeros, self.failure_after, reserved = (
            ustruct.unpack_from("<7I", release, at)
        )
        self.release = release
        self.at = at + _FIXED
        channels = self.channels
        if not 1 <= self.type <= _UINT8 or not 1 <= self.length < 1 << 30 or self.max_zeros > self.length:
            _refuse("frame")
        if not 1 <= channels <= _CHANNELS_MAX or self.length % channels or n != _FIXED + _RECORD * channels:
            _refuse("channels")
        self.samples = self.length // channels
        self.size = (4, 2, 1, 1)[self.type - 1]
        if self.checks > 31 or reserved or (self.checks & _MEAN_OR_DEVIATION and self.samples > _SAMPLES_MAX):
            _refuse("frame")
        for i in range(channels):
            at = self.at + _RECORD * i
            words = ustruct.unpack_from("<16I", release, at)
            right = not (max(words[5:12]) | words[13] | words[15]) >> 31
            if self.type == _FLOAT32:
                low, high = ustruct.unpack_from("<2f", release, at)
                right = right and low < high and words[2:5] == (_ONE, 0, 0)
                right = right and not (endless(words[0]) or endless(words[1]))
            if not right:
                _refuse("limits")


def endless(bits):
    """Whether a float32 is infinite or NaN."""
    return bits & _INFINITY == _INFINITY
