"""Modules of an attacker on the filesystem, under every name that the package imports: none of them may be asked."""

import ast
import json

from firmware_sources import modules
from opening import DEVICE_ID
from vm import run

from attack.tally import Tally
from attack.target import Target

# Built into every port, and looked up before the filesystem by whatever name.
_ALWAYS_BUILT_IN = {"gc", "micropython"}
# Only ports with NVS have this module, and there it is one of those. Where it is missing, whoever can write such a file
# can write the store's files as well.
_OF_THE_PORT = {"esp32"}

# What it is asked goes into a file: the module's name when it is imported, and every argument of what it offers.
SHADOW = """
import uos
def note(*what):
    with open("/".join((HOME, "recorded")), "a") as file:
        file.write(NAME + " " + repr(what) + "\\n")
class Recorder:
    def __init__(self, *arguments):
        note(*arguments)
    def __getattr__(self, name):
        return Recorder
def __getattr__(name):
    return Recorder
note("imported")
"""

SCRIPT = """
import ujson, uos, usys
from ubinascii import unhexlify
import ucryptolib
HOME = uos.getcwd()
class Machine:
    @staticmethod
    def unique_id():
        return unhexlify("%s")
usys.modules["umachine"] = Machine
with open("names") as file:
    NAMES = ujson.load(file)
with open("shadow") as file:
    SHADOW = file.read()
for name in NAMES:
    with open(name + ".py", "w") as file:
        file.write("HOME, NAME = %%r, %%r" %% (HOME, name) + SHADOW)

def recorded():
    try:
        with open("recorded") as file:
            return file.read()
    except OSError:
        return ""

from tinyseal import errors, store
import tinyseal
store._FOLDER = HOME
with tinyseal.open("good.seal") as model:
    opened = model.version
after_open = recorded()
import cryptolib
cryptolib.aes(b"a key that is no secret", 1)
print(ujson.dumps([opened, after_open, recorded()]))
"""


def imported_names() -> set[str]:
    """The modules outside the package that any of its modules imports."""
    found = set()
    texts = [text for kernels in ("x64", "bytecode") for text in modules(kernels).values()]  # what the VM runs
    for text in texts:
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                found.add(node.module.split(".")[0])
    return found - {"tinyseal"}


def weak_names() -> set[str]:
    """Names among them that a file can take: those without the `u` that stands for the built-in module."""
    return {name for name in imported_names() if not name.startswith("u")} - _ALWAYS_BUILT_IN - _OF_THE_PORT


def attack(target: Target) -> Tally:
    """Open the good file among shadows of every imported name, with and without the u, and see what those are asked."""
    names = {name.removeprefix("u") for name in imported_names()} - _OF_THE_PORT
    names |= {"u" + name for name in names}
    files = {
        **target.files(),
        "good.seal": target.sealed,
        "names": json.dumps(sorted(names)).encode(),
        "shadow": SHADOW.encode(),
    }
    opened, after_open, in_the_end = json.loads(run(SCRIPT % DEVICE_ID.hex(), files=files))
    tally = Tally(tried=len(names))
    tally.wrong += [f"{name} can be shadowed by a file" for name in sorted(weak_names())]
    tally.wrong += [f"shadow asked: {line}" for line in after_open.splitlines()]
    if not opened:
        tally.wrong.append("the good file does not open among shadows")
    if "cryptolib ('imported',)" not in in_the_end or "a key that is no secret" not in in_the_end:
        tally.wrong.append("the shadow of cryptolib does not record what it is asked: this proves nothing")
    return tally
