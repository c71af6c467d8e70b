"""`keygen` and `keys`, and where a passphrase comes from: the environment, or a person at a terminal."""

import os
import pty
import re
import secrets
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tinyseal_host.cli.passphrase import VARIABLE

PROGRAM = Path(sys.executable).with_name("tinyseal")


@pytest.fixture
def passphrase(monkeypatch):
    """A new passphrase, in the environment."""
    made = secrets.token_hex(8)
    monkeypatch.setenv(VARIABLE, made)
    return made


def modes():
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in Path("keys").iterdir()}


def build(tinyseal, shared, *folders):
    words = [word for folder in folders for word in ("--keys", folder)]
    return tinyseal("build --version 1 -o m.tsm --contract", shared / "motion.toml", shared / "motion.tflite", *words)


def test_keygen(tinyseal, here):
    found = tinyseal("keygen keys --json")
    assert found.status == 0
    assert modes() == {"master.key": 0o600, "signing.key": 0o600, "signing.pub": 0o644}
    contents = Path("keys/master.key").read_text().strip(), Path("keys/signing.key").read_text()
    assert not any(secret in found.out + found.err for secret in contents)
    again = tinyseal("keygen keys")
    assert again.status == 1
    assert "never overwritten" in again.error
    assert (Path("keys/master.key").read_text().strip(), Path("keys/signing.key").read_text()) == contents


@pytest.mark.parametrize(
    ("only", "names", "told"),
    [("master", ["master.key"], "master"), ("signing", ["signing.key", "signing.pub"], "signer")],
)
def test_keygen_of_one_kind(tinyseal, here, only, names, told):
    about = tinyseal(f"keygen keys --only {only} --json").json
    assert sorted(modes()) == names
    assert about["files"] == [f"keys/{name}" for name in names]
    assert re.fullmatch(r"[0-9a-f]{16}", about[told])
    assert {"master", "signer"} & set(about) == {told}


def test_keys_by_fingerprint_only(tinyseal, here):
    made = tinyseal("keygen keys --json").json
    found = tinyseal("keys keys")
    assert (found.status, found.err) == (0, "")
    assert [line.split() for line in found.out.splitlines()] == [
        ["file", "kind", "fingerprint", "mode", "passphrase"],
        ["keys/master.key", "master", "key", made["master"], "0600", "no"],
        ["keys/signing.key", "signing", "key", made["signer"], "0600", "no"],
        ["keys/signing.pub", "signer's", "public", "key", made["signer"], "0644", "no"],
    ]
    contents = [Path("keys/master.key").read_text().strip(), *Path("keys/signing.key").read_text().splitlines()[1:-1]]
    assert not any(secret in found.out for secret in contents)
    assert tinyseal("keys --keys keys").out == found.out
    about = tinyseal("keys keys --json").json["keys"]
    assert [(entry["file"], entry["fingerprint"], entry["mode"], entry["problem"]) for entry in about] == [
        ("keys/master.key", made["master"], "0600", None),
        ("keys/signing.key", made["signer"], "0600", None),
        ("keys/signing.pub", made["signer"], "0644", None),
    ]


def test_keys_names_what_is_wrong(tinyseal, here):
    tinyseal("keygen keys --only master")
    Path("keys/master.key").chmod(0o640)
    found = tinyseal("keys keys")
    assert found.status == 0
    assert found.out.splitlines()[-1] == "problem: keys/master.key: mode is 0640, wanted 0600"
    for line, status in (("keys", 2), ("keys none", 1), ("keys .", 1)):
        wrong = tinyseal(line)
        assert (wrong.status, wrong.out) == (status, "")
        assert wrong.error


