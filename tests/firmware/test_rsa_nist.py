"""RSASSA-PSS on the VM against NIST's vectors of 3072 bits with SHA-256, good and forged.

No published set that comes with pyca has 3072 bits, e = 65537, SHA-256 and a salt of 32 bytes at once. So each is run
twice: as the board is, where a salt of another length or another exponent is a forgery, and with the exponent and the
salt length of the vector in place of the board's, where the verdict has to be NIST's. What is called is the shipped
`.mpy` in both cases.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import cryptography_vectors
import pytest
from vm import ask_each

_FOLDER = "asymmetric/RSA/FIPS_186-2"
_VERIFY = """
from tinyseal import rsa
found = []
for e, salt, *case in question:
    if e:
        rsa._E, rsa._SALT = e, salt
    found.append(rsa.verify(*(unhex(part) for part in case)))
print(ujson.dumps(found))
"""


@dataclass(frozen=True)
class Vector:
    """One case; numbers as hexadecimal digits, the salt length in bytes."""

    modulus: str
    e: int
    salt: int
    message: str
    signature: str
    result: str

    def question(self, *, as_the_board_is: bool) -> list[int | str]:
        digest = hashlib.sha256(bytes.fromhex(self.message)).hexdigest()
        parameters = (0, 0) if as_the_board_is else (self.e, self.salt)
        return [*parameters, self.modulus, digest, self.signature]


def vectors(name: str, salt: int) -> Iterator[Vector]:
    """Those of a file's cases that have 3072 bits and SHA-256: a case ends in Result, or in S where all are good."""
    fields: dict[str, str] = {}
    with cryptography_vectors.open_vector_file(f"{_FOLDER}/{name}", "r") as file:
        lines = file.read().splitlines()
    last = "Result" if any(line.startswith("Result") for line in lines) else "S"
    for line in lines:
        key, _, value = (part.strip() for part in line.strip("[]").partition("="))
        if line.startswith("#") or not key:
            continue
        fields[key] = value
        if key == last and (fields["mod"], fields["SHAAlg"]) == ("3072", "SHA256"):
            e = int(fields["e"], 16)
            assert len(fields.get("SaltVal", "00" * salt)) == 2 * salt
            yield Vector(fields["n"], e, salt, fields["Msg"], fields["S"], fields.get("Result", "P"))


def verdicts(cases: list[Vector], *, as_the_board_is: bool) -> list[object]:
    return ask_each(_VERIFY, [case.question(as_the_board_is=as_the_board_is) for case in cases])


# file, salt length in bytes, and by exponent how many cases are good and how many forged
_FILES = [
    ("SigVerPSS_186-3.rsp", 10, {0x3: (1, 5), 0x11: (1, 5), 0x10001: (1, 5)}),
    ("SigGenPSS_186-2.rsp", 20, {0x10001: (10, 0)}),
    ("SigGenPSS_186-3.rsp", 0, {0x1001: (10, 0)}),
]


@pytest.fixture(params=_FILES, ids=[name for name, _, _ in _FILES])
def cases(request: pytest.FixtureRequest) -> list[Vector]:
    """The cases of one file, as many as are known to be in it."""
    name, salt, wanted = request.param
    found = list(vectors(name, salt))
    counted = Counter((case.e, case.result[0]) for case in found)
    assert counted == Counter({(e, r): n for e, both in wanted.items() for r, n in zip("PF", both, strict=True) if n})
    return found


def test_the_verdict_is_nists(cases: list[Vector]) -> None:
    """Forged are the message, the signature, the exponent, the hash's place in EM, and the end of its padding."""
    assert verdicts(cases, as_the_board_is=False) == [case.result.startswith("P") for case in cases]


def test_another_salt_length_or_exponent_is_a_forgery(cases: list[Vector]) -> None:
    assert not any(verdicts(cases, as_the_board_is=True))
