"""AES-GCM on the VM: NIST's decryption vectors, and pyca's AESGCM for lengths that those leave out."""

import hashlib
import random

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from vectors import records
from vm import ask, ask_each, run

pytestmark = pytest.mark.usefixtures("firmware")

_OPEN_ALL = """
import gc
import sys
from tinyseal import gcm
from tinyseal.errors import SealError
gc.threshold(1 << 20)  # what plain kernels leave behind must not scatter the answers over the heap
answers = []
for case in question:
    key, nonce, aad, data, tag = [unhex(text) for text in case]
    data = bytearray(data)
    try:
        gcm.open_in_place(key, nonce, aad, data, tag)
        code = 0
    except SealError as error:
        code = error.code
    answers.append((code, hexlify(data).decode()))
ujson.dump(answers, sys.stdout)  # not as one string, for which the heap may be too scattered
"""
_AUTHENTICATION = 7  # FORMAT.md section 5
_CHUNK = 4096  # bytes of keystream made at once; two blocks of the first are not data's


@pytest.mark.parametrize("bits", [128, 256])
def test_every_nist_case_of_our_nonce_and_tag_length(bits: int) -> None:
    """Those with a 96-bit nonce and a 128-bit tag; the others cannot occur in a sealed file."""
    vectors = [
        r
        for r in records(f"ciphers/AES/GCM/gcmDecrypt{bits}.rsp", "Count")
        if (r["IVlen"], r["Taglen"]) == ("96", "128")
    ]
    assert len(vectors) == 375
    assert 0 < sum("FAIL" in r for r in vectors) < 375
    answers = ask_each(_OPEN_ALL, [[r[n] for n in ("Key", "IV", "AAD", "CT", "Tag")] for r in vectors], heap_kib=4096)
    assert answers == [[_AUTHENTICATION, r["CT"]] if "FAIL" in r else [0, r["PT"]] for r in vectors]


_FIRST = _CHUNK - 32
_CHUNK_ENDS = (_FIRST, _FIRST + _CHUNK, _FIRST + 2 * _CHUNK)
_LENGTHS = [*range(71), *(end + more for end in _CHUNK_ENDS for more in (-17, -1, 0, 1, 16))]


def test_data_of_every_short_length_and_around_chunks_against_pyca() -> None:
    answer_and_compare([(length, 64) for length in _LENGTHS])


def test_aad_lengths_against_pyca() -> None:
    answer_and_compare([(33, aad) for aad in (*range(50), 4096, 5001)])


def answer_and_compare(lengths: list[tuple[int, int]]) -> None:
    """Seal random data of (data, aad) lengths with pyca; the good ones open, and no bit of them may be changed."""
    source = random.Random(1)
    cases, wanted = [], []
    for number, (data_len, aad_len) in enumerate(lengths):
        key, nonce = source.randbytes(32), source.randbytes(12)
        aad, plain = source.randbytes(aad_len), source.randbytes(data_len)
        sealed = AESGCM(key).encrypt(nonce, plain, aad)
        parts = [key, nonce, aad, sealed[:-16], sealed[-16:]]
        cases.append([part.hex() for part in parts])
        wanted.append([0, plain.hex()])
        for which in [i for i, part in enumerate(parts) if part]:
            changed = [bytearray(part) for part in parts]
            bit = source.randrange(8 * len(changed[which])) if number else 8 * len(changed[which]) - 1
            changed[which][bit // 8] ^= 1 << bit % 8
            cases.append([part.hex() for part in changed])
            wanted.append([_AUTHENTICATION, changed[3].hex()])
    assert ask_each(_OPEN_ALL, cases, heap_kib=16384) == wanted


def test_counter_carries_past_two_bytes() -> None:
    """Data of more than 2^16 blocks: chunk 256 is the first that changes byte 13 of its counter blocks."""
    source = random.Random(2)
    key, nonce, plain = source.randbytes(32), source.randbytes(12), source.randbytes(256 * _CHUNK + 5000)
    sealed = AESGCM(key).encrypt(nonce, plain, b"")
    script = """
import uhashlib
from tinyseal import gcm
with open("sealed", "rb") as file:
    data, tag = bytearray(file.read(-16 + KEPT)), file.read()
gcm.open_in_place(unhex(question[0]), unhex(question[1]), b"", data, tag)
print(uhashlib.sha256(data).digest().hex())
"""
    script = script.replace("KEPT", str(len(sealed)))
    prelude = f"from ubinascii import unhexlify as unhex\nquestion = {[key.hex(), nonce.hex()]}\n"
    found = run(prelude + script, files={"sealed": sealed}, heap_kib=8192)
    assert found.strip() == hashlib.sha256(plain).hexdigest()


def test_views_are_opened_where_they_lie() -> None:
    """As a release is: a part of a larger buffer, of which nothing else may change."""
    source = random.Random(3)
    key, nonce, aad, plain = (source.randbytes(n) for n in (32, 12, 64, 4999))
    sealed = AESGCM(key).encrypt(nonce, plain, aad)
    script = """
from tinyseal import gcm
key, nonce, aad, sealed = (unhex(text) for text in question)
whole = bytearray(b"guard" * 4 + sealed[:-16] + aad + nonce + sealed[-16:])
view = memoryview(whole)
at = 20 + len(sealed) - 16
# The AAD and the rest are behind data of an odd length: copies, which are aligned.
gcm.open_in_place(key, view[at + 64:at + 76], aad, view[20:at], view[at + 76:])
print(ujson.dumps(hexlify(whole).decode()))
"""
    opened = ask(script, [part.hex() for part in (key, nonce, aad, sealed)])
    assert opened == (b"guard" * 4 + plain + aad + nonce + sealed[-16:]).hex()


@pytest.mark.parametrize(
    "arguments",
    [
        "bytes(11), aad, data, bytes(16)",
        "bytes(13), aad, data, bytes(16)",
        "bytes(12), aad, data, bytes(15)",
        "bytes(12), aad, data, bytes(17)",
        "bytes(12), memoryview(aad)[1:], data, bytes(16)",
        "bytes(12), aad, memoryview(data)[2:], bytes(16)",
    ],
)
def test_what_no_kernel_may_be_given_is_a_value_error(arguments: str) -> None:
    script = f"""
from tinyseal import gcm
aad, data = bytearray(64), bytearray(64)
try:
    gcm.open_in_place(bytes(32), {arguments})
    print("opened")
except ValueError:
    print("refused")
"""
    assert run(script) == "refused\n"
