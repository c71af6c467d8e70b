"""Signing, sealing and the host's check at open, against pyca used directly."""

import secrets
import struct

import pytest
import tiny_release as tiny
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from tinyseal_host import keys, sealing
from tinyseal_host.errors import Refusal, RefusedError
from tinyseal_host.formats import KeySource, parse_release

DEVICE_ID = bytes.fromhex("7cdfa1e0c3b4")
MASTER = secrets.token_bytes(32)


@pytest.fixture(scope="module")
def signing_key():
    return rsa.generate_private_key(65537, 3072)


@pytest.fixture(scope="module")
def stranger():
    return rsa.generate_private_key(65537, 3072)


@pytest.fixture(scope="module")
def release(signing_key):
    return sealing.sign(tiny.body(), signing_key)


def refused(call, *args, **kwargs):
    with pytest.raises(RefusedError) as caught:
        call(*args, **kwargs)
    assert str(caught.value).isprintable()
    return caught.value


def pss(salt_length=32, mgf=hashes.SHA256):
    return padding.PSS(padding.MGF1(mgf()), salt_length)


def test_a_signature_is_pss_with_sha_256_and_a_salt_of_32(release, signing_key):
    assert release[:-384] == tiny.body()
    signing_key.public_key().verify(release[-384:], tiny.body(), pss(), hashes.SHA256())
    with pytest.raises(InvalidSignature):
        signing_key.public_key().verify(release[-384:], tiny.body(), pss(20), hashes.SHA256())


def test_a_good_signature_is_let_through(release, signing_key):
    sealing.verify(release, signing_key.public_key())


def test_two_signatures_differ(release, signing_key):
    assert sealing.sign(tiny.body(), signing_key) != release


def bad_signatures():
    body, sha256 = tiny.body(), hashes.SHA256()
    return {
        "PKCS1 v1.5": lambda key: body + key.sign(body, padding.PKCS1v15(), sha256),
        "salt 20": lambda key: body + key.sign(body, pss(20), sha256),
        "longest salt": lambda key: body + key.sign(body, pss(padding.PSS.MAX_LENGTH), sha256),
        "MGF1 with SHA-1": lambda key: body + key.sign(body, pss(mgf=hashes.SHA1), sha256),
        "SHA-384": lambda key: body + key.sign(body, pss(), hashes.SHA384()),
        "another body": lambda key: body + key.sign(body[:-1], pss(), sha256),
        "zeros": lambda key: body + bytes(384),
        "one": lambda key: body + (1).to_bytes(384, "big"),
        "the modulus": lambda key: body + keys.modulus(key.public_key()),
        "nothing": lambda key: b"",
        "cut": lambda key: sealing.sign(body, key)[:-1],
        "longer": lambda key: sealing.sign(body, key) + b"\0",
    }


@pytest.mark.parametrize("forge", bad_signatures().values(), ids=bad_signatures().keys())
def test_any_other_signature_is_refused(signing_key, forge):
    error = refused(sealing.verify, forge(signing_key), signing_key.public_key())
    assert (error.code, str(error)) == (Refusal.SIGNATURE, "release: not signed by the expected signer")


def test_a_changed_bit_anywhere_is_refused(release, signing_key):
    for at in (0, 12, 100, len(release) - 385, len(release) - 384, len(release) - 1):
        changed = bytearray(release)
        changed[at] ^= 1
        assert refused(sealing.verify, bytes(changed), signing_key.public_key()).code == Refusal.SIGNATURE


@pytest.mark.parametrize("source", KeySource)
def test_any_gcm_opens_what_is_sealed(release, source):
    sealed = sealing.seal(release, DEVICE_ID, source, MASTER)
    key = keys.device_key(MASTER, DEVICE_ID, source)
    assert AESGCM(key).decrypt(sealed[32:44], sealed[64:], sealed[:64]) == release
    assert sealing.unseal(sealed, MASTER) == release
    assert struct.unpack_from("<4s4B16sII", sealed) == (
        *(b"SEAL", 1, source, 6, 0, DEVICE_ID + bytes(10), 7, len(release)),
    )


