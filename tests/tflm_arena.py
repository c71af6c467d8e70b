"""What TensorFlow Lite Micro needs of its arena for a model, by its own account."""

import os
import re
import tempfile
from dataclasses import dataclass

from tflite_micro import runtime
from tflite_parts import ARENA_BYTES


@dataclass(frozen=True)
class TflmArena:
    """Bytes of tensors and scratch, which one plan shares, and of the interpreter's own structures behind them.

    The wheel's structures hold pointers of 8 bytes; on a board of 32 bits they are smaller, to about the half.
    """

    planned: int
    persistent: int

    @property
    def total(self):
        """What must be given to it, on 64 bits."""
        return self.planned + self.persistent


def tflm_arena(data):
    """The TflmArena of the bytes of a `.tflite`."""
    interpreter = runtime.Interpreter.from_bytes(data, arena_size=ARENA_BYTES)
    with tempfile.TemporaryFile() as said:
        stderr = os.dup(2)
        os.dup2(said.fileno(), 2)  # the interpreter says it on stderr, from C++
        try:
            interpreter.print_allocations()
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
        said.seek(0)
        text = said.read().decode()
    found = dict(re.findall(r"Arena allocation (\w+) (\d+) bytes", text))
    arena = TflmArena(int(found["head"]), int(found["tail"]))
    if arena.total != int(found["total"]):
        raise ValueError(text)
    return arena
