"""The flash chip's filesystem partition: a block device over `flash.bin`, and the littlefs on it as the root."""

import supply
import vfs
from settings import HOST, StateError, state_file

_BLOCK = 4096
_ERASED = b"\xff" * _BLOCK
_BOOT_PY = "# This file runs at every start, before main.py.\n"


class Flash:
    """The extended block protocol over a file.

    The VM raises a Ctrl-C at jumps only, and a block device of a chip cannot be interrupted. So there is no branch and
    no loop in here: littlefs, which is C code, never has an exception thrown through it.
    """

    def __init__(self, file):
        """Take a file of whole blocks, open for reading and writing."""
        self._file = file
        blocks = file.seek(0, 2) // _BLOCK
        # By operation: 1 init, 2 deinit, 3 sync, 4 number of blocks, 5 bytes of a block, 6 erase a block.
        self._operations = (None, _done, _done, _done, lambda _: blocks, lambda _: _BLOCK, self._erase)

    def readblocks(self, block, buf, offset):
        """Fill `buf` with the bytes at `offset` of a block and those that follow."""
        self._file.seek(block * _BLOCK + offset)
        self._file.readinto(buf)

    def writeblocks(self, block, buf, offset):
        """Program the bytes of `buf` at `offset` of a block that has been erased."""
        supply.write(self._file, block * _BLOCK + offset, buf)

    def ioctl(self, operation, argument):
        """Answer one operation of the protocol."""
        return self._operations[operation](argument)

    def _erase(self, block):
        supply.write(self._file, block * _BLOCK, _ERASED)
        return 0


def _done(_):
    return 0


def mount_root():
    """Put the partition where the host's filesystem was, formatted if it is fresh; StateError if it cannot be."""
    flash = Flash(HOST.open(state_file("flash.bin"), "r+b"))
    first = bytearray(_BLOCK)
    flash.readblocks(0, first, 0)
    fresh = first == _ERASED
    if fresh:
        vfs.VfsLfs2.mkfs(flash)
    try:
        root = vfs.VfsLfs2(flash)
    except OSError:
        raise StateError("flash.bin is neither erased nor a littlefs") from None
    vfs.umount("/")
    vfs.mount(root, "/")
    root.chdir("/")
    if fresh:
        with open("boot.py", "w") as file:
            file.write(_BOOT_PY)
