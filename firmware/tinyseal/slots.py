"""The two slots for sealed files, and the state that says which one counts and how old a model may be (hardware).

The state is one value, so that it changes whole: FORMAT.md section 4.
"""

import ustruct
from micropython import const

from . import store
from .errors import CODES, NO_KEY, NO_MODEL, STORE, SealError

_STATE = const("<I4B")
_STATE_LEN = const(8)
_PATHS = (None, "/seal/a.seal", "/seal/b.seal")


def path(slot):
    """Where the sealed file of slot 1 or 2 lies; SealError(NO_MODEL) for 0."""
    if not slot:
        raise SealError(NO_MODEL, "no slot is active")
    return _PATHS[slot]


def state():
    """(version floor, active slot, slot that was left because its file did not open, code that says why).

    Zeros on a board that has none yet. SealError(STORE) when it is damaged.
    """
    value = bytearray(_STATE_LEN)
    found = store.find()
    if found is not None:
        found.get_into("state", value)
    floor, active, left, code, rest = ustruct.unpack(_STATE, value)
    if active > 2 or left > 2 or code >= len(CODES) or rest:
        raise SealError(STORE, "state")
    return floor, active, left, code


def write_state(floor, active, left=0, code=0):
    """All at once. SealError(NO_KEY) on a board that was not provisioned."""
    found = store.find()
    if found is None:
        raise SealError(NO_KEY, "this board was not provisioned")
    found.put("state", ustruct.pack(_STATE, floor, active, left, code, 0))


def opened(version, code):
    """A model of this version has opened: from now on older ones are refused.

    From the active slot if `code` is 0; else that one did not, for that reason, and the other is the active one now.
    """
    floor, active, left, why = state()
    if code:
        active, left, why = 3 - active, active, code
    elif version <= floor:
        return
    write_state(max(floor, version), active, left, why)
