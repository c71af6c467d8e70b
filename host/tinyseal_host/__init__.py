"""Seal int8 neural networks for MicroPython boards, and put them there; the command is `tinyseal`.

    from tinyseal_host import Board, Keys, build, seal

What these do is said in `api`, which is loaded when one of them is first asked for: the virtual board's own processes
are of this package too, and need nothing of it.
"""

import importlib
from typing import Any

__version__ = "0.1.0"
__all__ = ["Board", "Keys", "build", "seal"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(".api", __name__), name)
