"""The HMAC peripheral of the board itself: its driver answers, or says why there is nothing to answer with."""

from vm import ask

SCRIPT = """
from tinyseal import CODES, SealError, efuse

def answer(message):
    out = bytearray(32)
    try:
        efuse.hmac_into(message, out)
    except SealError as error:
        return CODES[error.code], error.detail, out == bytes(32)
    return out

first, again, other = answer(b"a message"), answer(b"a message"), answer(b"another")
if isinstance(first, tuple):
    print(ujson.dumps(first))
else:  # no answer of the key leaves the board
    print(ujson.dumps(["OK", "", first == again and first != other and bytes(32) not in (first, other)]))
"""


def test_the_driver_answers_the_same_again_or_refuses(board):
    code, why, right = ask(SCRIPT, None)
    assert right
    assert (code == "OK") == (not why)
    assert code in ("OK", "NO_KEY")
    if "with ESP32" not in board.info.machine:
        assert (code, why) == ("NO_KEY", "no HMAC peripheral")
