"""A project of somebody's own, and pytest run in it as he does."""

import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

import pytest
from tinyseal_host.keys import generate

_OURS = ("PYTEST", "ESPPORT", "TINYSEAL", "COV_")
_LIMIT_S = 240


@dataclass
class Outcome:
    """One run: its exit status, what it said, and the JUnit file."""

    status: int
    said: str
    junit: ET.Element

    def counted(self):
        """Tests in all, failures, errors, skipped."""
        (suite,) = self.junit.findall("testsuite")
        return tuple(int(suite.get(name)) for name in ("tests", "failures", "errors", "skipped"))

    def properties(self, test):
        """Of one test, by name."""
        found = self.junit.find(f".//testcase[@name='{test}']/properties")
        return {} if found is None else {one.get("name"): one.get("value") for one in found}


class Project:
    """A folder with a test file in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        generate(folder / "keys")

    def pytest(self, tests, *options, **environment):
        (self.folder / "test_it.py").write_text(tests)
        command = [sys.executable, "-m", "pytest", "--junitxml=junit.xml", "-rs", *map(str, options)]
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=kept | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_LIMIT_S,
            check=False,
        )
        return Outcome(done.returncode, done.stdout, ET.parse(self.folder / "junit.xml").getroot())


@pytest.fixture
def project(tmp_path):
    """With keys in the folder `keys`."""
    (tmp_path / "project").mkdir()
    return Project(tmp_path / "project")
