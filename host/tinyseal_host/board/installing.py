"""The package on a board: which one is there, and how another takes its place with a whole one at every instant.

FORMAT.md section 4: the new package is written to a folder beside the old one, renamed to the board's root, from where
it is imported before the one in `/lib`, and from there into the emptied place of the old one. Whatever cuts this short,
the board imports the old package or the new one, and the next installation ends what this one has begun.
"""

from __future__ import annotations

from ..errors import Refusal, TinysealError
from .firmware import Firmware
from .transfer import Stored, digest, holds, look, not_as_sent, send
from .transport import REMOTE, Link, Progress, refused

PROTOCOL = 2  # `tinyseal.remote.PROTOCOL` of the package that this one carries

_PACKAGE = "/lib/tinyseal"
_NEW = "/lib/tinyseal.new"
_FIRST = "/tinyseal"
# Only when all of it has arrived it says that there is no package.
_NO_PROTOCOL = """
try:
 import tinyseal.remote as _r
 print(getattr(_r,'PROTOCOL',0))
except MemoryError:raise
except Exception:print('null')
"""
# _m: a folder there may be; _e: empty one; _f: end a switch, _n: begin it; _y: copy files of the old package.
_SWITCH = """
import uos
def _m(d):
 try:uos.mkdir(d)
 except OSError as e:
  if e.errno!=17:raise
def _l(d):
 try:return [e[0] for e in uos.ilistdir(d)]
 except OSError:return None
def _e(d):
 for n in _l(d) or ():uos.remove(d+'/'+n)
def _f(o,f):
 if _l(f) is None:return 1
 if not {'__init__.mpy','__init__.py'}&set(_l(f)):return 0
 _m('/lib')
 _e(o)
 uos.rename(f,o)
 return 1
def _n(o,n,f):
 if _l(o):
  uos.rename(n,f)
  _f(o,f)
 else:uos.rename(n,o)
def _y(o,n,names):
 b=bytearray(1024)
 m=memoryview(b)
 for x in names:
  with open(o+'/'+x,'rb') as r,open(n+'/'+x,'wb') as w:
   while True:
    k=r.readinto(b)
    if not k:break
    w.write(m[:k])
"""


def protocol(link: Link) -> int | None:
    """The number of what the board's package and a host say to each other, 0 from before there was one.

    None without a package that can be loaded.
    """
    answer, raised = link.attempt("print(_r.PROTOCOL)", given=REMOTE)
    if raised.startswith("MemoryError"):
        raise refused(Refusal.MEMORY, "")
    with link.understanding():
        if raised:  # which may be what a bad cable has made of the question
            why = link.json(_NO_PROTOCOL)
            return None if why is None else int(why)
        return int(answer)


def is_frozen(link: Link) -> bool:
    """Whether the board's package is part of its firmware: the name of its file is no path."""
    answer, _ = link.attempt("import tinyseal;print(tinyseal.__file__[0])")
    return answer.strip() not in ("", "/")


def check_protocol(link: Link, number: int) -> None:
    """TinysealError when the board's package speaks another protocol than this one."""
    if number > PROTOCOL:
        check_not_newer(link, number)
    if number < PROTOCOL:
        raise TinysealError(
            f"{link.device}: the board's tinyseal is older, it speaks protocol {number}, wanted {PROTOCOL}",
            hint="tinyseal provision --port ... --keys ... puts this version on it, and keeps its model",
        )


def check_not_newer(link: Link, number: int | None) -> None:
    """TinysealError when the board's package is of a later protocol, and so not to be replaced by this one's."""
    if number is not None and number > PROTOCOL:
        raise TinysealError(
            f"{link.device}: the board's tinyseal is newer, it speaks protocol {number}, this one speaks {PROTOCOL}",
            hint="pip install --upgrade tinyseal-host",
        )


def install(link: Link, firmware: Firmware, progress: Progress | None = None) -> tuple[int, int]:
    """Bring the board's package to this one; how many files were sent, and how many removed as no longer part.

    What the board has already, from an installation that was cut too, is not sent again, and nothing to a board that
    has the package in its firmware. TinysealError without room for
    both packages, BoardError when it arrives otherwise than it was sent.
    """
    wanted = {path.removeprefix("tinyseal/"): data for path, data in firmware.files.items()}
    digests = {name: digest(data) for name, data in wanted.items()}
    if not link.json(f"{_SWITCH}print(_f({_PACKAGE!r},{_FIRST!r}))"):
        raise TinysealError(
            f"{link.device}: {_FIRST} on the board is no package, and in the way of ours",
            hint="give it another name, or remove it",
        )
    if holds(link, _PACKAGE, digests):
        return 0, 0
    there = look(link, _PACKAGE).files or {}
    if not there and is_frozen(link):
        check_protocol(link, protocol(link) or 0)
        return 0, 0
    stale = there.keys() - wanted.keys()
    missing = _missing(there, digests)
    if not missing:
        if stale:  # a leftover .py would be imported before the .mpy beside it
            link.run("".join(f"uos.remove({_PACKAGE + '/' + name!r})\n" for name in sorted(stale)))
        return 0, len(stale)
    link.run(f"_m('/lib')\n_m({_NEW!r})")
    new = look(link, _NEW)
    staged = new.files or {}
    useless = [name for name, file in staged.items() if digests.get(name) != file.digest]
    if useless:
        link.run(f"for n in {useless!r}:uos.remove({_NEW + '/'!r}+n)")
    rest = _missing(staged, digests)
    new.check_room(link, (len(wanted[name]) for name in rest))
    copied = sorted(rest - missing)
    if copied:
        link.run(f"_y({_PACKAGE!r},{_NEW!r},{copied!r})")
    sent = {name: wanted[name] for name in sorted(rest & missing)}
    send(link, _NEW, sent, progress)
    if not holds(link, _NEW, digests):
        raise not_as_sent(link)
    link.run(f"_n({_PACKAGE!r},{_NEW!r},{_FIRST!r})")
    return len(sent), len(stale)


def _missing(there: dict[str, Stored], digests: dict[str, str]) -> set[str]:
    """The files that are not there as they should be."""
    return {name for name, text in digests.items() if name not in there or there[name].digest != text}
