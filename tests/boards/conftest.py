"""Definitions to break."""

import shutil

import pytest
from boards_check import manifests
from boards_check.definition import HARDENED, ROOT


@pytest.fixture
def copied(tmp_path, monkeypatch):
    """A copy of all definitions, in a tree like this one, whose files need not compile again."""
    monkeypatch.setattr(manifests, "compile_error", lambda path, architecture: "")
    (tmp_path / "firmware").symlink_to(ROOT / "firmware")
    return shutil.copytree(HARDENED, tmp_path / "boards" / "hardened")
