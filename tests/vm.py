"""Runs scripts on the real MicroPython VM, with the firmware built from the sources as they are.

    from vm import ask, run
    print(run("import tinyseal.rsa; print(tinyseal.rsa.SIZE)"))
    answer = ask("print(ujson.dumps([len(unhex(x)) for x in question]))", ["00ff", ""])

What runs is the `.mpy` that ships, for x64, or where a test asks for the fixture `firmware` also that of boards without
the native emitter. A start takes 0.03 s, so many cases belong into one.
"""

import functools
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from firmware_sources import payload_module

VM = Path(sys.executable).with_name("micropython")
FIRMWARE = "x64"  # a folder of the payload
BOARD: Callable[[str, dict[str, bytes]], str] | None = None  # where scripts run instead, in tests/device
_BOARD_BATCH = 6000  # characters of JSON: the objects of a batch are a few times as large
_TAIL = 3000  # characters of a failed script's output in the message: the VM's traceback goes to stdout
_PRELUDE = """\
import ujson
from ubinascii import hexlify, unhexlify as unhex
with open("question.json") as file:
    question = ujson.load(file)
"""


class VmError(Exception):
    """A script failed on the VM; the message is the end of what it wrote, with the traceback."""


@functools.cache
def payload() -> Path:
    """The folder with one `firmware/ARCH` folder an architecture, built at the first call in this process."""
    built: Path = payload_module().build(Path(_folder().name) / "payload")
    return built


@functools.cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="tinyseal-payload-")  # removed when the process ends


def environment(firmware: str | None = None) -> dict[str, str]:
    """Of a VM that finds the package as it is built for an architecture, FIRMWARE unless another is named."""
    return {**os.environ, "MICROPYPATH": f"{payload() / 'firmware' / (firmware or FIRMWARE)}:.frozen"}


def run(
    script: str,
    *,
    files: dict[str, bytes] | None = None,
    heap_kib: int = 320,
    timeout: float = 60,
    firmware: str | None = None,
) -> str:
    """The stdout of a script that runs in a fresh folder with `files` in it; VmError when it fails or takes too long.

    `heap_kib` is the whole heap in KiB, `timeout` in seconds, `firmware` as in `environment`. On a board, these are the
    board's own.
    """
    if BOARD is not None:
        if firmware not in (None, FIRMWARE):
            raise ValueError(f"a board has one firmware, {FIRMWARE}, wanted {firmware}")
        return BOARD(script, files or {})
    with tempfile.TemporaryDirectory() as folder:
        for name, data in {"script.py": script.encode(), **(files or {})}.items():
            (Path(folder) / name).write_bytes(data)
        command = [str(VM), "-X", f"heapsize={heap_kib}K", "script.py"]
        try:
            done = subprocess.run(
                command,
                cwd=folder,
                env=environment(firmware),
                capture_output=True,
                text=True,
                timeout=timeout,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise VmError(f"ran for more than {timeout} s") from None
    if done.returncode:
        raise VmError(f"exit status {done.returncode}\n{(done.stdout + done.stderr)[-_TAIL:]}")
    return done.stdout


def ask(
    script: str,
    question: object,
    *,
    files: dict[str, bytes] | None = None,
    heap_kib: int = 320,
    timeout: float = 60,
) -> object:
    """What a script prints as JSON; `question`, any JSON, is a variable in it, as are ujson, hexlify and unhex."""
    files = {**(files or {}), "question.json": json.dumps(question).encode()}
    return json.loads(run(_PRELUDE + script, files=files, heap_kib=heap_kib, timeout=timeout))


def ask_each(script: str, cases: Sequence[object], *, heap_kib: int = 320) -> list[object]:
    """As `ask`, of a script that answers a list with an item for each of `cases`; a board gets some of them a time."""
    found: list[object] = []
    for batch in _batches(cases) if BOARD is not None else [list(cases)]:
        answer = ask(script, batch, heap_kib=heap_kib)
        assert isinstance(answer, list)
        assert len(answer) == len(batch)
        found += answer
    return found


def _batches(cases: Sequence[object]) -> list[list[object]]:
    made: list[list[object]] = []
    size = 0
    for case in cases:
        length = len(json.dumps(case))
        if not made or size + length > _BOARD_BATCH:
            made.append([])
            size = 0
        made[-1].append(case)
        size += length
    return made
