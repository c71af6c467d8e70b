"""Opens many files in one start of the VM: for each its verdict, the heap that it took, and a search of that heap."""

import json
import os
import subprocess
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

from opening import DEVICE_ID
from vm import VM, VmError, payload

from attack import leftovers
from attack.heap_search import SEARCH, inverted
from attack.target import Target

HEAP_KIB = 192
_TIMEOUT_S = 120

# While a file is opened no garbage is collected, not even by the package's own `gc`: what the heap has more of
# afterwards is all that was asked for, not only what was held at one time.
SCRIPT = """
import ujson, uos, usys, gc
from ubinascii import unhexlify
class Machine:
    @staticmethod
    def unique_id():
        return unhexlify("%s")
class Gc:
    @staticmethod
    def collect():
        pass
usys.modules["umachine"], usys.modules["gc"] = Machine, Gc
from tinyseal import errors, store
import tinyseal
store._FOLDER = uos.getcwd()

%s
def attempt(path):
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    try:
        tinyseal.open(path).close()
        answer = ["OK", ""]
    except errors.SealError as error:
        answer = [errors.CODES[error.code], error.detail]
    except Exception as error:
        answer = [type(error).__name__, str(error)]
    asked = gc.mem_alloc() - before
    gc.enable()
    return answer + [asked, released()]

with open("bundle", "rb") as bundle, open("sizes") as sizes:
    for size in ujson.load(sizes):
        with open("m.seal", "wb") as file:
            file.write(bundle.read(size))
        print(ujson.dumps(attempt("m.seal")))
uos.remove("m.seal")
gc.collect()
with tinyseal.open("good.seal") as model:
    seen = released()
gc.collect()
print("END", ujson.dumps([seen, released()]))
usys.stdin.readline()
"""


@dataclass(frozen=True)
class Answer:
    """What one file met: the code's name, or the name of an exception that is not a SealError; bytes of heap asked for;
    pieces of the marker on the heap afterwards."""

    code: str
    detail: str
    asked: int
    released: int


@dataclass(frozen=True)
class Bundle:
    """The answers, file by file; secrets that the process held at its end; names of files that the VM left behind."""

    answers: list[Answer]
    secrets: dict[str, int]
    left: list[str]


def open_all(target: Target, files: list[bytes], *, search: bool = False) -> Bundle:
    """Open every file, then the good one; VmError when the VM ends, hangs, or does not open that.

    `search` goes through the whole process for key and weights at the end, after the good model was closed.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        contents = {
            **target.files(),
            "script.py": (SCRIPT % (DEVICE_ID.hex(), SEARCH)).encode(),
            "bundle": b"".join(files),
            "sizes": json.dumps([len(data) for data in files]).encode(),
            "inverted": inverted(target.marker),
            "good.seal": target.sealed,
        }
        for path, data in contents.items():
            (folder / path).write_bytes(data)
        answers, secrets = _run(target, folder, search=search)
        left = sorted(path.name for path in folder.iterdir() if path.name not in contents)
        changed = [path for path, data in contents.items() if (folder / path).read_bytes() != data]
    if len(answers) != len(files):
        raise VmError(f"{len(answers)} answers for {len(files)} files")
    return Bundle(answers, secrets, left + changed)


def _run(target: Target, folder: Path, *, search: bool) -> tuple[list[Answer], dict[str, int]]:
    command = [str(VM), "-X", f"heapsize={HEAP_KIB}K", "script.py"]
    environment = {**os.environ, "MICROPYPATH": f"{payload() / 'firmware' / 'x64'}:.frozen"}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with subprocess.Popen(command, cwd=folder, env=environment, text=True, **pipes) as vm:
        watch = threading.Timer(_TIMEOUT_S, vm.kill)
        watch.start()
        answers, lines = [], []
        for line in vm.stdout:
            if line.startswith("["):
                answers.append(Answer(*json.loads(line)))
            elif line.startswith("END"):
                seen, still = json.loads(line[3:])
                secrets = leftovers.search(vm.pid, _secrets(target)) if search else {}
                vm.stdin.write("\n")
                vm.stdin.flush()
            else:
                lines.append(line)
        watch.cancel()
    if vm.returncode or lines:
        raise VmError(f"exit status {vm.returncode} after {len(answers)} files\n{''.join(lines)}")
    if not seen or still:
        raise VmError(f"{seen} pieces of the good model while it was open, {still} after it was closed")
    return answers, secrets


def _secrets(target: Target) -> leftovers.Secrets:
    found = leftovers.of_opening(target.sealed, target.device_key, target.release)
    return leftovers.Secrets({**found.named, "marker": target.marker})
