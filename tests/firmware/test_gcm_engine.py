"""What AES-GCM does when the AES engine fails as the ESP32's driver does: silently."""

import random

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from vm import ask, run

_ENGINE, _AUTHENTICATION = 6, 7  # FORMAT.md section 5

# `Faulty.aes` stands where ucryptolib.aes does. It gives zeros for one block in ECB, or does something to all of them.
_FAULTY = """
import ucryptolib
from tinyseal import gcm
from tinyseal.errors import SealError

class Faulty:
    def __init__(self, fault):
        self.fault, self.blocks = fault, 0
    def aes(self, key, mode):
        assert mode == 1
        self.real = ucryptolib.aes(key, mode)
        return self
    def encrypt(self, source, target=None):
        target = bytearray(len(source)) if target is None else target
        if self.fault == "identity":
            target[:] = source
        elif self.fault == "zeros":
            target[:] = bytes(len(source))
        else:
            self.real.encrypt(source, target)
            failing = 16 * (self.fault - self.blocks)
            if 0 <= failing < len(source):
                target[failing : failing + 16] = bytes(16)
        self.blocks += len(source) // 16
        return target

def open_with(fault, key, nonce, aad, data, tag, key_check):
    # -> code, what is in the buffer then
    engine = gcm.ucryptolib = Faulty(fault)
    data = bytearray(data)
    try:
        gcm.open_in_place(key, nonce, aad, data, tag, key_check)
        code = 0
    except SealError as error:
        code = error.code
    engine.last = code, hexlify(data).decode()
    return engine
"""


class _Sealed:
    """A sealed text of `length` bytes, its key's known answer, and the blocks of AES that opening it takes."""

    def __init__(self, length: int) -> None:
        source = random.Random(length)
        self.key, nonce, aad, self.plain = (source.randbytes(n) for n in (32, 12, 64, length))
        sealed = AESGCM(self.key).encrypt(nonce, self.plain, aad)
        self.cipher = sealed[:-16]
        known = Cipher(algorithms.AES(self.key), modes.ECB()).encryptor().update(b"tinyseal key chk")
        self.parts = [self.key, nonce, aad, self.cipher, sealed[-16:], known]

    def hex(self) -> list[str]:
        return [part.hex() for part in self.parts]


@pytest.mark.parametrize(("length", "blocks"), [(1, 3 + 3), (100, 3 + 2 + 7), (4064 + 40, 3 + 256 + 3)])
def test_one_block_of_zeros_anywhere_is_an_engine_fault(length: int, blocks: int) -> None:
    """`blocks`: one for the key check, H and E(J0) each, and a counter block for each of data's, with two before."""
    sealed = _Sealed(length)
    faults = [*range(min(blocks, 20)), *range(max(20, blocks - 20), blocks)]
    script = "[open_with(fault, *[unhex(text) for text in question[1]]).last for fault in question[0]]"
    answers = ask(f"{_FAULTY}\nprint(ujson.dumps({script}))", [[*faults, blocks], sealed.hex()], heap_kib=8192)
    assert isinstance(answers, list)
    *faulty, last = answers
    assert [code for code, _ in faulty] == [_ENGINE] * len(faults)
    assert {data for _, data in faulty} <= {sealed.cipher.hex(), bytes(length).hex()}
    assert last == [0, sealed.plain.hex()]


def test_an_engine_of_zeros_opens_nothing() -> None:
    """Not even the file that a GCM made of zeros would accept: H = 0, E(J0) = 0, so its tag is zero."""
    sealed = _Sealed(80)
    key, nonce, aad, cipher, _, known = sealed.parts
    files = [(key, nonce, aad, cipher, bytes(16), check) for check in (known, bytes(16))]
    script = """
print(ujson.dumps([open_with("zeros", *[unhex(text) for text in file]).last for file in question[0]]
    + [open_with("zeros", *[unhex(text) for text in question[0][0][:5]], None).last]))
"""
    assert ask(_FAULTY + script, [[[p.hex() for p in f] for f in files]]) == [[_ENGINE, cipher.hex()]] * 3


def test_an_engine_that_changes_nothing_opens_nothing() -> None:
    sealed = _Sealed(80)
    script = """
parts = [unhex(text) for text in question]
print(ujson.dumps([open_with("identity", *parts).last, open_with("identity", *parts[:5], None).last]))
"""
    wanted = [[_AUTHENTICATION, sealed.cipher.hex()], [_ENGINE, sealed.cipher.hex()]]
    assert ask(_FAULTY + script, sealed.hex()) == wanted


def test_another_key_s_known_answer_is_refused_before_the_tag() -> None:
    sealed = _Sealed(80)
    parts = [*sealed.hex()[:5], random.Random(9).randbytes(16).hex()]
    script = """
engine = open_with(-1, *[unhex(text) for text in question])
print(ujson.dumps((engine.last, engine.blocks)))
"""
    assert ask(_FAULTY + script, parts) == [[_AUTHENTICATION, sealed.cipher.hex()], 1]


@pytest.mark.parametrize("tag", ["right", "wrong"])
def test_the_key_is_gone_from_the_aes_object_afterwards(tag: str) -> None:
    sealed = _Sealed(80)
    parts = sealed.hex()
    if tag == "wrong":
        parts[4] = bytes(16).hex()
    script = """
import ucryptolib, uctypes
from tinyseal import gcm
from tinyseal.errors import SealError

class Recorder:
    def aes(self, key, mode):
        self.made = ucryptolib.aes(key, mode)
        return self.made

gcm.ucryptolib = recorder = Recorder()
parts = [unhex(text) for text in question]
parts[3] = bytearray(parts[3])
fresh = ucryptolib.aes(parts[0], 1)
fresh.encrypt(bytes(16))
try:
    gcm.open_in_place(*parts)
    code = 0
except SealError as error:
    code = error.code
memory = [bytes(uctypes.bytearray_at(id(aes), 256)) for aes in (fresh, recorder.made)]
print(ujson.dumps([code] + [parts[0] in m for m in memory]))
"""
    assert ask(script, parts) == [_AUTHENTICATION if tag == "wrong" else 0, True, False]


@pytest.mark.parametrize("fault", ["'zeros'", "'identity'", "0"])
def test_check_engine_notices(fault: str) -> None:
    script = f"""
gcm.check_engine()
gcm.ucryptolib = Faulty({fault})
try:
    gcm.check_engine()
except SealError as error:
    print(error.code)
"""
    assert run(_FAULTY + script) == f"{_ENGINE}\n"
