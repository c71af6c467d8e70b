"""Files on their way to a board: what is there already, what goes, and whether it arrived.

A file goes as bytes literals in code that the board compiles in raw-paste mode, which has flow control and is clean for
all but five bytes and some quotes; deflated where that makes it shorter. Each piece has its CRC beside it, and is
written only when that is right: what a board holds of a file that was cut is its beginning, byte for byte, and the next
upload goes on behind it.
"""

from __future__ import annotations

import base64
import hashlib
import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ..errors import BoardError, TinysealError
from .transport import Link, Progress

_PIECE = 4096  # bytes a round trip; while the board compiles one it has it up to three times
_FLUSH_PIECES = 2  # what a power cut can cost; each time a half-filled block of flash is copied
_PIECE_S = 20.0  # flash is slow where blocks have to be erased first
# What means something to the raw REPL, to the unix VM's console or to the compiler in a bytes literal of three quotes;
# other bytes stand for themselves. Three of them go as octal numbers, in three digits only where a digit comes next.
_ESCAPED = re.compile(rb'[\0\x03\x04](?=([0-7])?)|[\r\\]|"(?="|\Z)')
_ESCAPES = {b"\r": rb"\r", b'"': rb"\"", b"\\": rb"\\"}

AGAIN = "try again: it goes on where it stopped; if it happens often, try another cable or port"

_WINDOW_BITS = 11  # of DEFLATE (RFC 1951): the board holds 2 KiB for it
# Short, because it travels: with a small model it is a part of the whole that counts.
_RECEIVE = """
import ubinascii
def _w(d,c):
 if ubinascii.crc32(d)!=c:raise ValueError
 _q.write(d)
"""
_INFLATE = """
import deflate,io
def _i(d):return deflate.DeflateIO(io.BytesIO(d),deflate.RAW,11).read()
"""
_CAN_INFLATE = """
try:
 import deflate,io
 print(1)
except ImportError:print(0)
"""
# _h: digest of a file; _c: what is in a folder; _s: one digest of all its files, with their names.
# A full littlefs counts blocks twice, and says that less than none are free.
_LOOK = """
import uos,uhashlib,ubinascii,ujson
def _h(p):
 h=uhashlib.sha256();b=bytearray(1024);m=memoryview(b)
 with open(p,'rb') as f:
  while 1:
   n=f.readinto(b)
   if n<1:return ubinascii.b2a_base64(h.digest()[:16])[:24].decode()
   h.update(m[:n])
def _c(d):
 s=uos.statvfs('/')
 try:e={e[0]:[e[3],_h(d+'/'+e[0])] for e in uos.ilistdir(d) if e[1]>>15}
 except OSError:e=None
 print(ujson.dumps([s[0],s[3] if s[3]<=s[2] else 0,e]))
def _s(d):
 h=uhashlib.sha256()
 try:
  for n in sorted(e[0] for e in uos.ilistdir(d)):h.update(n+' '+_h(d+'/'+n)+'\\n')
 except OSError:pass
 print(ujson.dumps(ubinascii.b2a_base64(h.digest()[:16])[:24].decode()))
"""


@dataclass(frozen=True)
class Stored:
    """A file on a board: its bytes, and the first half of their sha256."""

    size: int
    digest: str


def digest(data: bytes) -> str:
    """What a board says of a file with these bytes."""
    return base64.b64encode(hashlib.sha256(data).digest()[:16]).decode()


@dataclass(frozen=True)
class Folder:
    """A folder of a board: its files by name, None where there is no folder, and the filesystem's room in blocks."""

    files: dict[str, Stored] | None
    block: int
    free: int

    def check_room(self, link: Link, sizes: Iterable[int]) -> None:
        """TinysealError unless there is room for more files of that many bytes."""
        needed = 2 + sum(
            size // (self.block - 8) + 1 for size in sizes
        )  # littlefs: whole blocks, with pointers in them
        if needed > self.free:
            raise TinysealError(
                f"{link.device}: {needed * self.block} bytes needed, {self.free * self.block} free on the filesystem",
                hint="remove files with mpremote fs rm",
            )


def look(link: Link, folder: str) -> Folder:
    """What is in a folder of the board, whatever package it has."""
    return understood(link, link.json(f"_c({folder!r})", given=_LOOK))


def understood(link: Link, answer: Any) -> Folder:
    """The Folder that a board describes as `[bytes a block, blocks free, {name: [bytes, digest]} or null]`."""
    with link.understanding():
        block, free, found = answer
        files = None if found is None else {name: Stored(int(size), str(text)) for name, (size, text) in found.items()}
        return Folder(files, int(block), int(free))


def holds(link: Link, folder: str, digests: dict[str, str]) -> bool:
    """Whether a folder of the board holds these files, by their digests, and no others."""
    listed = "".join(f"{name} {digests[name]}\n" for name in sorted(digests))
    return bool(link.json(f"_s({folder!r})", given=_LOOK) == digest(listed.encode()))


def not_as_sent(link: Link) -> BoardError:
    """What arrived is something else."""
    return BoardError(f"{link.device}: what arrived is not what was sent", hint=AGAIN)


def send(link: Link, folder: str, files: dict[str, bytes], progress: Progress | None = None, *, at: int = 0) -> None:
    """Write files into a folder, each anew; with `at` the one goes on behind that many bytes.

    TinysealError when the board cannot write, BoardError when a piece arrived otherwise than it was sent.
    """
    if not files:
        return
    total, done = sum(map(len, files.values())), at
    first = next(iter(files.values()))[:_PIECE]
    inflates = len(_deflated(first)) < len(first) and link.json(_CAN_INFLATE) == 1  # what is sealed never gets shorter
    receive = _RECEIVE + (_INFLATE if inflates else "")
    for name, data in files.items():
        for start in range(at, len(data), _PIECE):
            piece = data[start : start + _PIECE]
            code = _call(piece, inflates)
            if start == at:
                code = f"_q=open('{folder}/{name}','{'ab' if at else 'wb'}');".encode() + code
            if start + _PIECE >= len(data):
                code += b";_q.close()"
            elif (start // _PIECE + 1) % _FLUSH_PIECES == 0:
                code += b";_q.flush()"
            link.run(code, given=receive, timeout_s=_PIECE_S)
            done += len(piece)
            if progress:
                progress(done, total)


def _call(piece: bytes, inflates: bool) -> bytes:
    """Code that writes a piece, deflated where that makes it shorter; the CRC is that of the piece itself."""
    text = b'b"""' + literal(piece) + b'"""'
    if inflates:
        text = min(text, b'_i(b"""' + literal(_deflated(piece)) + b'""")', key=len)
    return b"_w(%b,%d)" % (text, zlib.crc32(piece))


def _deflated(data: bytes) -> bytes:
    stream = zlib.compressobj(9, zlib.DEFLATED, -_WINDOW_BITS)
    return stream.compress(data) + stream.flush()


def literal(data: bytes) -> bytes:
    """What stands for `data` in a bytes literal between three quotes."""
    return _ESCAPED.sub(_escape, data)


def _escape(found: re.Match[bytes]) -> bytes:
    return _ESCAPES.get(found[0]) or (rb"\%03o" if found[1] else rb"\%o") % ord(found[0])
