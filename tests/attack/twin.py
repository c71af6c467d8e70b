"""The verdict that a file must meet on the board, from the host's own check and an independent run of the self-test."""

import struct

import numpy as np
from opening import DEVICE_ID
from program_interpreter import Interpreter
from tinyseal_host import sealing
from tinyseal_host.errors import Refusal, RefusedError
from tinyseal_host.formats import KeySource, parse_release, parse_release_header

from attack.board import HEAP_KIB
from attack.target import FLOOR, Target

# An arena of this many bytes fits beside the package in any case, and one larger than the heap never does.
_FITS = HEAP_KIB * 1024 // 4
_NEVER_FITS = HEAP_KIB * 1024

_OPEN = frozenset(["OK", "SELF_TEST"])  # what the document leaves open


class _BoardsWay(Interpreter):
    """An arena that begins with zeros, as a board's is at the self-test: a step may read what none has written."""

    def quantise(self, frame):
        self.arena[:] = 0
        return super().quantise(frame)


def verdicts(sealed: bytes, target: Target) -> frozenset[str]:
    """The codes that the board may give, `OK` for a model. One, but for two cases that only the signer can bring about:

    an arena that may or may not fit, and a network that FORMAT.md leaves open (accumulators out of bounds, steps that
    write over what they read). The self-test decides there: whatever opens gives the outputs that were signed.
    """
    frame_refused = False
    try:
        sealing.check(
            sealed,
            device_id=DEVICE_ID,
            floor=FLOOR,
            key_source=KeySource.FILE,
            master=target.identity.master,
            signer=target.identity.public,
        )
    except RefusedError as error:
        if error.code == Refusal.RELEASE and _arena_len(sealing.unseal(sealed, target.identity.master)) > _FITS:
            return frozenset(["RELEASE", "MEMORY"])  # a board makes the arena before it looks at the steps
        if error.code != Refusal.SELF_TEST:
            return frozenset([error.name])
        frame_refused = True
    data = sealing.unseal(sealed, target.identity.master)
    release = parse_release(data)
    arena_len = release.program.arena_len
    if arena_len > _NEVER_FITS:
        return frozenset(["MEMORY"])
    tested = frozenset(["SELF_TEST"]) if frame_refused else _self_test(data, release)
    return tested if arena_len <= _FITS else tested | {"MEMORY"}


def _arena_len(data):
    """What the program header of a release asks for, 0 when there is none where its lengths say."""
    try:
        at = parse_release_header(data).layout()["program"][0]
        return struct.unpack_from("<I", data, at)[0]
    except (RefusedError, struct.error):
        return 0


def _self_test(data, release):
    frame = np.frombuffer(release.selftest_frame, "<f4")
    try:
        output = _BoardsWay(data).run(frame)
    except ValueError:
        return _OPEN
    return frozenset(["OK"]) if output.tobytes() == release.selftest_output else frozenset(["SELF_TEST"])
