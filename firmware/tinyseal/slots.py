"""The two slots for sealed files, and the state that says which one counts and how old a model may be (hardware).

The state is one value, so that it changes whole: u32 version floor, u8 active slot, three reserved bytes.
"""

import uos
import ustruct
from micropython import const

from . import store
from .errors import NO_KEY, NO_MODEL, STORE, SealError

NEW = "/seal/new.part"  # an upload that was not verified yet
_STATE = const("<IB3x")
_STATE_LEN = const(8)
_PATHS = (None, "/seal/a.seal", "/seal/b.seal")


def path(slot):
    """Where the sealed file of slot 1 or 2 lies; SealError(NO_MODEL) for 0."""
    if not slot:
        raise SealError(NO_MODEL, "no slot is active")
    return _PATHS[slot]


def state():
    """(version floor, active slot): (0, 0) on a board that has none yet. SealError(STORE) when it is damaged."""
    found = store.find()
    value = bytearray(_STATE_LEN)
    if found is None or not found.get_into("state", value):
        return 0, 0
    floor, active = ustruct.unpack_from(_STATE, value)
    if active > 2 or any(value[5:]):
        raise SealError(STORE, "state")
    return floor, active


def write_state(floor, active):
    """Both at once. SealError(NO_KEY) on a board that was not provisioned."""
    found = store.find()
    if found is None:
        raise SealError(NO_KEY, "this board was not provisioned")
    found.put("state", ustruct.pack(_STATE, floor, active))


def raise_floor(version):
    """A model of this version has opened from the active slot: older ones are refused from now on."""
    floor, active = state()
    if version > floor:
        write_state(version, active)


def accept_new():
    """Move the verified upload to the idle slot and make that the active one; its number."""
    floor, active = state()
    slot = 2 if active == 1 else 1
    uos.rename(NEW, _PATHS[slot])
    write_state(floor, slot)
    return slot
