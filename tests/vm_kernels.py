"""Calls kernels on the VM, a PC's machine code or the plain ones, as `emulation` calls those of 32-bit boards.

    machine = VmMachine("kernels", "x64")
    result = machine.call("rows", release, arena, 0, layer, 0, 8, 1, 8)

Arguments are integers and buffers: bytes, bytearray, array, memoryview.
A memoryview begins there as far behind a multiple of 4 as it does in its object here.
"""

import json
import subprocess
from array import array

from emulation import EmulationError
from emulation.arguments import _host_address
from vm import VM, environment

_SERVE = """
import sys, ujson
from ubinascii import hexlify, unhexlify
import tinyseal.MODULE as module
while True:
    name, buffers, arguments = ujson.loads(sys.stdin.readline())
    buffers = [unhexlify(text) if fixed else bytearray(unhexlify(text)) for text, fixed in buffers]
    values = []
    for argument in arguments:
        if type(argument) is list:
            number, start, end = argument
            argument = buffers[number] if start < 0 else memoryview(buffers[number])[start:end]
        values.append(argument)
    try:
        result = getattr(module, name)(*values)
        print(ujson.dumps([result, [hexlify(buffer).decode() for buffer in buffers]]))
    except Exception as error:
        print(ujson.dumps([repr(error), None]))
"""


class VmMachine:
    """The functions of one module of the package as it is built for `firmware`, in one VM from the first call on."""

    def __init__(self, module: str, firmware: str) -> None:
        command = [str(VM), "-X", "heapsize=4M", "-c", _SERVE.replace("MODULE", module)]
        self._vm = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment(firmware), text=True
        )

    def close(self) -> None:
        """End the VM."""
        self._vm.kill()
        self._vm.communicate()

    def call(self, name: str, *values: int | bytes | bytearray | memoryview | array) -> int:  # type: ignore[type-arg]
        """Call a function; its result, 0 for None. The buffers are updated. EmulationError when it raises."""
        objects: dict[int, bytes | bytearray | array] = {}  # type: ignore[type-arg]
        arguments: list[int | list[int]] = []
        for value in values:
            if isinstance(value, int):
                arguments.append(value)
                continue
            whole, start, end = value, -1, -1
            if isinstance(value, memoryview):
                whole = value.obj
                assert isinstance(whole, (bytes, bytearray))
                start = _host_address(value) - _host_address(memoryview(whole))
                end = start + len(value)
            number = list(objects).index(id(whole)) if id(whole) in objects else len(objects)
            objects[id(whole)] = whole
            arguments.append([number, start, end])
        buffers = [[bytes(o).hex(), isinstance(o, bytes)] for o in objects.values()]
        assert self._vm.stdin is not None
        assert self._vm.stdout is not None
        self._vm.stdin.write(json.dumps([name, buffers, arguments]) + "\n")
        self._vm.stdin.flush()
        result, after = json.loads(self._vm.stdout.readline())
        if after is None:
            raise EmulationError(f"{name}: {result}")
        for whole, text in zip(objects.values(), after, strict=True):
            if isinstance(whole, bytes):
                assert whole.hex() == text
            else:
                memoryview(whole).cast("B")[:] = bytes.fromhex(text)
        return result or 0


class PlainMachine(VmMachine):
    """Of boards without the native emitter."""

    def __init__(self, module: str) -> None:
        super().__init__(module, "bytecode")
