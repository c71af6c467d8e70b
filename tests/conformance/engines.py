"""Those that compute: the host's reference, the firmware on the VM, native and plain, its machine code in emulation."""

import json
import struct
from functools import cache
from typing import Any

import numpy as np
import vm
from bench.emulated_board import EmulatedBoard, modules_behind
from compiling import compile_bytes
from emulation import Architecture, EmulationError
from tinyseal_host.errors import TinysealError
from tinyseal_host.formats import SIGNATURE_LEN
from tinyseal_host.model import reference
from vm import VmError, run

from conformance.cases import Case, Engine, network_of

_HEAP_KIB = 16384
_TIMEOUT_S = 300
_VERSION = 3  # what compile_bytes gives
_SCRIPT = """
import micropython
import ujson
from ubinascii import hexlify
from tinyseal.model import Model
with open("question.json") as file:
    question = ujson.load(file)
status = 0  # a new name would make the dictionary of globals grow
found = []
for number, (count, size) in enumerate(question):
    with open("%d.tsm" % number, "rb") as file:
        model = Model(bytearray(file.read()), 3)
    frame = bytearray(size)
    outputs = []
    with open("%d.frames" % number, "rb") as file:
        for _ in range(count):
            file.readinto(frame)
            if LOCKED:
                micropython.heap_lock()
            status = model.infer(frame)
            if LOCKED:
                micropython.heap_unlock()
            outputs.append(hexlify(model.output).decode() if not status else "status %d" % status)
    model.close()
    found.append(outputs)
print(ujson.dumps(found))
"""


def host(cases: list[Case]) -> list[np.ndarray | str]:
    """The host's reference."""
    return [np.array([reference.run(network_of(case.data), frame) for frame in case.frames]) for case in cases]


def board(cases: list[Case]) -> list[np.ndarray | str]:
    """The firmware on the VM, heap locked while it infers; all cases in one start, one by one where that fails."""
    return _on_vm(cases, None)


def plain(cases: list[Case]) -> list[np.ndarray | str]:
    """The same as boards without the native emitter have it, whose kernels allocate: the heap is not locked."""
    return _on_vm(cases, "bytecode")


def _on_vm(cases: list[Case], firmware: str | None) -> list[np.ndarray | str]:
    try:
        releases = [compile_bytes(case.data) for case in cases]
        return _start(cases, releases, firmware)
    except (VmError, TinysealError) as error:
        if len(cases) == 1:
            return [" ".join(str(error).split())]
        return [answer for case in cases for answer in _on_vm([case], firmware)]


def _start(cases: list[Case], releases: list[bytes], firmware: str | None) -> list[np.ndarray | str]:
    files, question = {}, []
    for number, (case, release) in enumerate(zip(cases, releases, strict=True)):
        files[f"{number}.tsm"] = release + bytes(SIGNATURE_LEN)  # proven elsewhere, not here
        files[f"{number}.frames"] = case.frames.astype("<f4").tobytes()
        question.append((len(case.frames), 4 * case.frames.shape[1]))
    files["question.json"] = json.dumps(question).encode()
    answers: list[np.ndarray | str] = []
    script = f"LOCKED = {(firmware or vm.FIRMWARE) != 'bytecode'}\n{_SCRIPT}"
    said = run(script, files=files, heap_kib=_HEAP_KIB, timeout=_TIMEOUT_S, firmware=firmware)
    for outputs in json.loads(said):
        refused = [text for text in outputs if text.startswith("status")]
        values = [] if refused else [np.frombuffer(bytes.fromhex(text), np.int8) for text in outputs]
        answers.append(refused[0] if refused else np.array(values))
    return answers


def emulated(architecture: Architecture) -> Engine:
    """The firmware's machine code for an architecture, its leaves in emulation and the rest as plain Python."""

    def compute(cases: list[Case]) -> list[np.ndarray | str]:
        answers: list[np.ndarray | str] = []
        for case in cases:
            try:
                answers.append(_emulate(architecture, case))
            except (EmulationError, TinysealError, MemoryError) as error:
                answers.append(f"{type(error).__name__}: {error}")
        return answers

    return compute


def _emulate(architecture: Architecture, case: Case) -> np.ndarray:
    release = bytearray(compile_bytes(case.data) + bytes(SIGNATURE_LEN))
    places, at = [], 64  # FORMAT.md section 3: the header, then sections padded to multiples of 4
    for length in struct.unpack_from("<5I", release, 32):
        places += [at, length]
        at += length + 3 & ~3
    net = _net(architecture).Net(release, *places[4:8])
    outputs = []
    for frame in case.frames:
        net.run(bytearray(frame.astype("<f4").tobytes()))
        outputs.append(np.array(net.output, np.int8))
    return np.array(outputs)


@cache
def _net(architecture: Architecture) -> Any:
    return EmulatedBoard(architecture, modules_behind("net")).modules["net"]


ENGINES: dict[str, Engine] = {
    "host": host,
    "board": board,
    "plain": plain,
    "rv32imc": emulated("rv32imc"),
    "xtensawin": emulated("xtensawin"),
}
