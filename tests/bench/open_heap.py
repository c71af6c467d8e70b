"""The least heap with which `tinyseal.open()` succeeds on the VM, above what is in use before it and the payload.

That is the true peak: garbage is collected when the heap is full, and what C code takes for a moment counts too. All of
the heap is taken by other buffers but one piece, whose least size is found by bisection.
"""

import json
import struct
import tempfile
from collections.abc import Iterator
from pathlib import Path

import tiny_release
from opening import DEVICE_ID, Identity, on_board
from tinyseal_host import sealing
from tinyseal_host.building import build
from tinyseal_host.example import write_example
from tinyseal_host.formats import KeySource

from .line import Line

_MOST = 64 * 1024  # bytes above the payload that are tried
_REACH = 12 * 1024  # bytes above the payload: the design's number
_STEP = 64  # bytes to which the least number is found
_VERSION = 1
_SCRIPT = """
def opens(spare):
    # Whether open() succeeds when one piece of so many bytes is all that is free.
    ballast = [None] * 500
    gc.collect()
    free = bytearray(spare)
    size = gc.mem_free()
    number = 0
    while size >= 16:
        try:
            ballast[number] = bytearray(size)
            number += 1
        except MemoryError:
            size //= 2
    del free
    gc.collect()
    try:
        return outcome("m.seal")[0]
    except MemoryError:
        return "MEMORY"

first = outcome("m.seal")  # modules and constants that stay are there now
low, high = %d, %d  # it is known not to open with low, and to open with high
found = [first[0], opens(low), opens(high)]
while high - low > %d:
    middle = (low + high) // 2
    verdict = opens(middle)
    if verdict == "OK":
        high = middle
    elif verdict == "MEMORY":
        low = middle
    else:
        raise ValueError(verdict)
print(ujson.dumps(found + [high]))
"""


def release_of(payload_len: int) -> bytes:
    """The smallest honest release but for its signature, with as many zeros behind its tables as it takes."""
    body = bytearray(tiny_release.body(_VERSION))
    more = payload_len - tiny_release.SIGNATURE_LEN - len(body)
    end = tiny_release.TABLES_AT + len(tiny_release.TABLES)
    body[end:end] = bytes(more)
    struct.pack_into("<I", body, 4, payload_len)
    struct.pack_into("<I", body, 44, len(tiny_release.TABLES) + more)
    return bytes(body)


def least_heap(release: bytes, identity: Identity) -> tuple[int, str]:
    """Bytes above the payload, and what is wrong with that number, "" when nothing is."""
    sealed = sealing.seal(release, DEVICE_ID, KeySource.FILE, identity.master)
    script = _SCRIPT % (len(release), len(release) + _MOST, _STEP)
    answer = on_board(script, {"m.seal": sealed, **identity.files()}, heap_kib=512)
    first, with_least, with_most, least = json.loads(answer)
    fault = "" if [first, with_least, with_most] == ["OK", "MEMORY", "OK"] else f"{first}, {with_least}, {with_most}"
    return least - len(release), fault


def lines(payload_len: int) -> Iterator[Line]:
    """For a payload of that length with next to no network, and for the example's model."""
    with tempfile.TemporaryDirectory() as folder:
        identity = Identity(Path(folder) / "keys")
        model, contract, *_ = write_example(Path(folder) / "example")
        example = build(model, contract, version=_VERSION, name=None, signing_key=identity.private)
    note = (
        f"above the payload, to be at most {_REACH}; on the VM of 64 bits, whose objects take twice what a board's do"
    )
    figure, fault = least_heap(sealing.sign(release_of(payload_len), identity.private), identity)
    yield Line("open_heap", figure, "bytes", note, fault)
    figure, fault = least_heap(example, identity)
    yield Line("open_heap_example", figure, "bytes", f"the same for the example, {len(example)} bytes", fault)
