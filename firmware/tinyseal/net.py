"""Plans a release's program once, then runs it without allocating (level 2). The operators are FORMAT.md's.

Planning checks that every step stays inside the arena and the tables, so that no kernel can be led outside them.
"""

import gc

from micropython import const
from uarray import array

from . import kernels
from .errors import MEMORY, SealError
from .layout import Layout, refuse
from .memory import wipe

_FLOAT32 = const(1)  # contract's type
_HEADER_WORDS = const(7)
_OUTPUT_MAX = const(4096)

# Module and class of each operator. A module of steps takes RAM, and its kernels with it: each is loaded when the first
# of its operators is planned.
_OPERATORS = {
    1: "steps_matrix.Rows",
    2: "steps_matrix.Conv",
    3: "steps_pool.Mean",
    4: "steps_softmax.Softmax",
    5: "steps_depthwise.Depthwise",
    6: "steps_pool.MaxPool",
    7: "steps_pool.AveragePool",
    8: "steps_elementwise.Map",
    9: "steps_elementwise.Add",
    10: "steps_elementwise.Mul",
    11: "steps_elementwise.Minimum",
    12: "steps_elementwise.Maximum",
    13: "steps_copy.Fill",
    14: "steps_copy.Copy",
    15: "steps_ring.RingConv",
    16: "steps_depthwise3x3.Depthwise3x3",
}


def load(number):
    """The class of the operator of that number, with its module loaded; KeyError for a number that has none."""
    module, name = _OPERATORS[number].split(".")
    return getattr(__import__(module, globals(), None, (name,), 1), name)


class Net:
    """The network of the bytearray `release`, whose program and tables lie at these offsets.

    Attributes: `output` (array "b", int8 as the model gives them), `input_len`, `output_len`, `arena_len` in bytes.
    SealError(RELEASE) when the program breaks a rule of FORMAT.md, SealError(MEMORY) when the arena cannot be had.
    """

    def __init__(self, release, program_at, program_len, tables_at, tables_len, contract=None):
        """`contract`: of frames that are not float32."""
        if program_len < 4 * _HEADER_WORDS:
            refuse("header")
        layout = Layout(release, program_at + program_len, tables_at, tables_at + tables_len)
        header = layout.words(program_at, _HEADER_WORDS)
        self.arena_len, input_at, self.input_len, output_at, self.output_len, quantise_at, count = header
        layout.arena_len = self.arena_len
        layout.arena(input_at, self.input_len)
        layout.arena(output_at, self.output_len)
        if self.output_len > _OUTPUT_MAX:
            refuse("output")
        self._raw = None
        if contract is None or contract.type == _FLOAT32:
            layout.quantise(quantise_at)
        else:
            from . import raw

            self._raw = raw.Quantise(layout, quantise_at, contract)
        steps = _operators(layout, program_at + 4 * _HEADER_WORDS, count)
        gc.collect()
        try:
            self._arena = bytearray(self.arena_len)  # before the plan's small objects can lie in its way
        except MemoryError:
            raise SealError(MEMORY, "arena of %d bytes" % self.arena_len)
        # One object a step, whose `run(model, arena)` allocates nothing, in the place of its class.
        at = program_at + 4 * _HEADER_WORDS
        for i in range(count):
            operator = steps[i]
            steps[i] = operator(layout, at + 4, layout.words(at + 4, operator.WORDS))
            at += 4 + 4 * operator.WORDS
        self._steps = steps
        self.output = array("b", bytes(self.output_len))
        self._model = release
        # Slices allocate: made here, once.
        self._input = memoryview(self._arena)[input_at:]
        self._output = memoryview(self._arena)[output_at:]
        self._quantise = memoryview(release)[quantise_at:]

    def run(self, frame):
        """Quantise the accepted `frame`, run every step, fill `output`; the index of its greatest. Allocates none."""
        if self._raw is None:
            kernels.quantise(frame, 0, 0, self._input, self.input_len, self._quantise)
        else:
            self._raw.run(frame, self._input)
        for step in self._steps:  # no locals for what it is given: of more words the frame would be on the heap
            step.run(self._model, self._arena)
        return kernels.finish(self._output, self.output_len, self.output)

    def wipe(self):
        """Overwrite activations and output."""
        wipe(self._arena)
        wipe(self.output)


def _operators(layout, at, count):
    """Each step's class."""
    steps = []  # type: list
    loaded = {}  # type: dict
    for _ in range(count):
        (number,) = layout.words(at, 1)
        if number not in _OPERATORS:
            refuse("operator %d" % number)
        if number not in loaded:
            gc.collect()  # a module stays: what loading the last one left must not lie below it
            loaded[number] = load(number)
        operator = loaded[number]
        steps.append(operator)
        at += 4 + 4 * operator.WORDS
    if not count or at != layout.program_end:
        refuse("steps")
    return steps
