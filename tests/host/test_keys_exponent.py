"""Keys with another exponent than 65537, as DER by hand where pyca would not make them.

With e = 1 every message is its own signature, e = 3 is what forgeries of badly checked padding live on; and a board has
no place for an exponent.
"""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from tinyseal_host import keys
from tinyseal_host.errors import TinysealError

WANTED = "RSA-3072 with e = 65537"
RSA_ENCRYPTION = bytes.fromhex("300d06092a864886f70d0101010500")  # AlgorithmIdentifier, RFC 8017, A.1


def der(tag, content):
    size = len(content).to_bytes((len(content).bit_length() + 7) // 8 or 1, "big")
    return bytes([tag]) + (size if len(content) < 128 else bytes([0x80 | len(size)]) + size) + content


def integers(*values):
    return der(0x30, b"".join(der(2, value.to_bytes(value.bit_length() // 8 + 1, "big")) for value in values))


def pem(what, data):
    return f"-----BEGIN {what}-----\n{base64.encodebytes(data).decode()}-----END {what}-----\n".encode()


@pytest.fixture(scope="module")
def numbers():
    return rsa.generate_private_key(65537, 3072).private_numbers()


def public(n, e):
    return pem("PUBLIC KEY", der(0x30, RSA_ENCRYPTION + der(3, b"\0" + integers(n, e))))


def private(numbers, e):
    """PKCS #1, with the exponents that belong to e where there are any."""
    p, q, n = numbers.p, numbers.q, numbers.public_numbers.n
    phi = (p - 1) * (q - 1)
    d = pow(e, -1, phi)
    return pem("RSA PRIVATE KEY", integers(0, n, e, d, p, q, d % (p - 1), d % (q - 1), pow(q, -1, p)))


def outcome(load, path, data):
    path.write_bytes(data)
    path.chmod(0o600)
    try:
        return load([path.parent]).key_size
    except TinysealError as error:
        return error.message


def test_the_method(numbers, tmp_path):
    """With 65537 the same bytes are a key."""
    assert outcome(keys.load_signer, tmp_path / "signing.pub", public(numbers.public_numbers.n, 65537)) == 3072
    assert outcome(keys.load_signing_key, tmp_path / "signing.key", private(numbers, 65537)) == 3072


@pytest.mark.parametrize("e", [0, 1, 2, 3, 17, 65536, 65539, (1 << 256) + 1])
def test_a_signer_with_another_exponent_is_refused(numbers, tmp_path, e):
    path = tmp_path / "signing.pub"
    for load in (keys.load_signer, keys.find_signer):
        message = outcome(load, path, public(numbers.public_numbers.n, e))
        assert message in (
            f"{path}: is RSA-3072 with another exponent, wanted {WANTED}",
            f"{path}: not a public key in PEM, wanted {WANTED}",
        )


def test_a_signing_key_with_another_exponent_is_refused(numbers, tmp_path):
    path, p, q = tmp_path / "signing.key", numbers.p, numbers.q
    coprime = [e for e in (1, 3, 5, 7, 11, 13, 17, 19, 23, 65539) if (p - 1) % e * ((q - 1) % e) or e == 1]
    assert len(coprime) > 4
    for e in coprime:
        message = outcome(keys.load_signing_key, path, private(numbers, e))
        assert message in (
            f"{path}: is RSA-3072 with another exponent, wanted {WANTED}",
            f"{path}: not a private key in PEM, wanted {WANTED}",
        )
