"""Key files: made all or none, loaded strictly, and never shown."""

import itertools
import os
import secrets
import stat

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from tinyseal_host import files, keys
from tinyseal_host.errors import TinysealError
from tinyseal_host.keys import KeyKind, key_files

pytestmark = pytest.mark.skipif(os.name != "posix", reason="permission bits are POSIX'")

NAMES = ["master.key", "signing.key", "signing.pub"]
RSA_WANTED = "RSA-3072 with e = 65537"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder of keys that tests only read."""
    folder = tmp_path_factory.mktemp("keys") / "made"
    assert keys.generate(folder) == [folder / name for name in NAMES]
    return folder


@pytest.fixture(scope="module")
def strangers():
    """Private keys that are not what is wanted, by what is wrong with them."""
    return {
        "RSA-2048 with e = 65537": rsa.generate_private_key(65537, 2048),
        "RSA-3072 with another exponent": rsa.generate_private_key(3, 3072),
        "another kind of key": ec.generate_private_key(ec.SECP256R1()),
    }


STRANGERS = ["RSA-2048 with e = 65537", "RSA-3072 with another exponent", "another kind of key"]


def private_pem(key, form=serialization.PrivateFormat.PKCS8, encryption=None):
    return key.private_bytes(serialization.Encoding.PEM, form, encryption or serialization.NoEncryption())


def public_pem(key):
    return key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def write_secret(path, data, mode=0o600):
    path.write_bytes(data)
    path.chmod(mode)


def message_of(load, *folders):
    with pytest.raises(TinysealError) as caught:
        load(folders)
    assert str(caught.value).isprintable()
    return str(caught.value)


def test_makes_three_files_with_their_modes(made):
    assert sorted(os.listdir(made)) == NAMES
    assert [stat.S_IMODE((made / name).stat().st_mode) for name in NAMES] == [0o600, 0o600, 0o644]
    assert stat.S_IMODE(made.stat().st_mode) == 0o700
    text = (made / "master.key").read_text(encoding="ascii")
    assert len(text) == 65
    assert keys.load_master([made]) == bytes.fromhex(text)
    assert (made / "signing.key").read_bytes().startswith(b"-----BEGIN PRIVATE KEY-----\n")
    assert (made / "signing.pub").read_bytes().startswith(b"-----BEGIN PUBLIC KEY-----\n")


def test_the_pair_belongs_together(made):
    private, public = keys.load_signing_key([made]), keys.load_signer([made])
    assert private.public_key().public_numbers() == public.public_numbers()
    assert (public.key_size, public.public_numbers().e) == (3072, 65537)
    assert int.from_bytes(keys.modulus(public), "big") == public.public_numbers().n
    assert len(keys.modulus(public)) == 384


def test_two_folders_hold_different_keys(made, tmp_path, monkeypatch):
    monkeypatch.setattr(key_files, "generate_private_key", lambda e, bits: keys.load_signing_key([made]))
    keys.generate(tmp_path / "other")
    assert keys.load_master([made]) != keys.load_master([tmp_path / "other"])


@pytest.mark.parametrize(("kind", "names"), [(KeyKind.MASTER, NAMES[:1]), (KeyKind.SIGNING, NAMES[1:])])
def test_the_two_kinds_may_have_folders_of_their_own(tmp_path, kind, names):
    assert keys.generate(tmp_path / "one", [kind]) == [tmp_path / "one" / name for name in names]
    assert sorted(os.listdir(tmp_path / "one")) == names
    message = message_of(keys.load_master if kind is KeyKind.SIGNING else keys.load_signer, tmp_path / "one")
    assert message.startswith(f"{tmp_path / 'one'}: no ")


def test_the_other_kind_may_be_added_to_a_folder(made, tmp_path, monkeypatch):
    monkeypatch.setattr(key_files, "generate_private_key", lambda e, bits: keys.load_signing_key([made]))
    for kind in KeyKind:
        keys.generate(tmp_path, [kind])
    assert sorted(os.listdir(tmp_path)) == NAMES


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["file", "dangling link"])
def test_nothing_is_overwritten(tmp_path, name, kind):
    path = tmp_path / name
    path.write_bytes(b"mine") if kind == "file" else path.symlink_to("nowhere")
    with pytest.raises(TinysealError) as caught:
        keys.generate(tmp_path)
    assert str(caught.value) == f"{path}: exists already, and is never overwritten"
    assert os.listdir(tmp_path) == [name]
    assert kind != "file" or path.read_bytes() == b"mine"


@pytest.mark.parametrize("failing", [1, 2, 3])
@pytest.mark.parametrize("error", [TinysealError("disk full"), KeyboardInterrupt()], ids=["failure", "interrupt"])
def test_a_failure_at_any_file_leaves_none(made, tmp_path, monkeypatch, failing, error):
    counter = itertools.count(1)

    def write_new(path, data, mode):
        if next(counter) == failing:
            raise error
        files.write_new(path, data, mode)

    monkeypatch.setattr(key_files, "generate_private_key", lambda e, bits: keys.load_signing_key([made]))
    monkeypatch.setattr(key_files, "write_new", write_new)
    for folder in (tmp_path / "new", tmp_path):
        counter = itertools.count(1)
        with pytest.raises(type(error)):
            keys.generate(folder)
        assert os.listdir(tmp_path) == []


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    for folder, reason in ((tmp_path / "a" / "b", "no such file or directory"), (tmp_path / "file", "file exists")):
        with pytest.raises(TinysealError) as caught:
            keys.generate(folder)
        assert str(caught.value) == f"{folder}: {reason}"
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.parametrize("ending", [b"\n", b"", b"\r\n"])
def test_master_key_in_either_case_and_with_any_line_end(tmp_path, ending):
    master = secrets.token_bytes(32)
    for text in (master.hex(), master.hex().upper()):
        write_secret(tmp_path / "master.key", text.encode() + ending)
        assert keys.load_master([tmp_path]) == master


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: b"",
        lambda text: text[:-1] + b"\n",
        lambda text: text[:-2],
        lambda text: text + b"0",
        lambda text: text + b"\n\n",
        lambda text: b"\xef\xbb\xbf" + text,
        lambda text: b" " + text,
        lambda text: b"g" + text[1:],
        lambda text: bytes.fromhex(text.decode()),
        lambda text: text.decode().encode("utf-16"),
    ],
    ids=["empty", "63", "62", "65", "two lines", "byte order mark", "space", "no hex", "raw", "UTF-16"],
)
def test_a_master_key_that_is_not_exact_is_not_shown(tmp_path, spoil):
    text = secrets.token_hex(32).encode()
    write_secret(tmp_path / "master.key", spoil(text))
    message = message_of(keys.load_master, tmp_path)
    assert message == f"{tmp_path / 'master.key'}: not a master key, wanted one line of 64 hexadecimal digits"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o610, 0o777])
@pytest.mark.parametrize(("name", "load"), [(NAMES[0], keys.load_master), (NAMES[1], keys.load_signing_key)])
def test_a_secret_that_others_can_reach_is_refused(made, tmp_path, name, load, mode):
    folder = tmp_path / "my keys"
    folder.mkdir()
    write_secret(folder / name, (made / name).read_bytes(), mode)
    with pytest.raises(TinysealError) as caught:
        load([folder])
    assert str(caught.value) == f"{folder / name}: mode is {mode:04o}, wanted 0600"
    assert caught.value.hint == f"chmod 600 '{folder / name}'"
    (folder / name).chmod(0o400)
    load([folder])


def test_the_signer_may_be_read_by_all_but_not_from_an_open_signing_key(made, tmp_path):
    write_secret(tmp_path / "signing.key", (made / "signing.key").read_bytes(), 0o644)
    assert message_of(keys.load_signer, tmp_path).endswith("signing.key: mode is 0644, wanted 0600")
    write_secret(tmp_path / "signing.pub", (made / "signing.pub").read_bytes(), 0o666)
    assert keys.load_signer([tmp_path]).public_numbers() == keys.load_signer([made]).public_numbers()


def test_the_first_folder_that_has_it_counts(made, tmp_path, strangers):
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
        write_secret(folder / "master.key", secrets.token_hex(32).encode())
    assert keys.load_master([made / "missing", second, first]) == keys.load_master([second])
    (second / "signing.pub").write_bytes(public_pem(strangers[STRANGERS[0]]))
    assert keys.load_signer([first, made, second]).key_size == 3072
    assert message_of(keys.load_signer, first, second, made).startswith(f"{second / 'signing.pub'}: is RSA-2048")


def test_the_signer_comes_from_the_signing_key_when_that_is_all_there_is(made, tmp_path):
    write_secret(tmp_path / "signing.key", (made / "signing.key").read_bytes())
    assert keys.load_signer([tmp_path]).public_numbers() == keys.load_signer([made]).public_numbers()


def test_a_signer_is_found_by_its_public_half_alone(made, tmp_path, strangers):
    """No secret is opened, and no passphrase asked for, to look at a signature."""
    write_secret(tmp_path / "signing.key", (made / "signing.key").read_bytes(), 0o644)
    assert keys.find_signer([]) is keys.find_signer([tmp_path, tmp_path / "b"]) is None
    found = keys.find_signer([tmp_path, made])
    assert found.public_numbers() == keys.load_signer([made]).public_numbers()
    (tmp_path / "signing.pub").write_bytes(public_pem(strangers[STRANGERS[0]]))
    assert message_of(keys.find_signer, tmp_path, made).startswith(f"{tmp_path / 'signing.pub'}: is RSA-2048")


def test_a_signing_key_as_esp_tools_write_it_is_taken(made, tmp_path):
    """`espsecure generate-signing-key` writes PKCS1, `BEGIN RSA PRIVATE KEY`."""
    key = keys.load_signing_key([made])
    write_secret(tmp_path / "signing.key", private_pem(key, serialization.PrivateFormat.TraditionalOpenSSL))
    assert keys.load_signing_key([tmp_path]).private_numbers() == key.private_numbers()


@pytest.mark.parametrize(
    ("load", "missing"),
    [
        (keys.load_master, "master.key"),
        (keys.load_signing_key, "signing.key"),
        (keys.load_signer, "signing.pub or signing.key"),
    ],
)
def test_missing_keys_are_named_with_every_folder(tmp_path, load, missing):
    with pytest.raises(TinysealError) as caught:
        load([tmp_path, tmp_path / "b"])
    assert str(caught.value) == f"{tmp_path}, {tmp_path / 'b'}: no {missing} there, wanted one"
    assert "tinyseal keygen DIR" in caught.value.hint
    assert message_of(load).startswith(f"no key folder is named: no {missing}")


@pytest.mark.parametrize("wrong", STRANGERS)
def test_another_key_is_refused(tmp_path, strangers, wrong):
    write_secret(tmp_path / "signing.key", private_pem(strangers[wrong]))
    expected = f"signing.key: is {wrong}, wanted {RSA_WANTED}"
    assert message_of(keys.load_signing_key, tmp_path) == f"{tmp_path}/{expected}"
    (tmp_path / "signing.pub").write_bytes(public_pem(strangers[wrong]))
    assert message_of(keys.load_signer, tmp_path) == f"{tmp_path}/{expected.replace('.key', '.pub')}"


@pytest.mark.parametrize("spoil", [lambda pem: b"", lambda pem: pem[:-60], lambda pem: pem.replace(b"A", b"B")])
def test_a_damaged_signing_key_is_refused_without_a_word_of_it(made, tmp_path, spoil):
    write_secret(tmp_path / "signing.key", spoil((made / "signing.key").read_bytes()))
    with pytest.raises(TinysealError) as caught:
        keys.load_signing_key([tmp_path])
    assert str(caught.value) == f"{tmp_path / 'signing.key'}: not a private key in PEM, wanted {RSA_WANTED}"
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_a_private_key_is_no_signer(made, tmp_path):
    (tmp_path / "signing.pub").write_bytes((made / "signing.key").read_bytes())
    message = f"{tmp_path / 'signing.pub'}: not a public key in PEM, wanted {RSA_WANTED}"
    assert message_of(keys.load_signer, tmp_path) == message
