"""The VM's `os` as a board has it: without the host's environment, shell and filesystem, with `uname` and `sync`."""

import sys as _sys
from collections import namedtuple as _namedtuple

from settings import MACHINE as _MACHINE
from uos import (  # noqa: F401 - all of them for the board
    VfsFat,
    VfsLfs2,
    chdir,
    getcwd,
    ilistdir,
    listdir,
    mkdir,
    mount,
    remove,
    rename,
    rmdir,
    sep,
    stat,
    statvfs,
    umount,
    unlink,
    urandom,
)

_uname = _namedtuple("uname", ("sysname", "nodename", "release", "version", "machine"))


def uname():
    """What runs here; `machine` says that it is a virtual board."""
    release = ".".join(str(part) for part in _sys.implementation.version[:3])
    return _uname(_sys.platform, _sys.platform, release, _sys.version.split("MicroPython ")[-1], _MACHINE)


def sync():
    """Nothing: littlefs writes at flush and close."""
