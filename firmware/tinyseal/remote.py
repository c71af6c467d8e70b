"""What the host calls over the raw REPL (level 4): every call answers with one line of JSON.

`{"result": ...}`, or `{"code": n, "detail": "..."}` when a SealError was raised; nothing that is secret is ever in it.
"""

import gc

import micropython
import ubinascii
import uhashlib
import ujson
import uos
import utime

import tinyseal

from . import gcm, keys, net, provisioning, slots, store
from .errors import CLOSED, CODES, ENGINE, MEMORY, NO_KEY, ROLLBACK, STATUSES, SealError
from .memory import wipe
from .model import Model
from .sealed import Sealed
from .sha256 import digest_of

# What `open` takes beside its large buffers: less than 4 KiB on the VM of 64 bits, whose objects are twice as large.
_SMALL = micropython.const(2048)


class _Session:
    """What stays between two calls."""

    model = None
    frame = bytearray()


def call(name, *arguments):
    """Run the function of this module that has that name and print its answer."""
    try:
        answer = {"result": globals()[name](*arguments)}
    except SealError as error:
        answer = {"code": error.code, "detail": error.detail}
    except MemoryError as error:
        answer = {"code": MEMORY, "detail": str(error)}
    except OSError as error:  # files and store have their own codes: what is left are the engines
        answer = {"code": ENGINE, "detail": "error %d" % error.args[0]}
    print(ujson.dumps(answer))


def status():
    """What this board holds: package, key source, signer, floor, slots, the last model's counts, free heap."""
    gc.collect()
    found = store.find()
    floor, active = slots.state()
    return {
        "package": tinyseal.__version__,
        "key_source": keys.key_source(),
        "signer": _hex(digest_of(uhashlib.sha256(keys.signer()))) if found else None,
        "key_check": key_check(keys.key_source()) if found else None,
        "floor": floor,
        "active": active,
        "slots": [_slot(1), _slot(2)],
        "counts": dict(zip(STATUSES, Model.latest_counts)) if Model.latest_counts else None,
        "heap_free": gc.mem_free(),
    }


def _hex(data):
    return ubinascii.hexlify(data).decode()


def key_check(source):
    """What tells device keys apart, as in a sealed header, for the key from this source; None when there is none."""
    gcm.check_engine()
    key = bytearray(keys.KEY)
    try:
        keys.device_key_into(source, key)
        return _hex(gcm.known_answer(key))
    except SealError as error:
        if error.code != NO_KEY:
            raise
        return None
    finally:
        wipe(key)


def _slot(slot):
    """What the header of a slot's file says, which is not proven; None when there is no file."""
    path = slots.path(slot)
    try:
        size = uos.stat(path)[6]
    except OSError:
        return None
    try:
        return {"bytes": size, "version": Sealed(path).version}
    except SealError as error:
        return {"bytes": size, "refused": CODES[error.code]}


def provision(source, secret, modulus):
    """Store key and signer, as hexadecimal digits."""
    key = ubinascii.unhexlify(secret)
    try:
        provisioning.provision(source, key, ubinascii.unhexlify(modulus))
    finally:
        wipe(key)
        wipe(secret)


def use_efuse():
    """Take the device key from eFuse from now on, and leave all else as it is."""
    provisioning.use_efuse()


def check_room(payload_len, arena_len, operators):
    """SealError(MEMORY) unless a release and an arena of these lengths in bytes can be had as `open` asks for them.

    The modules of its operators are loaded for it, as they would be then. `arena_len` 0 where it is not known.
    """
    close_model()
    _Session.frame = bytearray()
    gc.collect()
    held = []  # type: list
    try:
        held += [bytearray(payload_len), bytearray(_SMALL), gcm.Work()]
        held.pop()  # what follows is asked for when the work of decryption is done
        for number in operators:
            gc.collect()
            net.load(number)
        gc.collect()
        held.append(bytearray(arena_len))
    except MemoryError:
        held.clear()
        gc.collect()
        raise SealError(
            MEMORY,
            "needed %d bytes for the release and %d for the arena, each in one piece, and some 12 KiB to open it; "
            "free %d, at most %d in one piece" % (payload_len, arena_len, gc.mem_free(), _largest()),
        )


def _largest():
    """Bytes that can be had in one piece, to the nearest KiB below."""
    gc.collect()
    low, high = 0, gc.mem_free() >> 10
    while low < high:
        middle = (low + high + 1) >> 1
        try:
            bytearray(middle << 10)
            low = middle
        except MemoryError:
            high = middle - 1
    return low << 10


def prepare_upload():
    """Make the folder for an upload; where to, and the bytes free there."""
    store.make_folder()
    _remove_upload()
    block, _, _, free = uos.statvfs("/")[1:5]
    return {"path": slots.NEW, "free": block * free}


def _remove_upload():
    try:
        uos.remove(slots.NEW)
    except OSError:  # there is none
        pass


def accept_upload():
    """Open the upload completely, then make it the active slot; what it was. A refused upload is removed.

    It may be as old as the model in the active slot, but no older: that one's version is the floor soon.
    """
    try:
        with tinyseal.open(slots.NEW) as model:
            about = _about(model)
        _, active = slots.state()
        now = _slot(active) if active else None
        if now and about["version"] < now.get("version", 0):
            raise SealError(ROLLBACK, "version %d, version %d is active" % (about["version"], now["version"]))
    except BaseException:
        _remove_upload()
        raise
    about["slot"] = slots.accept_new()
    return about


def _about(model):
    return {
        "name": model.name,
        "version": model.version,
        "labels": model.labels,
        "length": model.length,
        "outputs": len(model.output),
    }


def open_model():
    """Open the active model for the calls below; what it is."""
    close_model()
    gc.collect()
    _Session.model = tinyseal.open()
    return _about(_Session.model)


def new_frame(n):
    """A frame of n bytes, to be filled by `put`."""
    _Session.frame = bytearray(n)


def put(at, text):
    """Base64 of the frame's bytes from `at` on. Called directly, and silent."""
    data = ubinascii.a2b_base64(text)
    _Session.frame[at : at + len(data)] = data


def infer():
    """[status, top, output as hexadecimal digits of int8 values, microseconds] for the frame."""
    if _Session.model is None:
        raise SealError(CLOSED)
    start = utime.ticks_us()
    found = _Session.model.infer(_Session.frame)
    took = utime.ticks_diff(utime.ticks_us(), start)
    return [found, _Session.model.top, _hex(_Session.model.output) if not found else "", took]


def close_model():
    """Wipe the model; its counts by status."""
    counts = None
    if _Session.model is not None:
        counts = dict(zip(STATUSES, _Session.model.counts))
        _Session.model.close()
    _Session.model = None
    return counts
