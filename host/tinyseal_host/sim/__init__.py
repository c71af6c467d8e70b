"""The virtual board: a real MicroPython VM behind a pseudo-terminal that mpremote uses like a serial port."""

from .board import VirtualBoard
from .cable import Fault
from .errors import SimError
from .state import running_port, set_chip

__all__ = ["Fault", "SimError", "VirtualBoard", "running_port", "set_chip"]
