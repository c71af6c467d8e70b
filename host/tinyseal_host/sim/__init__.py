"""The virtual board: a real MicroPython VM behind a pseudo-terminal that mpremote uses like a serial port."""

from .board import VirtualBoard
from .errors import SimError

__all__ = ["SimError", "VirtualBoard"]
