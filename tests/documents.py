"""What a document shows of a terminal, taken apart and run, for its test to hold against what comes back."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent


def blocks(document, kind):
    """The texts between ```kind and ```, in their order."""
    return re.findall(rf"^```{kind}\n(.*?)^```$", document, re.MULTILINE | re.DOTALL)


def transcript(document):
    """(command, what it printed) of every `$ ` in the console blocks."""
    parts = [part for text in blocks(document, "console") for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]]
    return [tuple(part.split("\n", 1)) for part in parts]


def shell(command, folder, **environment):
    """stdout and stderr together, as a terminal has them; the command must succeed unless it shows an error."""
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env={**os.environ, "PATH": path, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0 or "tinyseal: error:" in done.stdout, done.stdout
    return done.stdout


def comparable(text):
    """Without what differs from board to board and from key to key."""
    text = re.sub(r"\b[0-9a-f]{12}\b|\b[0-9a-f]{16}\b", "HEX", text)
    return re.sub(r"heap free +[\d,]+", "heap free N", text)
