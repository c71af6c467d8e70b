"""The verdict that a file must meet on the board, from the host's own check and an independent run of the self-test."""

import struct

import numpy as np
from opening import DEVICE_ID
from program_interpreter import Interpreter
from tinyseal_host import sealing
from tinyseal_host.errors import Refusal, RefusedError
from tinyseal_host.formats import KeySource, parse_release

from attack.board import HEAP_KIB
from attack.program_rules import is_sound
from attack.target import FLOOR, Target

# An arena of this many bytes fits beside the package in any case, and one larger than the heap never does.
_FITS = HEAP_KIB * 1024 // 4
_NEVER_FITS = HEAP_KIB * 1024

_OPEN = frozenset(["OK", "SELF_TEST"])  # what the document leaves open


class _FreshArena(Interpreter):
    """An arena that begins with zeros, as a board's is when the self-test runs: it shows when a step reads beyond what
    was written."""

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
            return frozenset(["RELEASE", "MEMORY"])  # a board makes the arena before it compares contract and program
        if error.code != Refusal.SELF_TEST:
            return frozenset([error.name])
        frame_refused = True
    data = sealing.unseal(sealed, target.identity.master)
    release = parse_release(data)
    if not is_sound(release):
        return frozenset(["RELEASE"])
    arena_len = release.program.arena_len
    if arena_len > _NEVER_FITS:
        return frozenset(["MEMORY"])
    tested = frozenset(["SELF_TEST"]) if frame_refused else _self_test(data, release)
    return tested if arena_len <= _FITS else tested | {"MEMORY"}


def _arena_len(data):
    """What the program of a release asks for, 0 when it is none that anything would be asked for."""
    try:
        return Interpreter(data).arena_len
    except (KeyError, ValueError, struct.error):
        return 0


def _self_test(data, release):
    frame = np.frombuffer(release.selftest_frame, "<f4")
    try:
        output = _FreshArena(data).run(frame)
    except ValueError:
        return _OPEN
    return frozenset(["OK"]) if output.tobytes() == release.selftest_output else frozenset(["SELF_TEST"])
