"""The contract section of a release (level 1): FORMAT.md "Contract"."""

import ustruct
from micropython import const

from .errors import RELEASE, SealError

FLOAT32 = const(1)
_INT16 = const(2)
_UINT8 = const(4)
_FIXED = const(28)
RECORD = const(64)
"""Bytes of a channel's record."""
_CHANNELS_MAX = const(256)
_MEAN_OR_DEVIATION = const(24)
_SAMPLES_MAX = const(65535)  # for the sums of mean and deviation
_NO_ZERO = const(65536)
_ONE = 0x3F800000  # as a float32
_INFINITY = 0x7F800000


def _refuse(what):
    raise SealError(RELEASE, "contract: " + what)


class Contract:
    """What a frame must be.

    Of the section's fields `type`, `length`, `channels`, `checks`, `max_zeros` and `failure_after`; `samples` values of
    a channel, `size` bytes of a value, `at` where the first channel's record is in `release`. SealError(RELEASE) when a
    rule is broken.
    """

    def __init__(self, release, at, n):
        """n bytes at release offset `at`, which lie in it."""
        if n < _FIXED:
            _refuse("%d bytes" % n)
        self.type, self.length, self.channels, self.checks, self.max_zeros, self.failure_after, reserved = (
            ustruct.unpack_from("<7I", release, at)
        )
        self.release = release
        self.at = at + _FIXED
        if not 1 <= self.type <= _UINT8 or not 1 <= self.length < 1 << 30 or self.max_zeros > self.length:
            _refuse("frame of %d values" % self.length)
        channels = self.channels
        if not 1 <= channels <= _CHANNELS_MAX or self.length % channels or n != _FIXED + RECORD * channels:
            _refuse("%d channels" % channels)
        self.samples = self.length // self.channels
        self.size = (4, 2, 1, 1)[self.type - 1]
        if self.checks > 31 or reserved or (self.checks & _MEAN_OR_DEVIATION and self.samples > _SAMPLES_MAX):
            _refuse("checks")
        for i in range(self.channels):
            if not self._is_record(self.at + RECORD * i):
                _refuse("channel %d" % i)

    def _is_record(self, at):
        words = ustruct.unpack_from("<16I", self.release, at)
        if self.type == FLOAT32:
            low, high = ustruct.unpack_from("<2f", self.release, at)
            if words[2] != _ONE or words[3] or words[4] or _endless(words[0]) or _endless(words[1]) or not low < high:
                return False
        else:
            low, high = self.ends(at)
            zero = ustruct.unpack_from("<i", self.release, at + 16)[0]
            least = 0 if self.type == _UINT8 else -1 << (8 * self.size - 1)
            end = least + (1 << 8 * self.size)
            if not least <= low < high < end or not (zero == _NO_ZERO or least <= zero < end):
                return False
            if not 0 < words[2] < _INFINITY or _endless(words[3]):
                return False
        return not (max(words[5:12]) | words[13] | words[15]) >> 31

    def ends(self, at):
        """Low and high of the record at `at`, as i32."""
        return ustruct.unpack_from("<2i", self.release, at)

    def are_alike(self, words, first=0):
        """Whether the channels have the same `words` words of their records, from word `first` on."""
        size = 4 * words
        at = self.at + 4 * first
        one = self.release[at : at + size]
        return all(self.release[at + RECORD * i : at + RECORD * i + size] == one for i in range(1, self.channels))


def _endless(bits):
    """Whether a float32 is infinite or NaN."""
    return bits & _INFINITY == _INFINITY
