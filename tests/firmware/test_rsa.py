"""RSASSA-PSS on the VM: signatures of pyca's are good, and every forgery that the standard rules out is refused."""

import hashlib
from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from vm import ask_each

_SIZE = 384  # bytes of modulus and signature
_DB = _SIZE - 32 - 1  # of the masked data block
_MESSAGE = b"a release"
_VERIFY = """
from tinyseal.rsa import verify
print(ujson.dumps([verify(*(unhex(part) for part in case)) for case in question]))
"""


class Signer:
    """A key of 3072 bits, e = 65537, and what it signs."""

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(65537, 3072)
        self.n = self.key.public_key().public_numbers().n
        self.d = self.key.private_numbers().d

    def sign(self, message: bytes = _MESSAGE, *, salt: int = 32, mgf_hash: hashes.HashAlgorithm | None = None) -> bytes:
        """PSS with SHA-256 by pyca."""
        scheme = padding.PSS(padding.MGF1(mgf_hash or hashes.SHA256()), salt)
        return self.key.sign(message, scheme, hashes.SHA256())

    def encoded_messages(self) -> Iterator[bytearray]:
        """What good signatures hold: one encoded message after the other, each with another salt."""
        while True:
            em = pow(int.from_bytes(self.sign(), "big"), 65537, self.n)
            yield bytearray(em.to_bytes(_SIZE, "big"))

    def sign_encoded(self, em: bytes) -> bytes:
        """The signature that holds `em`, whatever that is, below n."""
        value = int.from_bytes(em, "big")
        assert value < self.n
        return pow(value, self.d, self.n).to_bytes(_SIZE, "big")


@pytest.fixture(scope="module")
def signer() -> Signer:
    return Signer()


def verdicts(cases: list[tuple[int | bytes, bytes, int | bytes]]) -> list[object]:
    """What the board says of (modulus, message, signature); numbers become 384 bytes."""

    def text(value: int | bytes) -> str:
        return (value.to_bytes(_SIZE, "big") if isinstance(value, int) else value).hex()

    return ask_each(_VERIFY, [[text(n), hashlib.sha256(m).hexdigest(), text(s)] for n, m, s in cases])


def test_good_signatures(signer: Signer) -> None:
    """Of two keys, over messages of several lengths."""
    keys = (signer, Signer())
    cases = [(s.n, m, s.sign(m)) for s in keys for m in (b"", b"a", bytes(64), bytes(range(256)) * 50)]
    assert verdicts([(n, m, s) for n, m, s in cases]) == [True] * 8


def test_another_message_or_another_key(signer: Signer) -> None:
    signature = signer.sign()
    assert verdicts([(signer.n, _MESSAGE + b"s", signature), (Signer().n, _MESSAGE, signature)]) == [False, False]


def test_every_byte_of_the_signature_counts(signer: Signer) -> None:
    good = signer.sign()
    changed = []
    for at in range(0, _SIZE, 8):
        forged = bytearray(good)
        forged[at] ^= 1 << at // 8 % 8
        changed.append((signer.n, _MESSAGE, bytes(forged)))
    assert not any(verdicts(changed))


def test_other_schemes_of_the_same_key(signer: Signer) -> None:
    """Other salt lengths, another hash in MGF1, and PKCS #1 v1.5."""
    forged = [signer.sign(salt=length) for length in (0, 20, 31, 33, 64, 350 - 32)]
    forged += [signer.sign(mgf_hash=hashes.SHA1()), signer.sign(mgf_hash=hashes.SHA512())]
    forged.append(signer.key.sign(_MESSAGE, padding.PKCS1v15(), hashes.SHA256()))
    assert verdicts([(signer.n, _MESSAGE, s) for s in forged]) == [False] * len(forged)


def test_encoded_messages_that_break_a_rule_of_9_1_2(signer: Signer) -> None:
    """Signed by the key itself, so that nothing but the rule can refuse them."""
    source = signer.encoded_messages()
    em = next(source)
    forged = [signer.sign_encoded(em)]  # the method: unchanged it is good

    def change(at: int, bits: int) -> None:
        other = bytearray(em)
        other[at] ^= bits
        forged.append(signer.sign_encoded(other))

    for trailer in (0x00, 0xCC, 0xBD, 0x3C):
        change(_SIZE - 1, 0xBC ^ trailer)
    for bit in range(7):  # padding before the 01, in DB's first byte and later ones
        change(0, 1 << bit)
    for at in (1, 100, _DB - 32 - 2):
        change(at, 0x80)
    for bit in range(8):  # the 01 itself
        change(_DB - 32 - 1, 1 << bit)
    change(_DB - 1, 1)  # salt
    change(_DB, 1)  # H
    change(_SIZE - 2, 0x80)
    top = next(em for em in source if int.from_bytes(em, "big") | 1 << 3071 < signer.n)
    top[0] |= 0x80  # the bit above emBits, which MGF1's mask leaves out
    forged.append(signer.sign_encoded(top))
    assert verdicts([(signer.n, _MESSAGE, s) for s in forged]) == [True] + [False] * (len(forged) - 1)


def test_signatures_out_of_range(signer: Signer) -> None:
    """s + n is s again for whoever does not compare; 0, 1 and n - 1 are their own powers."""
    small = next(s for s in iter(lambda: int.from_bytes(signer.sign(), "big"), None) if s + signer.n < 1 << 3072)
    n = signer.n
    numbers = [small, small + n, 0, 1, n - 1, n, n + 1, (1 << 3072) - 1]
    assert verdicts([(n, _MESSAGE, s) for s in numbers]) == [True] + [False] * 7


def test_lengths(signer: Signer) -> None:
    """Of modulus and signature: one byte more on either side, one less, none."""
    good, n = signer.sign(), signer.n.to_bytes(_SIZE, "big")
    cases: list[tuple[int | bytes, bytes, int | bytes]] = []
    for cut in (lambda b: b[1:], lambda b: b[:-1], lambda b: b"\0" + b, lambda b: b + b"\0", lambda b: b""):
        cases += [(cut(n), _MESSAGE, good), (n, _MESSAGE, cut(good)), (cut(n), _MESSAGE, cut(good))]
    assert verdicts(cases) == [False] * 15


def test_moduli_that_are_none(signer: Signer) -> None:
    """Of fewer bits, and even: each with a signature that its numbers make good, so that only the rule refuses it."""
    private = rsa.generate_private_key(65537, 3071).private_numbers()
    short = private.public_numbers.n
    em = next(n for n in (int.from_bytes(em, "big") for em in signer.encoded_messages()) if n < short)
    # em ends in BC, a multiple of 4: the same exponent takes its root modulo 2 * short and 4 * short as well.
    even = short << 3072 - short.bit_length()
    cases = [(n, _MESSAGE, pow(em, private.d, n)) for n in (short, even)]
    assert all(pow(s, 65537, n) == em for n, _, s in cases)
    assert even in (2 * short, 4 * short)
    assert verdicts([*cases, (0, _MESSAGE, 0), (signer.n, _MESSAGE, pow(em, signer.d, signer.n))]) == [False] * 3 + [
        True
    ]
