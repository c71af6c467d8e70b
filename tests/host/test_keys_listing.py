"""What is told of key folders: enough to tell keys apart, and nothing of them."""

import os
import shutil

import pytest
from tinyseal_host import keys
from tinyseal_host.errors import TinysealError
from tinyseal_host.keys import KeyKind


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Two folders of keys, which take a second to make."""
    folder = tmp_path_factory.mktemp("made")
    for name in ("keys", "other"):
        keys.generate(folder / name)
    return folder


@pytest.fixture
def folder(made, tmp_path):
    """A copy to spoil."""
    return shutil.copytree(made / "keys", tmp_path / "keys")


def test_three_files_by_their_fingerprints(folder):
    master, signing, signer = keys.list_keys([folder])
    assert [entry.path.name for entry in (master, signing, signer)] == ["master.key", "signing.key", "signing.pub"]
    assert [entry.mode for entry in (master, signing, signer)] == [0o600, 0o600, 0o644]
    assert master.fingerprint == keys.master_fingerprint(keys.load_master([folder]))
    assert signing.fingerprint == signer.fingerprint == keys.signer_fingerprint(keys.load_signer([folder]))
    assert not any(entry.problem or entry.passphrase for entry in (master, signing, signer))
    shown = repr([master, signing, signer])
    assert (folder / "master.key").read_text().strip() not in shown
    assert (folder / "signing.key").read_text().splitlines()[3] not in shown


def test_folders_in_their_order_and_other_files_left_out(folder, tmp_path):
    keys.generate(tmp_path / "station", [KeyKind.MASTER])
    (tmp_path / "station" / "notes.txt").write_text("hello")
    found = keys.list_keys([tmp_path / "station", folder])
    assert [str(entry.path.relative_to(tmp_path)) for entry in found] == [
        "station/master.key",
        *(f"keys/{name}" for name in ("master.key", "signing.key", "signing.pub")),
    ]


def test_behind_a_passphrase_there_is_no_fingerprint(tmp_path):
    keys.generate(tmp_path / "keys", [KeyKind.SIGNING], os.urandom(8))
    signing, signer = keys.list_keys([tmp_path / "keys"])
    assert (signing.passphrase, signing.fingerprint, signing.problem) == (True, None, None)
    assert (signer.passphrase, signer.problem) == (False, None)
    assert signer.fingerprint is not None


def test_what_is_wrong_with_a_file_is_said_beside_it(made, folder):
    (folder / "master.key").chmod(0o644)
    shutil.copy(made / "other" / "signing.pub", folder)
    master, signing, signer = keys.list_keys([folder])
    assert (master.mode, master.fingerprint) == (0o644, None)
    assert master.problem == f"{folder / 'master.key'}: mode is 0644, wanted 0600"
    assert (signing.problem, signing.fingerprint is None) == (None, False)
    assert signer.problem == f"{folder / 'signing.pub'}: is not the public half of the signing.key beside it"
    for name in ("signing.key", "signing.pub"):
        (folder / name).unlink()
        (folder / name).symlink_to("nowhere")
    for entry in keys.list_keys([folder])[1:]:
        assert entry.problem == f"{entry.path}: no such file or directory"


def test_no_keys_and_no_folder_are_errors(tmp_path):
    with pytest.raises(TinysealError) as caught:
        keys.list_keys([tmp_path])
    assert str(caught.value) == f"{tmp_path}: no keys there"
    with pytest.raises(TinysealError) as caught:
        keys.list_keys([tmp_path / "none"])
    assert str(caught.value) == f"{tmp_path / 'none'}: no such file or directory"
