"""The SHA-256 engine, held to a known answer and to its own length (between levels 0 and 1)."""

import uhashlib

from .errors import ENGINE, SealError
from .memory import equal, wipe

SIZE = 32

# FIPS 180-4's example of one block, from NIST's collection of intermediate values.
_KAT_MESSAGE = b"abc"
_KAT_DIGEST = (
    b"\xba\x78\x16\xbf\x8f\x01\xcf\xea\x41\x41\x40\xde\x5d\xae\x22\x23"
    b"\xb0\x03\x61\xa3\x96\x17\x7a\x9c\xb4\x10\xff\x61\xf2\x00\x15\xad"
)


def check_engine():
    """SealError(ENGINE) unless the SHA-256 engine gives the standard's answer."""
    if not equal(uhashlib.sha256(_KAT_MESSAGE).digest(), _KAT_DIGEST):
        raise SealError(ENGINE, "SHA-256 gives a wrong answer")


def digest_of(hash):
    """The digest of a hash object, which is final after it; SealError(ENGINE) unless it has 32 bytes."""
    digest = hash.digest()
    try:
        if len(digest) != SIZE:
            raise SealError(ENGINE, "SHA-256 of %d bytes" % len(digest))
    except BaseException:
        wipe(digest)
        raise
    return digest
