"""Wiping and comparing on the VM."""

import pytest
from vm import ask, run

pytestmark = pytest.mark.usefixtures("firmware")


def test_wipe_clears_all_of_a_buffer_and_nothing_else() -> None:
    script = """
from tinyseal.memory import wipe
found = []
for length in range(40):
    whole = bytearray(b"\\xff" * 48)
    wipe(memoryview(whole)[4 : 4 + length])
    found.append(hexlify(whole).decode())
secret = b"%d" % 12345678
wipe(secret)
print(ujson.dumps([found, hexlify(secret).decode()]))
"""
    wanted = [(b"\xff" * 4 + bytes(n) + b"\xff" * (44 - n)).hex() for n in range(40)]
    assert ask(script, None) == [wanted, bytes(8).hex()]


def test_equal_sees_every_bit_and_the_length() -> None:
    script = """
from tinyseal.memory import equal
same = bytearray(range(16))
for bit in range(128):
    other = bytearray(same)
    other[bit // 8] ^= 1 << bit % 8
    assert not equal(same, other) and not equal(other, same), bit
assert equal(same, bytes(range(16))) and equal(b"", b"")
assert not equal(same, same[:15]) and not equal(same[:15], same) and not equal(b"", b"\\0")
print("seen")
"""
    assert run(script) == "seen\n"


def test_aligned() -> None:
    script = """
from tinyseal.memory import aligned
view = memoryview(bytearray(16))
print([aligned(view[at:]) for at in range(6)], aligned(bytearray(1)), aligned(b"odd"))
"""
    assert run(script) == "[True, False, False, False, True, False] True True\n"


def test_wipe_inside_says_whether_it_found_the_key() -> None:
    script = """
import ucryptolib
from tinyseal.memory import wipe_inside
found = []
for key in (bytes(range(1, 33)), bytes(range(1, 17))):
    aes = ucryptolib.aes(key, 1)
    found.append(wipe_inside(aes, b"another key that the object has not"[: len(key)]))
    found.append(wipe_inside(aes, key))
    found.append(wipe_inside(aes, key))
    found.append(key == bytes(range(1, len(key) + 1)))
print(found)
"""
    assert run(script) == f"{[False, True, False, True] * 2}\n"
