"""Runs the scripts of the other tests on a board, as `vm.run` runs them on the VM: each in a folder of its own.

A script and its files go to a folder on the board that is named by their hash, and stay there where a test says that
they are the same in every run. Every script has a fresh interpreter, by a soft reset; only what it prints comes back.
"""

import hashlib

from tinyseal_host.board.transfer import digest, holds, look, send
from tinyseal_host.errors import TinysealError
from vm import VmError

_ROOT = "/tinyseal.tests"
_TIMEOUT_S = 180  # RSA of a batch on a slow chip
# _x: remove a folder; _d: the folders there are, which there need not be any of.
_FOLDERS = f"""
import uos,ujson
def _x(d):
 for e in list(uos.ilistdir(d)):uos.remove(d+'/'+e[0])
 uos.rmdir(d)
def _d():
 try:return [e[0] for e in uos.ilistdir('{_ROOT}')]
 except OSError:
  uos.mkdir('{_ROOT}')
  return []
"""
_RUN = """
import uos
uos.chdir({folder!r})
with open("script.py") as _f:_t=_f.read()
exec(_t,{{"__name__":"__main__"}})
"""


class Scripts:
    """The folders of scripts on `board`. While `keep` is set, they are meant to be found again by another run."""

    def __init__(self, board):
        self.board = board
        self.keep = False
        self._found = self.folders()
        self._kept = set()

    def run(self, script, files):
        """What a script prints; VmError with the last line of its exception."""
        files = {"script.py": script.encode(), **files}
        digests = {name: digest(data) for name, data in files.items()}
        name = hashlib.sha256(repr(sorted(digests.items())).encode()).hexdigest()[:16]
        folder = f"{_ROOT}/{name}"
        self._put(name, files, digests)
        if self.keep:
            self._kept.add(name)
        self.board.link.restart()
        try:
            printed, raised = self.board.link.attempt(_RUN.format(folder=folder), timeout_s=_TIMEOUT_S)
        finally:
            if not self.keep:
                self._remove(name)
        if raised:
            raise VmError(raised)
        return printed.replace("\r\n", "\n")

    def folders(self):
        """The names of those that are on the board."""
        return set(self.board.link.json("print(ujson.dumps(_d()))", given=_FOLDERS))

    def tidy(self):
        """Leave only what another run will look for."""
        for name in self._found - self._kept:
            self._remove(name)

    def _put(self, name, files, digests):
        link, folder = self.board.link, f"{_ROOT}/{name}"
        if name in self._found:
            if holds(link, folder, digests):
                return
            self._remove(name)
        try:
            look(link, "/").check_room(link, map(len, files.values()))
        except TinysealError:
            for other in list(self._found):
                self._remove(other)
        link.run(f"uos.mkdir({folder!r})", given=_FOLDERS)
        self._found.add(name)
        send(link, folder, {file: data for file, data in files.items() if data})
        for file in (file for file, data in files.items() if not data):
            link.run(f"open('{folder}/{file}','wb').close()")

    def _remove(self, name):
        if name in self._found:
            self.board.link.run(f"uos.chdir('/');_x('{_ROOT}/{name}')", given=_FOLDERS)
            self._found.remove(name)
