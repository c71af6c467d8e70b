"""Runs Espressif's `espefuse`, of esptool 5, on a chip at a port or on a file that stands for one."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import BoardError, TinysealError

PURPOSE = "HMAC_UP"
KEY_FILE = "KEY.bin"
"""What stands for the key's file where a command is shown."""
_TIMEOUT_S = 120
_FATAL = "A fatal error occurred:"
_FRAME = re.compile("[│╭╮╰╯─]+")  # around what is wrong with a command line
_REASON_LEN = 300


@dataclass(frozen=True)
class Espefuse:
    """One chip: at `port`, in download mode or with a circuit that resets it into that, or in the file `virtual`."""

    chip: str
    port: str | None = None
    virtual: Path | None = None

    def command(self, *arguments: str) -> list[str]:
        """A command line as a person types it."""
        where = ["--port", self.port or "PORT"]
        if self.virtual is not None:
            where = ["--virt", "--path-efuse-file", str(self.virtual)]
        return ["espefuse", "--chip", self.chip, *where, *arguments]

    def burning(self, block: int, key_file: str = KEY_FILE) -> list[str]:
        """The command that burns the key, its purpose, and the protection of both."""
        # It would ask for its own word, which nobody could answer: we have asked already.
        return self.command("--do-not-confirm", "burn-key", f"BLOCK_KEY{block}", key_file, PURPOSE)

    def summary(self) -> dict[str, Any]:
        """Every eFuse by name, as `espefuse summary --format json` has it; BoardError when no chip answers."""
        with tempfile.TemporaryDirectory(prefix="tinyseal-") as folder:
            path = Path(folder) / "summary.json"
            self._run(self.command("summary", "--format", "json", "--file", str(path)), BoardError)
            try:
                found: dict[str, Any] = json.loads(path.read_bytes())
            except (OSError, ValueError) as error:
                raise TinysealError("espefuse wrote no summary", hint="esptool 5 or newer is wanted") from error
        return found

    def burn(self, block: int, key: bytes) -> None:
        """Burn 32 bytes into a key block, protected from reading and writing, with the purpose HMAC_UP.

        The key goes through a file that only this user can read, and that is overwritten before it is removed.
        TinysealError with espefuse's own words.
        """
        folder = Path(tempfile.mkdtemp(prefix="tinyseal-"))
        path = folder / KEY_FILE
        try:
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(key)
            self._run(self.burning(block, str(path)), TinysealError)
        finally:
            if path.exists():
                with path.open("r+b") as file:
                    file.write(bytes(len(key)))
                    file.flush()
                    os.fsync(file.fileno())
            shutil.rmtree(folder)

    def _run(self, command: list[str], failure: type[TinysealError]) -> None:
        try:
            done = subprocess.run(
                [*_program(), *command[1:]],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise failure(f"espefuse did not end within {_TIMEOUT_S} s") from error
        if done.returncode:
            raise failure(f"espefuse: {_reason(done.stdout + done.stderr)}")


def _program() -> list[str]:
    if importlib.util.find_spec("espefuse") is not None:
        return [sys.executable, "-m", "espefuse"]
    found = shutil.which("espefuse")
    if found is None:
        raise TinysealError("espefuse is not installed", hint="pip install 'tinyseal-host[burn]'")
    return [found]


def _reason(said: str) -> str:
    """What espefuse says went wrong, on one line; it does not show keys unless it is asked to."""
    fatal = said.rpartition(_FATAL)[2]
    words = _FRAME.sub(" ", fatal.rpartition("─ Error ─")[2]).split()
    return " ".join(words)[:_REASON_LEN] or "it failed without a word"