def test_a_passphrase_from_the_environment(tinyseal, shared, here, passphrase, monkeypatch):
    made = tinyseal("keygen keys --passphrase --json")
    assert made.status == 0
    shown = tinyseal("keys keys --json")
    assert [entry["passphrase"] for entry in shown.json["keys"]] == [False, True, False]
    built = build(tinyseal, shared, "keys")
    assert (built.status, built.err) == (0, "")
    assert not any(passphrase in one.out + one.err for one in (made, shown, built))
    os.unlink("m.tsm")
    monkeypatch.setenv(VARIABLE, passphrase + "x")
    wrong = build(tinyseal, shared, "keys")
    assert (wrong.status, wrong.error) == (1, "keys/signing.key: wrong passphrase, or the file is damaged")
    assert passphrase not in wrong.out + wrong.err
    monkeypatch.delenv(VARIABLE)
    monkeypatch.setattr(sys, "stdin", open(os.devnull))  # noqa: SIM115
    nobody = build(tinyseal, shared, "keys")
    assert (nobody.status, nobody.hint) == (1, f"set {VARIABLE}")
    assert not Path("m.tsm").exists()


def test_a_key_without_a_passphrase_is_not_bothered_by_the_variable(tinyseal, shared, here, passphrase):
    assert build(tinyseal, shared, shared / "keys").status == 0
    assert tinyseal("keygen keys --json").json["passphrase"] is False
    assert b"BEGIN PRIVATE KEY" in Path("keys/signing.key").read_bytes()


@pytest.mark.parametrize("length", [0, 1024])
def test_a_passphrase_of_no_use(tinyseal, here, monkeypatch, length):
    monkeypatch.setenv(VARIABLE, "y" * length)
    found = tinyseal("keygen keys --passphrase")
    assert (found.status, found.error) == (1, f"{VARIABLE} has {length} bytes, wanted 1 to 1023")
    assert not Path("keys").exists()


def test_a_passphrase_for_no_key_is_a_usage_error(tinyseal, here, passphrase):
    found = tinyseal("keygen keys --only master --passphrase")
    assert (found.status, Path("keys").exists()) == (2, False)


def at_terminal(line, *answers):
    """(exit status, what the terminal showed) of the real program at a terminal where somebody types."""
    environment = {name: value for name, value in os.environ.items() if name != VARIABLE}
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [PROGRAM, *line.split()], stdin=slave, stdout=slave, stderr=slave, env=environment, start_new_session=True
    )
    os.close(slave)
    shown, waiting, end = b"", list(answers), time.monotonic() + 60
    try:
        while time.monotonic() < end:
            try:
                shown += os.read(master, 4096)
            except OSError:  # Linux's EIO: nobody has the other end any more
                break
            if waiting and shown.endswith(b": ") and b"\n" not in shown[-2:]:
                os.write(master, waiting.pop(0).encode() + b"\n")
    finally:
        if process.poll() is None and time.monotonic() >= end:
            process.kill()
        process.wait(20)
        os.close(master)
    assert not waiting, shown
    return process.returncode, shown.decode()


def test_a_passphrase_typed_at_a_terminal(here, shared, tinyseal, monkeypatch):
    passphrase = secrets.token_hex(8)
    status, shown = at_terminal("keygen keys --only signing --passphrase", passphrase, passphrase)
    assert status == 0, shown
    assert passphrase not in shown
    line = f"build {shared / 'motion.tflite'} --contract {shared / 'motion.toml'} --version 1 --keys keys -o m.tsm"
    status, shown = at_terminal(line, passphrase)
    assert (status, passphrase in shown) == (0, False), shown
    assert "passphrase of keys/signing.key: " in shown
    status, shown = at_terminal(line, "wrong")
    assert status == 1
    assert "tinyseal: error: keys/signing.key: wrong passphrase, or the file is damaged" in shown
    monkeypatch.setenv(VARIABLE, passphrase)
    assert build(tinyseal, shared, "keys").status == 0


def test_two_passphrases_that_differ_make_no_key(here):
    status, shown = at_terminal("keygen keys --passphrase", "one", "other")
    assert (status, Path("keys").exists()) == (1, False)
    assert "tinyseal: error: the two passphrases differ" in shown
