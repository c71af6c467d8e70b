"""Reading with a limit and writing whole: a failed command leaves no output, and never half of one."""

from __future__ import annotations

import os
import secrets
import shlex
import stat
from collections.abc import Iterable
from pathlib import Path

from .errors import TinysealError, UsageError

MODEL_LIMIT = 32 << 20
"""Bytes of the largest model file that is read: twice the largest flash of a board."""
TEXT_LIMIT = 1 << 20
"""Bytes of the largest contract or key file that is read."""


def reason(error: OSError) -> str:
    """What an OSError says, without the number and the quoted path: `no such file or directory`."""
    text = error.strerror or type(error).__name__
    return text[:1].lower() + text[1:]


def read_bounded(path: Path, limit: int) -> bytes:
    """The bytes of a regular file of at most `limit` bytes; anything else is a TinysealError that names the file."""
    return read_with_mode(path, limit)[0]


def read_with_mode(path: Path, limit: int) -> tuple[bytes, int]:
    """The bytes of a regular file and its permission bits, both of the very file that was opened."""
    try:
        # O_NONBLOCK so that a FIFO does not hang before it can be refused; it changes nothing for a regular file.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with open(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise TinysealError(f"{path}: is not a regular file")
            data = file.read(limit + 1)
    except OSError as error:
        raise TinysealError(f"{path}: {reason(error)}") from error
    if len(data) > limit:
        raise TinysealError(f"{path}: has {max(status.st_size, len(data))} bytes, wanted at most {limit}")
    return data, stat.S_IMODE(status.st_mode)


def check_output(path: Path, inputs: Iterable[Path] = ()) -> None:
    """Refuse, before any work, an output that cannot be written or that is one of the command's inputs."""
    target = _target(path)
    if not target.parent.is_dir():
        raise TinysealError(f"{path}: its folder does not exist", hint=f"mkdir -p {shlex.quote(str(target.parent))}")
    if not os.access(target.parent, os.W_OK | os.X_OK):
        raise TinysealError(f"{path}: its folder cannot be written")
    for source in inputs:
        if target.exists() and source.exists() and os.path.samefile(target, source):
            raise UsageError(f"{path}: is the input, wanted another output", hint="name the output with -o")


def write_whole(path: Path, data: bytes) -> None:
    """Write `data` beside `path`, sync it, and rename it into place: `path` is the old file or all of the new one."""
    target = _target(path)
    temporary = _write_temporary(target, data, 0o666)
    try:
        os.replace(temporary, target)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise TinysealError(f"{path}: {reason(error)}") from error
        raise
    _sync_folder(target.parent)


def write_new(path: Path, data: bytes, mode: int) -> None:
    """Write a file that must not exist yet, whole or not at all, with permission bits `mode` from its first byte on."""
    temporary = _write_temporary(path, data, mode)
    try:
        os.chmod(temporary, mode)  # the umask may have taken away more
        os.link(temporary, path)  # unlike rename, fails when the name is taken
    except FileExistsError as error:
        raise TinysealError(f"{path}: exists already, and is never overwritten") from error
    except OSError as error:
        raise TinysealError(f"{path}: {reason(error)}") from error
    finally:
        temporary.unlink(missing_ok=True)
    _sync_folder(path.parent)


def _target(path: Path) -> Path:
    """The file behind `path`, links followed; never a device or a folder, which a rename would replace."""
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise TinysealError(f"{path}: is a directory, wanted a file to write")
    if target.exists() and not target.is_file():
        raise TinysealError(f"{path}: is not a regular file, and is not replaced")
    return target


def _write_temporary(path: Path, data: bytes, mode: int) -> Path:
    # Not made of the path's own name, which may be as long as the file system allows.
    temporary = path.with_name(f".tinyseal-{secrets.token_hex(8)}.part")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(temporary, flags, mode)
        try:
            with open(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(descriptor)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise TinysealError(f"{path}: {reason(error)}") from error
    return temporary


def _sync_folder(folder: Path) -> None:
    """Make a rename last through a power cut, where folders can be synced."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(descriptor)
    except OSError:
        pass
    finally:
        os.close(descriptor)
