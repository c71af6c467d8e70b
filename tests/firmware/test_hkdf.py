"""HMAC and HKDF on the VM: RFC 4231's and RFC 5869's vectors, and SHA-256 in parts."""

import hashlib
import random

import pytest
from vectors import records
from vm import ask, run

_HMAC = "from tinyseal.hkdf import hmac\n"
_HKDF = """
from tinyseal.hkdf import hkdf_into
def hkdf(ikm, salt, info, length):
    okm = bytearray(length)
    hkdf_into(ikm, salt, info, okm)
    return okm
"""


def test_hmac_of_rfc_4231() -> None:
    """Keys shorter than a block of SHA-256, as long as one, and longer."""
    vectors = list(records("HMAC/rfc-4231-sha256.txt", "Len"))
    assert len(vectors) == 6
    script = "print(ujson.dumps([hexlify(hmac(unhex(key), unhex(text))).decode() for key, text in question]))"
    assert ask(_HMAC + script, [[r["Key"], r["Msg"]] for r in vectors]) == [r["MD"] for r in vectors]


def test_hmac_of_rfc_4231_truncated() -> None:
    """Its test case 5, which gives the first 128 bits and which the package of vectors leaves out."""
    script = "print(ujson.dumps(hexlify(hmac(unhex(question[0]), unhex(question[1]))).decode()))"
    mac = ask(_HMAC + script, ["0c" * 20, b"Test With Truncation".hex()])
    assert isinstance(mac, str)
    assert (mac[:32], len(mac)) == ("a3b6167473100ee06e0c796c2955552b", 64)


def test_hmac_of_parts_is_that_of_the_whole() -> None:
    """RFC 4231's longest message cut at every place, empty parts among them."""
    vector = max(records("HMAC/rfc-4231-sha256.txt", "Len"), key=lambda r: len(r["Msg"]))
    script = """
key, text = [unhex(part) for part in question]
macs = {hmac(key, text[:at], b"", text[at:]) for at in range(len(text) + 1)}
macs.add(hmac(key, *(text[at : at + 1] for at in range(len(text)))))
print(ujson.dumps([hexlify(mac).decode() for mac in macs]))
"""
    assert ask(_HMAC + script, [vector["Key"], vector["Msg"]], heap_kib=1024) == [vector["MD"]]


def test_hkdf_of_rfc_5869() -> None:
    """And pyca's own vector of 1200 bytes, with its empty salt and info."""
    vectors = [
        *records("KDF/rfc-5869-HKDF-SHA256.txt", "COUNT"),
        *records("KDF/hkdf-generated.txt", "COUNT"),
    ]
    vectors = [r for r in vectors if r["Hash"] == "SHA-256"]
    assert [int(r["L"]) for r in vectors] == [42, 82, 42, 1200]
    question = [[r["IKM"], r["salt"], r["info"], int(r["L"])] for r in vectors]
    script = """
cut = [[unhex(part) for part in case[:3]] + case[3:] for case in question]
print(ujson.dumps([hexlify(hkdf(*case)).decode() for case in cut]))
"""
    assert ask(_HKDF + script, question) == [r["OKM"] for r in vectors]


def test_hkdf_refuses_more_than_255_blocks() -> None:
    script = """
assert len(hkdf(b"k", b"", b"", 255 * 32)) == 255 * 32
try:
    hkdf(b"k", b"", b"", 255 * 32 + 1)
except ValueError:
    print("refused")
"""
    assert run(_HKDF + script) == "refused\n"


def test_sha256_of_parts_is_that_of_the_whole() -> None:
    """As HMAC and MGF1 use the engine: several updates, of lengths that meet a block's end in every way."""
    text = random.Random(4).randbytes(200)
    script = """
import uhashlib
text, found = unhex(question), []
for first in range(0, 130):
    sha = uhashlib.sha256(text[:first])
    sha.update(text[first : first + 64])
    sha.update(text[first + 64 :])
    found.append(hexlify(sha.digest()).decode())
print(ujson.dumps(found))
"""
    assert ask(script, text.hex()) == [hashlib.sha256(text).hexdigest()] * 130


@pytest.mark.parametrize("fault", ["bytes(32)", "uhashlib.sha256(text + b'.').digest()"])
def test_check_engine_notices(fault: str) -> None:
    script = f"""
import uhashlib
from tinyseal import sha256
from tinyseal.errors import SealError

class Faulty:
    def sha256(self, text):
        self.answer = {fault}
        return self
    def digest(self):
        return self.answer

sha256.check_engine()
sha256.uhashlib = Faulty()
try:
    sha256.check_engine()
except SealError as error:
    print(error.code)
"""
    assert run(script) == "6\n"


def test_no_digest_of_the_derivation_is_left_in_memory() -> None:
    """Every digest but the derived key itself has been wiped when it is handed over."""
    script = """
import uhashlib
from tinyseal import hkdf

class Recorder:
    digests = []
    def sha256(self, *first):
        self.sha = uhashlib.sha256(*first)
        return Hash(self.sha)

class Hash:
    def __init__(self, sha):
        self.sha, self.update = sha, sha.update
    def digest(self):
        found = self.sha.digest()
        Recorder.digests.append(found)
        return found

hkdf.uhashlib = Recorder()
for length in (32, 82):
    for key in (b"k" * 32, b"k" * 65):
        okm = bytearray(length)
        hkdf.hkdf_into(b"secret", key, b"info", okm)
        assert any(okm)
print(len(Recorder.digests), sum(any(digest) for digest in Recorder.digests))
"""
    made, left = (int(number) for number in run(script).split())
    assert made == 2 * (4 + 8) + 2  # two an HMAC, one HMAC more than blocks of output; and one for each long key
    assert left == 0
