"""Sealed int8 models on a MicroPython board.

import tinyseal
with tinyseal.open() as model:              # SealError(code) when anything is wrong
    status = model.infer(frame)             # 0, or why the gate refused; allocates nothing, with native kernels
    if status == tinyseal.OK:
        print(model.labels[model.top], model.output[model.top])
"""

import gc

gc.collect()  # the modules stay: with garbage below them no large piece of memory would be left

from . import gcm, keys, release, sha256, slots
from .errors import CODES, ENGINE, MEMORY, OK, SENSOR, STATUSES, STORE, SealError
from .memory import wipe
from .model import Model
from .sealed import Sealed

__version__ = "0.1.0"
__all__ = ("CODES", "OK", "SENSOR", "STATUSES", "SealError", "open")


def open(path=None, keep_ms=0, timer=0):
    """The Model in the active slot, or in the sealed file at `path`; SealError(code) when anything is wrong.

    A model that opens from the active slot raises the version floor to its own version. One that does not open there
    gives way to the other slot's, if the floor allows that, for good. With `keep_ms` the model closes by itself after
    that many milliseconds without a frame, for which it takes the hardware timer of that number.
    """
    if keep_ms:
        from . import keep  # a module stays: it is loaded before there are large buffers to lie behind
    try:
        floor, active, _, _ = slots.state()
        model = _open_slot(floor, active) if path is None else _open(path, floor)
        try:
            if keep_ms:
                keep.close_when_idle(model, keep_ms, timer)
        except BaseException:
            model.close()
            raise
    except MemoryError as error:
        raise SealError(MEMORY, str(error))
    except OSError as error:  # files and store have their own codes: what is left are the engines
        raise SealError(ENGINE, "error %d" % error.args[0])
    return model


def _open_slot(floor, active):
    """The active slot's model, or else the other's, which is the active one from then on."""
    code = 0
    try:
        model = _open(slots.path(active), floor)
    except (SealError, MemoryError) as error:
        code = getattr(error, "code", MEMORY)
        if not active or code in (ENGINE, STORE):  # these are not the file's
            raise
        try:
            model = _open(slots.path(3 - active), floor)
        except (SealError, MemoryError):
            raise error
    try:
        slots.opened(model.version, code)
    except BaseException:
        model.close()
        raise
    return model


def _open(path, floor):
    """The order of the checks is FORMAT.md's, section 5."""
    sealed = Sealed(path)
    sealed.check_board(keys.device_id())
    keys.check_source(sealed.key_source)
    sealed.check_version(floor)
    sealed.reserve()
    signer = keys.signer()
    gcm.check_engine()
    sha256.check_engine()
    # An interrupt may come at any jump: what is secret lies in buffers that are known here before it is in them.
    key = bytearray(keys.KEY)
    try:
        try:
            keys.device_key_into(sealed.key_source, key)
            payload = sealed.open(key)
        finally:
            wipe(key)
        # The 8 KiB that decryption took go now, when no frame on the stack remembers them: RSA needs the room.
        gc.collect()
        release.verify(payload, signer)
        return Model(payload, sealed.version)
    except BaseException:
        sealed.forget()
        raise
