"""A signing key under a passphrase: opened by pyca and by OpenSSL, and by nobody without it."""

import os
import secrets
import subprocess

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from tinyseal_host import keys
from tinyseal_host.errors import TinysealError
from tinyseal_host.keys import KeyKind, PassphraseError
from tinyseal_host.keys.pkcs8 import encrypted_pem


@pytest.fixture(scope="module")
def passphrase():
    return secrets.token_hex(8).encode()


@pytest.fixture(scope="module")
def made(tmp_path_factory, passphrase):
    folder = tmp_path_factory.mktemp("keys") / "made"
    keys.generate(folder, passphrase=passphrase)
    return folder


@pytest.fixture(scope="module")
def key(made, passphrase):
    """What is in it: each opening takes scrypt's time."""
    return keys.load_signing_key([made], lambda path: passphrase)


def openssl(*words, stdin=None):
    done = subprocess.run(["openssl", *words], input=stdin, capture_output=True, check=True)
    return done.stdout.decode()


def test_the_pair_belongs_together_and_only_the_signing_key_is_encrypted(made, key):
    assert key.public_key().public_numbers() == keys.load_signer([made]).public_numbers()
    assert len(keys.load_master([made])) == 32
    assert (made / "signing.key").read_bytes().startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n")
    assert (made / "signing.key").stat().st_mode & 0o777 == 0o600


def test_openssl_opens_it_and_names_the_algorithms(made, passphrase):
    path = str(made / "signing.key")
    public = openssl("pkey", "-in", path, "-passin", "stdin", "-pubout", stdin=passphrase + b"\n")
    assert public == (made / "signing.pub").read_text()
    parts = [line.split(":")[-1] for line in openssl("asn1parse", "-in", path).splitlines()]
    for wanted in ("PBES2", "scrypt", "4000", "08", "05", "aes-256-cbc"):
        assert wanted in parts


def test_every_encryption_has_its_own_salt_and_iv(key, passphrase):
    first, second = (encrypted_pem(key, passphrase).splitlines() for _ in range(2))
    assert len(first) == len(second)
    assert len({*first} & {*second}) == 2  # the lines before and behind
    with pytest.raises(ValueError, match="passphrase is empty"):
        encrypted_pem(key, b"")


@pytest.mark.parametrize("text", ["zwölf Boxkämpfer", "y" * 1023])
def test_any_passphrase_opens_what_it_closed(key, tmp_path, text):
    (tmp_path / "signing.key").write_bytes(encrypted_pem(key, text.encode()))
    (tmp_path / "signing.key").chmod(0o600)
    assert keys.load_signing_key([tmp_path], lambda path: text.encode()).private_numbers() == key.private_numbers()


def test_a_wrong_passphrase_and_a_damaged_file_are_one_error(made, tmp_path, passphrase):
    path = tmp_path / "signing.key"
    good = (made / "signing.key").read_bytes()
    body = good.splitlines()
    body[-3] = body[-3][::-1]
    for data, given in ((good, passphrase + b"x"), (good, passphrase[:-1]), (b"\n".join(body), passphrase)):
        path.write_bytes(data)
        path.chmod(0o600)
        with pytest.raises(TinysealError) as caught:
            keys.load_signing_key([tmp_path], lambda path, given=given: given)
        assert str(caught.value) == f"{path}: wrong passphrase, or the file is damaged"
        assert caught.value.__cause__ is None
        assert caught.value.__suppress_context__


def test_without_anybody_to_ask_it_is_an_error_of_its_own(made, tmp_path):
    (tmp_path / "signing.key").symlink_to(made / "signing.key")
    for load in (keys.load_signing_key, keys.load_signer):
        with pytest.raises(PassphraseError, match=r"signing\.key: has a passphrase, and none was given$"):
            load([tmp_path])
    assert keys.load_signer([made]).key_size == 3072  # the public half needs none


def test_the_passphrase_is_asked_for_once_and_only_for_a_key_that_has_one(made, key, tmp_path, passphrase):
    asked = []

    def ask(path):
        asked.append(path)
        return passphrase

    keys.load_signing_key([made], ask)
    keys.load_signer([made], ask)
    assert asked == [made / "signing.key"]
    plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (tmp_path / "signing.key").write_bytes(key.private_bytes(serialization.Encoding.PEM, *plain))
    (tmp_path / "signing.key").chmod(0o600)
    asked.clear()
    keys.load_signing_key([tmp_path], ask)
    assert asked == []


@pytest.mark.parametrize("form", [serialization.PrivateFormat.PKCS8, serialization.PrivateFormat.TraditionalOpenSSL])
def test_keys_that_others_encrypted_are_taken(key, tmp_path, passphrase, form):
    pem = key.private_bytes(serialization.Encoding.PEM, form, serialization.BestAvailableEncryption(passphrase))
    (tmp_path / "signing.key").write_bytes(pem)
    (tmp_path / "signing.key").chmod(0o600)
    assert keys.load_signing_key([tmp_path], lambda path: passphrase).private_numbers() == key.private_numbers()


def test_an_encrypted_key_of_another_kind_is_refused_when_it_is_open(tmp_path, passphrase):
    key = rsa.generate_private_key(65537, 2048)
    (tmp_path / "signing.key").write_bytes(encrypted_pem(key, passphrase))
    (tmp_path / "signing.key").chmod(0o600)
    with pytest.raises(TinysealError, match="is RSA-2048 with e = 65537, wanted RSA-3072"):
        keys.load_signing_key([tmp_path], lambda path: passphrase)


def test_the_passphrase_is_no_matter_of_the_master_key(tmp_path, passphrase):
    keys.generate(tmp_path, [KeyKind.MASTER], passphrase)
    assert os.listdir(tmp_path) == ["master.key"]
    assert len(keys.load_master([tmp_path])) == 32