def test_every_sealing_has_its_own_nonce(release):
    nonces = {sealing.seal(release, DEVICE_ID, KeySource.NVS, MASTER)[32:44] for _ in range(20)}
    assert len(nonces) == 20


def test_what_is_no_release_is_not_sealed(release):
    for wrong in (b"", tiny.body(), release[:-4], release + bytes(4)):
        assert refused(sealing.seal, wrong, DEVICE_ID, KeySource.NVS, MASTER).code == Refusal.RELEASE


def test_one_sealer_seals_for_many(release):
    sealer = sealing.Sealer(release, KeySource.FILE, MASTER)
    ids = [number.to_bytes(length, "big") for number, length in ((1, 1), (2, 6), (3, 16))]
    files = [sealer.seal(device_id) for device_id in ids]
    assert len({data[32:44] for data in files}) == len(ids)
    for device_id, data in zip(ids, files, strict=True):
        key = keys.device_key(MASTER, device_id, KeySource.FILE)
        assert AESGCM(key).decrypt(data[32:44], data[64:], data[:64]) == release
        assert [sealer.has_sealed(data, other) for other in ids] == [other == device_id for other in ids]


def test_a_sealer_knows_its_own_files_from_all_others(release, signing_key):
    good = sealing.seal(release, DEVICE_ID, KeySource.NVS, MASTER)
    sealer = sealing.Sealer(release, KeySource.NVS, MASTER)
    assert sealer.has_sealed(good, DEVICE_ID)
    others = {
        "key source": sealing.seal(release, DEVICE_ID, KeySource.FILE, MASTER),
        "master": sealing.seal(release, DEVICE_ID, KeySource.NVS, secrets.token_bytes(32)),
        "signature": sealing.seal(sealing.sign(tiny.body(), signing_key), DEVICE_ID, KeySource.NVS, MASTER),
        "version": sealing.seal(tiny.unsigned(8), DEVICE_ID, KeySource.NVS, MASTER),
        "bit": changed(good, 100),
        "version in the sealed header": resealed(release, 24, "I", 8, KeySource.NVS),
        "cut": good[:-1],
        "nothing": b"",
    }
    assert [name for name, data in others.items() if sealer.has_sealed(data, DEVICE_ID)] == []


@pytest.fixture
def sealed(release):
    return sealing.seal(release, DEVICE_ID, KeySource.EFUSE, MASTER)


def changed(data, at, flip=1):
    copy = bytearray(data)
    copy[at] ^= flip
    return bytes(copy)


AUTHENTICATED = {"device id": 8, "version": 24, "nonce": 32, "key check": 48, "ciphertext": 64, "tag": -1}


@pytest.mark.parametrize("at", AUTHENTICATED.values(), ids=AUTHENTICATED.keys())
def test_whatever_is_changed_unsealing_says_the_same(sealed, at):
    other_key = refused(sealing.unseal, sealed, secrets.token_bytes(32))
    assert (other_key.code, str(other_key)) == (
        Refusal.AUTHENTICATION,
        "sealed file: altered, damaged, or sealed under another key",
    )
    error = refused(sealing.unseal, changed(sealed, at), MASTER)
    assert (error.code, str(error), error.hint) == (other_key.code, str(other_key), other_key.hint)


def test_another_key_source_unseals_to_nothing(sealed):
    assert refused(sealing.unseal, changed(sealed, 5, 2 ^ 3), MASTER).code == Refusal.AUTHENTICATION


@pytest.mark.parametrize("spoil", [lambda s: s[:-1], lambda s: s + b"\0", lambda s: changed(s, 0), lambda s: b""])
def test_what_is_no_sealed_file_is_refused_by_its_format(sealed, spoil):
    assert refused(sealing.unseal, spoil(sealed), MASTER).code == Refusal.FORMAT


@pytest.fixture
def check(signing_key):
    """`sealing.check` as the right board with floor 7, but for what is given."""

    def call(data, **changes):
        board = {
            "device_id": DEVICE_ID,
            "floor": 7,
            "key_source": KeySource.EFUSE,
            "master": MASTER,
            "signer": signing_key.public_key(),
        }
        return sealing.check(data, **(board | changes))

    return call


