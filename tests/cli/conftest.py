"""The command run in this process, and the folders that its tests share."""

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from tinyseal_host.cli import main
from tinyseal_host.example import write_example


@dataclass
class Outcome:
    """What one command did."""

    status: int
    out: str
    err: str

    @property
    def json(self):
        """The one JSON object on stdout; an error when there is anything else."""
        return json.loads(self.out)

    @property
    def error(self):
        """The line after `tinyseal: error: `; there must be exactly one, then at most a hint, and nothing on stdout."""
        lines = self.err.splitlines()
        errors = [line for line in lines if line.startswith("tinyseal: error: ")]
        assert len(errors) == 1, self.err
        assert all(line.startswith(("tinyseal: error: ", "tinyseal: hint: ", "tinyseal: note: ")) for line in lines), (
            self.err
        )
        return errors[0].removeprefix("tinyseal: error: ")

    @property
    def hint(self):
        """The line after `tinyseal: hint: `, or None."""
        hints = [line for line in self.err.splitlines() if line.startswith("tinyseal: hint: ")]
        return hints[0].removeprefix("tinyseal: hint: ") if hints else None


@pytest.fixture
def tinyseal(capsys, monkeypatch):
    """Run `tinyseal` with words split at blanks, or a list of them."""
    monkeypatch.delenv("ESPPORT", raising=False)

    def run(line, *more):
        words = line.split() if isinstance(line, str) else list(line)
        capsys.readouterr()
        try:
            status = main([*words, *map(str, more)])
        except SystemExit as exit_:  # --help and --version, which argparse ends by itself
            status = exit_.code or 0
        captured = capsys.readouterr()
        return Outcome(status, captured.out, captured.err)

    return run


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder to be in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def shared(tmp_path_factory):
    """A folder with the example, two owners' keys, their master keys alone, and a release, all made by the command."""
    folder = tmp_path_factory.mktemp("shared")
    write_example(folder)
    before = Path.cwd()
    os.chdir(folder)
    try:
        for line in (
            "keygen keys",
            "keygen stranger",
            "build motion.tflite --contract motion.toml --version 2 --keys keys -o motion.tsm",
        ):
            assert main([*line.split(), "--json"]) == 0
        for owner, station in (("keys", "station"), ("stranger", "other-station")):  # what seals, and cannot sign
            Path(station).mkdir()
            shutil.copy(Path(owner) / "master.key", station)
    finally:
        os.chdir(before)
    return folder


@pytest.fixture
def deploy(tinyseal, shared):
    """Deploy the example to the board whose state is in `board`."""

    def run(version, *more, keys="keys"):
        folder = shared
        return tinyseal(
            f"deploy --port sim --state board --version {version} --keys",
            *(folder / keys, "--contract", folder / "motion.toml", folder / "motion.tflite", *more),
        )

    return run


@pytest.fixture
def seal(tinyseal, shared):
    """Seal a release for the board in `board`; the file."""

    def run(name, release, *, keys="station", device=None, more=()):
        device = device or tinyseal("status --port sim --state board --json").json["device_id"]
        assert tinyseal(f"seal --device {device} -o {name} --keys", shared / keys, release, *more).status == 0
        return name

    return run
