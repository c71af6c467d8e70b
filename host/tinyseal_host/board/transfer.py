"""Files on their way to a board: what is there already, what goes, and whether it arrived.

A file goes as bytes literals in code that the board compiles in raw-paste mode, which has flow control and is clean for
all but seven bytes; deflated where that makes it shorter. Each piece has its CRC beside it, and is written only when
that is right: what a board holds of a file that was cut is its beginning, byte for byte, and the next upload goes on
behind it.
"""

from __future__ import annotations

import base64
import hashlib
import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass

from ..errors import BoardError, TinysealError
from .transport import Link, Progress

_PIECE = 2048  # bytes a round trip; while the board compiles one it has it three times
_FLUSH_PIECES = 4  # what a power cut can cost; each time a half-filled block of flash is copied
_PIECE_S = 20.0  # flash is slow where blocks have to be erased first
# What means something to the raw REPL, to the unix VM's console or to the compiler in a bytes literal; other bytes
# stand for themselves. Three of them go as octal numbers, in three digits only where a digit comes next.
_ESCAPED = re.compile(rb'[\0\x03\x04](?=([0-7])?)|[\n\r"\\]')
_ESCAPES = {b"\n": rb"\n", b"\r": rb"\r", b'"': rb"\"", b"\\": rb"\\"}

AGAIN = "try again: it goes on where it stopped; if it happens often, try another cable or port"

_NEW, _MORE, _FLUSH, _CLOSE, _DEFLATED = 1, 2, 4, 8, 16  # the argument `o` of _p
_WINDOW_BITS = 11  # of DEFLATE (RFC 1951): the board holds 2 KiB for it
_RECEIVE = """
import ubinascii
try:
 import deflate,io
 print(1)
except ImportError:
 print(0)
def _p(n,d,c,o):
 global _q
 if o&16:d=deflate.DeflateIO(io.BytesIO(d),deflate.RAW,11).read()
 if ubinascii.crc32(d)!=c:raise ValueError('damaged')
 if o&3:_q=open(_d+n,'wb' if o&1 else 'ab')
 _q.write(d)
 if o&4:_q.flush()
 if o&8:_q.close()
"""
_CONTENTS = """
import uos,uhashlib,ubinascii,ujson
def _h(p):
 h=uhashlib.sha256()
 b=bytearray(1024)
 m=memoryview(b)
 with open(p,'rb') as f:
  while True:
   n=f.readinto(b)
   if not n:return ubinascii.b2a_base64(h.digest()[:16]).decode().strip()
   h.update(m[:n])
def _c(d):
 try:
  e=[e for e in uos.ilistdir(d) if e[1]==0x8000]
 except OSError:
  print('null')
 else:
  print(ujson.dumps({e[0]:[e[3],_h(d+'/'+e[0])] for e in e}))
"""
_DIGESTS = """
def _s(d):
 h=uhashlib.sha256()
 for n in sorted(e[0] for e in uos.ilistdir(d)):h.update(n+' '+_h(d+'/'+n)+'\\n')
 print(ujson.dumps(ubinascii.b2a_base64(h.digest()[:16]).decode().strip()))
"""
# A full littlefs counts blocks twice, and says that less than none are free.
_ROOM = "import uos,ujson;s=uos.statvfs('/');print(ujson.dumps([s[0],s[3] if s[3]<=s[2] else 0]))"


@dataclass(frozen=True)
class Stored:
    """A file on a board: its bytes, and the first half of their sha256."""

    size: int
    digest: str


def digest(data: bytes) -> str:
    """What a board says of a file with these bytes."""
    return base64.b64encode(hashlib.sha256(data).digest()[:16]).decode()


def contents(link: Link, folder: str) -> dict[str, Stored] | None:
    """The files in a folder of the board, by name; None when there is no such folder."""
    link.define(_CONTENTS)
    found = link.json(f"_c({folder!r})")
    with link.understanding():
        return None if found is None else {name: Stored(int(size), str(text)) for name, (size, text) in found.items()}


def check_arrived(link: Link, folder: str, digests: dict[str, str]) -> None:
    """BoardError unless the folder holds these files, by their digests, and no others."""
    listed = "".join(f"{name} {digests[name]}\n" for name in sorted(digests))
    link.define(_CONTENTS)
    if link.json(f"{_DIGESTS}_s({folder!r})") != digest(listed.encode()):
        raise BoardError(f"{link.device}: what arrived is not what was sent", hint=AGAIN)


def check_room(link: Link, sizes: Iterable[int]) -> None:
    """TinysealError unless the board's filesystem has room for files of that many bytes."""
    block, free = link.json(_ROOM)
    needed = 2 + sum(size // (block - 8) + 1 for size in sizes)  # littlefs: whole blocks, with pointers in them
    if needed > free:
        raise TinysealError(
            f"{link.device}: {needed * block} bytes needed, {free * block} free on the board's filesystem",
            hint="remove files with mpremote fs rm",
        )


def send(link: Link, folder: str, files: dict[str, bytes], progress: Progress | None = None, *, at: int = 0) -> None:
    """Write files into a folder that is there, each anew; with `at` the one file goes on behind that many bytes.

    TinysealError when the board cannot write, BoardError when a piece arrived otherwise than it was sent.
    """
    total, done = sum(map(len, files.values())), at
    deflates = link.json(f"_d={folder + '/'!r}{_RECEIVE}") == 1
    for name, data in files.items():
        for start in range(at, len(data), _PIECE):
            piece = data[start : start + _PIECE]
            flags = (_MORE if at else _NEW) if start == at else 0
            if start + _PIECE >= len(data):
                flags |= _CLOSE
            elif (start // _PIECE + 1) % _FLUSH_PIECES == 0:
                flags |= _FLUSH
            link.run(_call(name, piece, flags, deflates), timeout_s=_PIECE_S)
            done += len(piece)
            if progress:
                progress(done, total)


def _call(name: str, piece: bytes, flags: int, deflates: bool) -> bytes:
    """`_p("net.mpy",b"...",1234,9)`; the name only where a file is opened, the CRC that of the file's own bytes."""
    head = f'_p("{name}",b"' if flags & (_NEW | _MORE) else '_p(0,b"'
    text = literal(piece)
    if deflates:
        shorter = literal(_deflated(piece))
        if len(shorter) < len(text):
            text, flags = shorter, flags | _DEFLATED
    return head.encode() + text + f'",{zlib.crc32(piece)},{flags})'.encode()


def _deflated(data: bytes) -> bytes:
    stream = zlib.compressobj(9, zlib.DEFLATED, -_WINDOW_BITS)
    return stream.compress(data) + stream.flush()


def literal(data: bytes) -> bytes:
    """What stands for `data` between the quotes of a bytes literal."""
    return _ESCAPED.sub(_escape, data)


def _escape(found: re.Match[bytes]) -> bytes:
    return _ESCAPES.get(found[0]) or (rb"\%03o" if found[1] else rb"\%o") % ord(found[0])