@pytest.mark.parametrize("floor", [0, 6, 7])
def test_a_board_takes_its_own_file_down_to_the_floor(check, sealed, release, floor):
    assert check(sealed, floor=floor) == parse_release(release)


def resealed(release, at, code, value, source=KeySource.EFUSE):
    """What somebody with the master key can make: a header with one other field, rightly authenticated."""
    header = bytearray(sealing.seal(release, DEVICE_ID, source, MASTER)[:64])
    struct.pack_into(f"<{code}", header, at, value)
    key = keys.device_key(MASTER, DEVICE_ID, source)
    return bytes(header) + AESGCM(key).encrypt(bytes(header[32:44]), release, bytes(header))


def test_the_key_check_counts_even_when_the_tag_is_right(check, release):
    assert check(resealed(release, 24, "I", 7)) == parse_release(release)
    assert refused(check, resealed(release, 48, "16s", bytes(16))).code == Refusal.AUTHENTICATION


def sealed_raw(payload):
    """A payload that `seal` would refuse, rightly authenticated: the sealed header of the tiny release around it."""
    key = keys.device_key(MASTER, DEVICE_ID, KeySource.EFUSE)
    whole = sealing.seal(tiny.unsigned(), DEVICE_ID, KeySource.EFUSE, MASTER)
    header = whole[:28] + struct.pack("<I", len(payload)) + whole[32:64]
    return header + AESGCM(key).encrypt(header[32:44], payload, header)


def test_refusals_in_their_order(check, sealed, release, signing_key, stranger):
    """Each line has the faults of all lines below it as well, where the bytes allow it."""
    late = {"signer": stranger.public_key()}
    no_auth = late | {"master": secrets.token_bytes(32)}
    rollback = no_auth | {"floor": 8}
    no_key = rollback | {"key_source": KeySource.NVS}
    wrong_board = no_key | {"device_id": bytes(6)}
    assert refused(check, changed(sealed, 0), **wrong_board).code == Refusal.FORMAT
    assert refused(check, sealed, **wrong_board).code == Refusal.WRONG_BOARD
    assert refused(check, sealed, **no_key).code == Refusal.NO_KEY
    assert refused(check, sealed, **rollback).code == Refusal.ROLLBACK
    assert refused(check, sealed, **no_auth).code == Refusal.AUTHENTICATION
    assert refused(check, sealed_raw(b"\0" * 448), **late).code == Refusal.SIGNATURE
    assert refused(check, sealed_raw(sealing.sign(bytes(64), signing_key))).code == Refusal.RELEASE
    assert refused(check, resealed(release, 24, "I", 8), floor=8).code == Refusal.RELEASE


def test_refusals_in_words(check, sealed, release):
    found = refused(check, sealed, device_id=b"\1\2")
    assert str(found) == "sealed file: is for board 7cdfa1e0c3b4, this is board 0102"
    assert str(refused(check, sealed, key_source=KeySource.FILE)) == "sealed file: wants key source efuse, this is file"
    assert str(refused(check, sealed, floor=8)) == "sealed file: model version is 7, wanted at least 8"
    assert str(refused(check, resealed(release, 24, "I", 9))) == "release: model version is 7, sealed as 9"


@pytest.mark.parametrize(
    ("frame", "status"),
    [((2.0, float("nan"), 0, 0.5), "NAN"), ((8.5, -3, 0, 0.5), "RANGE"), ((2.0, 0, 0, 0), "ZEROS")],
)
def test_a_self_test_that_the_contract_refuses(check, signing_key, frame, status):
    body = tiny.body().replace(tiny.FRAME, struct.pack("<4f", *frame))
    error = refused(check, sealing.seal(sealing.sign(body, signing_key), DEVICE_ID, KeySource.EFUSE, MASTER))
    assert (error.code, str(error)) == (
        Refusal.SELF_TEST,
        f"release: the contract refuses the self-test's frame: {status}",
    )
