"""The VM's `vfs` as a board has it, without the host's filesystem. A file `vfs.py` could not stand in for it."""

from vfs import VfsFat, VfsLfs2, mount, umount  # noqa: F401 - all of them for the board

__name__ = "vfs"
