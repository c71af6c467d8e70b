"""What the host calls over the raw REPL (level 4): every call answers with one line of JSON.

`{"result": ...}`, or `{"code": n, "detail": "..."}` when a SealError was raised; nothing that is secret is ever in it.
`PROTOCOL` goes up with every change that an older host, or a newer one, would not understand.
"""

import gc

import micropython
import ubinascii
import uhashlib
import ujson
import uos

import tinyseal

from . import gcm, keys, net, slots, store
from .errors import CLOSED, CODES, ENGINE, MEMORY, NO_KEY, ROLLBACK, STATUSES, STORE, SealError
from .memory import wipe
from .model import Model
from .sealed import Sealed
from .sha256 import digest_of

PROTOCOL = 1

_FOLDER = "/seal/"
_UPLOAD = "new.part"  # not verified yet

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
    """What this board holds: package, key source, signer, floor, slots, the last model's health, free heap."""
    gc.collect()
    found = store.find()
    floor, active, left, code = slots.state()
    return {
        "package": tinyseal.__version__,
        "key_source": keys.key_source(),
        "signer": _hex(digest_of(uhashlib.sha256(keys.signer()))) if found else None,
        "key_check": _key_check(found.kind) if found else None,
        "floor": floor,
        "active": active,
        "slots": [_slot(1), _slot(2)],
        "fallback": {"slot": left, "code": CODES[code]} if left else None,
        "health": _health(Model.latest_health),
        "heap_free": gc.mem_free(),
    }


def _health(health):
    """A model's counters, with names for the statuses; None for no model."""
    if health is None:
        return None
    return {
        "counts": dict(zip(STATUSES, health.counts)),
        "channels": list(health.channels),
        "last": STATUSES[health.last_status] if health.last_status else None,
        "last_channel": health.last_channel,
        "longest": health.longest,
        "failed": health.failed,
    }


def _hex(data):
    return ubinascii.hexlify(data).decode()


def _key_check(source):
    """What tells device keys apart, as in a sealed header; None when there is none."""
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
        keys.provision(source, key, ubinascii.unhexlify(modulus))
    finally:
        wipe(key)
        wipe(secret)


def check_room(payload_len, arena_len, operators, modules):
    """SealError(MEMORY) unless a release and an arena of these lengths in bytes can be had as `open` asks for them.

    The modules of its operators, and those that its contract asks for, names in a str, are loaded for it, as they would
    be then. `arena_len` 0 where it is not known.
    """
    close_model()
    _Session.frame = bytearray()
    gc.collect()
    held = []  # type: list
    try:
        held += [bytearray(payload_len), bytearray(_SMALL), gcm.Work()]
        held.pop()  # what follows is asked for when the work of decryption is done
        for name in modules.split():
            gc.collect()
            __import__("tinyseal." + name)
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


def uploads():
    """[bytes of a block, free blocks, files] of the slots' folder: None without it, or [bytes, digest] by name."""
    size, _, total, free = uos.statvfs("/")[:4]
    try:
        files = {name: [uos.stat(_FOLDER + name)[6], _digest(name)] for name in uos.listdir(_FOLDER)}
    except OSError:
        files = None
    # A full littlefs counts blocks twice, and says that less than none are free.
    return [size, free if free <= total else 0, files]


def _digest(name):
    """Base64 of the first half of the sha256 of a file in the slots' folder; None when there is none."""
    hash = uhashlib.sha256()
    piece = bytearray(1024)
    view = memoryview(piece)
    try:
        with open(_FOLDER + name, "rb") as file:
            while True:
                n = file.readinto(piece)
                if not n:
                    return ubinascii.b2a_base64(digest_of(hash)[:16])[:24].decode()
                hash.update(view[:n])
    except OSError:
        return None


def accept_upload(found, digest):
    """Open the upload completely, then make it the active slot; what it was. A refused upload is removed.

    None when the upload has another digest. `found`: 0, or the slot that holds the same bytes already. The model may be
    as old as that in the active slot, but no older: that one's version is the floor soon.
    """
    if not found and _digest(_UPLOAD) != digest:
        return None
    try:
        with tinyseal.open(slots.path(found) if found else _FOLDER + _UPLOAD) as model:
            about = _about(model)
        active = slots.state()[1]
        now = _slot(active) if active else None
        if now and about["version"] < now.get("version", 0):
            raise SealError(ROLLBACK, "version %d, version %d is active" % (about["version"], now["version"]))
    except BaseException:
        if not found:
            try:
                uos.remove(_FOLDER + _UPLOAD)
            except OSError:  # there is none
                pass
        raise
    about["slot"] = _switch_to(found)
    return about


def _switch_to(slot):
    """Make a slot the active one; 0 is the verified upload, which goes to the idle slot first. Its number."""
    floor, active, _, _ = slots.state()
    if not slot:
        slot = 2 if active == 1 else 1
        try:
            uos.rename(_FOLDER + _UPLOAD, slots.path(slot))
        except OSError as error:
            raise SealError(STORE, "error %d" % error.args[0])
    if slot != active:
        slots.write_state(floor, slot)
    return slot


def rollback():
    """Make the slot of the older model the active one, once that has opened, which the floor must allow; what it is."""
    active = slots.state()[1]
    other = active and 3 - active
    slots.path(other)
    now, then = _slot(active), _slot(other)
    if now and then and then.get("version", 0) > now.get("version", 0):
        other = active  # it has been done
    with tinyseal.open(slots.path(other)) as model:
        about = _about(model)
    about["slot"] = _switch_to(other)
    return about


def _about(model):
    return {
        "name": model.name,
        "version": model.version,
        "labels": model.labels,
        "type": model.type,
        "length": model.length,
        "outputs": len(model.output),
    }


def open_model():
    """Open the active model for the calls below; what it is."""
    close_model()
    gc.collect()
    _Session.model = model = tinyseal.open()
    about = _about(model)
    about["outputs"] = len(model.output)
    return about


def new_frame(n):
    """A frame of n bytes, to be filled by `put`."""
    _Session.frame = bytearray(n)


def put(at, text):
    """Base64 of the frame's bytes from `at` on. Called directly, and silent."""
    data = ubinascii.a2b_base64(text)
    _Session.frame[at : at + len(data)] = data


def infer():
    """[status, reason, channel, top, output, microseconds of the gate, of the network] for the frame.

    The reason is the gate's status, the output the int8 values in hexadecimal digits, empty for a refused frame.
    """
    model = _Session.model
    if model is None:
        raise SealError(CLOSED)
    status = model.infer(_Session.frame)
    if status:
        return [status, model.health.last_status, model.health.last_channel, 0, "", model.gate_us, 0]
    return [status, status, -1, model.top, _hex(model.output), model.gate_us, model.net_us]


def close_model():
    """Wipe the model; its health."""
    health = None
    if _Session.model is not None:
        health = _health(_Session.model.health)
        _Session.model.close()
    _Session.model = None
    return health
