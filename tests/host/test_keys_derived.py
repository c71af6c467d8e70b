"""What is derived from keys, held to RFC 5869 and RFC 2104 through Python's own hmac; fingerprints and device ids."""

import hashlib
import hmac
import os
import secrets

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography_vectors import open_vector_file
from tinyseal_host import keys
from tinyseal_host.errors import UsageError
from tinyseal_host.formats import KeySource


def hkdf(ikm, salt, info):
    """RFC 5869 with one block of output: extract, then the first expand step."""
    return hmac.digest(hmac.digest(salt, ikm, "sha256"), info + b"\x01", "sha256")


def test_the_reading_of_rfc_5869_that_is_compared_with_gives_its_vectors():
    lines = open_vector_file(os.path.join("KDF", "rfc-5869-HKDF-SHA256.txt"), "r")
    with lines as file:
        values = [line.split("=")[1].strip() for line in file if line.startswith(("IKM", "salt", "info", "OKM"))]
    cases = list(zip(*[map(bytes.fromhex, values)] * 4, strict=True))
    assert len(cases) == 3
    for ikm, salt, info, okm in cases:
        assert hkdf(ikm, salt, info)[:32] == okm[:32]


@pytest.mark.parametrize("id_len", [1, 6, 16])
def test_derivations_are_format_md_s(id_len):
    master, device_id = secrets.token_bytes(32), secrets.token_bytes(id_len)
    key = hkdf(master, device_id, b"model-encryption")
    assert keys.provisioned_secret(master, device_id, KeySource.NVS) == key
    assert keys.device_key(master, device_id, KeySource.NVS) == key
    root = hkdf(master, device_id, b"tinyseal efuse hmac")
    assert keys.provisioned_secret(master, device_id, KeySource.EFUSE) == root
    assert keys.device_key(master, device_id, KeySource.EFUSE) == hmac.digest(
        root, b"model-encryption" + device_id, "sha256"
    )
    seed = hkdf(master, device_id, b"tinyseal file seed")
    assert keys.provisioned_secret(master, device_id, KeySource.FILE) == seed
    assert keys.device_key(master, device_id, KeySource.FILE) == hkdf(seed, device_id, b"model-encryption")


@pytest.mark.parametrize("source", KeySource)
def test_wrong_lengths_are_not_derived_from(source):
    for master, device_id in ((bytes(31), b"id"), (bytes(33), b"id"), (bytes(32), b""), (bytes(32), bytes(17))):
        for derive in (keys.device_key, keys.provisioned_secret):
            with pytest.raises(ValueError, match=r"has \d+ bytes, wanted"):
                derive(master, device_id, source)


def test_fingerprints():
    signer, master = rsa.generate_private_key(65537, 3072).public_key(), secrets.token_bytes(32)
    assert keys.signer_fingerprint(signer) == hashlib.sha256(keys.modulus(signer)).hexdigest()[:16]
    expected = hmac.digest(master, b"tinyseal master fingerprint", "sha256")[:8].hex()
    assert keys.master_fingerprint(master) == expected


@pytest.mark.parametrize(
    ("text", "device_id"),
    [
        ("7cdfa1e0c3b4", "7cdfa1e0c3b4"),
        ("7CDFA1E0C3B4", "7cdfa1e0c3b4"),
        ("7c:df:a1:e0:c3:B4", "7cdfa1e0c3b4"),
        ("00", "00"),
        ("0" * 32, "0" * 32),
        (":".join(["ff"] * 16), "ff" * 16),
    ],
)
def test_device_ids(text, device_id):
    assert keys.parse_device_id(text).hex() == device_id


@pytest.mark.parametrize(
    "text",
    [
        "",
        "7",
        "7cd",
        "7c:d",
        ":7c",
        "7c:",
        "7c::df",
        "7cdf:a1",
        "7c-df",
        " 7c",
        "7c ",
        "7c\n",
        "0x7c",
        "gg",
        "٧٧",
        "0" * 34,
    ],
)
def test_bad_device_ids(text):
    with pytest.raises(UsageError) as caught:
        keys.parse_device_id(text)
    shown = f'"{text}"' if text.isprintable() else ascii(text)
    assert str(caught.value) == f"device id is {shown}, wanted 1 to 16 bytes in hexadecimal"
