"""What can go wrong while emulated machine code runs."""


class EmulationError(Exception):
    """Base of every error of this package; the message names the function and, where known, the code offset."""


class MemoryFault(EmulationError):  # noqa: N818  (what hardware manuals call it)
    """The code touched memory that none of its arguments gave it."""


class Misaligned(MemoryFault):
    """A 16- or 32-bit access at an address that is no multiple of its size."""


class Overrun(EmulationError):  # noqa: N818
    """After the call, the bytes around a buffer, or a read-only buffer, had changed."""


class RuntimeCall(EmulationError):  # noqa: N818
    """The code asked MicroPython's runtime for something a leaf kernel does not need, such as a global."""
