"""`tinyseal.open()`: every refusal by its code, and by the same code as the host's twin gives."""

import json
import struct

import pytest
import tiny_release
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from opening import DEVICE_ID, FLOOR, VERSION, board_verdicts, on_board, same_verdicts, seal_anything, signed
from tinyseal_host import sealing
from tinyseal_host.formats import KeySource

pytestmark = pytest.mark.usefixtures("firmware")


def test_good_file_opens(identity):
    release = signed(tiny_release.body(VERSION), identity)
    sealed = sealing.seal(release, DEVICE_ID, KeySource.FILE, identity.master)
    found = board_verdicts({"good": sealed, "again": sealed}, identity)
    assert found["good"] == found["again"] == ["OK", VERSION, [label.decode() for label in tiny_release.LABELS]]


def test_refusals_before_the_signature(identity):
    release = signed(tiny_release.body(VERSION), identity)
    good = bytearray(seal_anything(release, identity))
    stranger = generate_private_key(65537, 3072)
    files = {
        "other_board": seal_anything(release, identity, device_id=DEVICE_ID[:-1] + b"\xff"),
        "shorter_id": seal_anything(release, identity, device_id=DEVICE_ID[:-1]),
        "other_source": seal_anything(release, identity, source=KeySource.NVS),
        "old": seal_anything(signed(tiny_release.body(FLOOR - 1), identity), identity, version=FLOOR - 1),
        "at_the_floor": seal_anything(signed(tiny_release.body(FLOOR), identity), identity, version=FLOOR),
        "other_version": seal_anything(release, identity, version=VERSION + 1),
        "stranger": seal_anything(sealing.sign(tiny_release.body(VERSION), stranger), identity),
        "unsigned": seal_anything(tiny_release.unsigned(VERSION), identity),
        "cut": bytes(good[:-1]),
        "longer": bytes(good) + b"\0",
        "header_only": bytes(good[:64]),
        "half_a_header": bytes(good[:30]),
        "empty": b"",
    }
    assert same_verdicts(files, identity) == {
        "other_board": "WRONG_BOARD",
        "shorter_id": "WRONG_BOARD",
        "other_source": "NO_KEY",
        "old": "ROLLBACK",
        "at_the_floor": "OK",
        "other_version": "RELEASE",
        "stranger": "SIGNATURE",
        "unsigned": "SIGNATURE",
        "cut": "FORMAT",
        "longer": "FORMAT",
        "header_only": "FORMAT",
        "half_a_header": "FORMAT",
        "empty": "FORMAT",
    }


def test_every_byte_of_a_sealed_file_counts(identity):
    """One bit of every byte of header, nonce and tag, and of one ciphertext byte in eleven."""
    sealed = seal_anything(signed(tiny_release.body(VERSION), identity), identity)
    places = [*range(64), *range(64, len(sealed) - 16, 11), *range(len(sealed) - 16, len(sealed))]
    files = {f"byte{at}": with_a_bit_changed(sealed, at) for at in places}
    assert "OK" not in same_verdicts(files, identity).values()


def with_a_bit_changed(sealed, at):
    """One of the byte at that place."""
    return sealed[:at] + bytes([sealed[at] ^ 1 << at % 8]) + sealed[at + 1 :]


def test_self_test_decides(identity):
    body = bytearray(tiny_release.body(VERSION))
    frame_at = len(body) - 20  # four float32, two outputs, two bytes of padding
    wrong_output, refused_frame, wrong_weight = bytearray(body), bytearray(body), bytearray(body)
    wrong_output[frame_at + 16] ^= 1
    refused_frame[frame_at : frame_at + 4] = struct.pack("<f", 100.0)
    wrong_weight[tiny_release.ROWS_AT] ^= 1
    files = {
        name: seal_anything(signed(bytes(data), identity), identity)
        for name, data in (("output", wrong_output), ("frame", refused_frame), ("weight", wrong_weight))
    }
    found = board_verdicts(files, identity)
    assert {name: code for name, (code, *_) in found.items()} == dict.fromkeys(files, "SELF_TEST")


@pytest.mark.parametrize("missing", ["key", "signer"])
def test_a_board_without_its_keys(identity, missing):
    sealed = seal_anything(signed(tiny_release.body(VERSION), identity), identity)
    files = {"m.seal": sealed, **identity.files()}
    del files[missing]
    assert json.loads(on_board("print(ujson.dumps(outcome('m.seal')))", files))[0] == "NO_KEY"


def test_memory_that_ends_beside_the_crypto_is_an_answer_too(identity):
    sealed = seal_anything(signed(tiny_release.body(VERSION), identity), identity)
    script = """
def failing(*arguments):
    raise MemoryError("planted")
found = []
for name in ("state", "opened"):
    slots._PATHS = (None, "m.seal", "b.seal")
    slots.write_state(0, 1)
    real = getattr(slots, name)
    setattr(slots, name, failing)
    found.append(outcome(None))
    setattr(slots, name, real)
print(ujson.dumps(found))
"""
    found = json.loads(on_board(script, {"m.seal": sealed, **identity.files()}))
    assert found == [["MEMORY", "planted"]] * 2


def test_no_model(identity):
    answer = on_board("print(ujson.dumps([outcome('none.seal'), outcome(None)]))", identity.files())
    assert [code for code, _ in json.loads(answer)] == ["NO_MODEL", "NO_MODEL"]


def test_closed_model_refuses_frames_and_opening_again_works(identity):
    sealed = seal_anything(signed(tiny_release.body(VERSION), identity), identity)
    script = """
from array import array
found = []
frame = array("f", (1.0, 2.0, 0.0, 0.0))
for _ in range(2):
    with tinyseal.open("m.seal") as model:
        found.append([model.infer(frame), list(model.output), model.top, list(model.health.counts)])
    model.close()
    try:
        model.infer(frame)
    except errors.SealError as error:
        found.append(errors.CODES[error.code])
print(ujson.dumps(found))
"""
    found = json.loads(on_board(script, {"m.seal": sealed, **identity.files()}))
    assert found == [[0, [1, 2], 1, [1] + [0] * 10], "CLOSED"] * 2


def test_frames_are_counted_by_status(identity):
    sealed = seal_anything(signed(tiny_release.body(VERSION), identity), identity)
    script = """
from array import array
with tinyseal.open("m.seal") as model:
    for values in ("1 1 1 1", "1 1 1", "1 nan 1 1", "1 1 inf 1", "9 1 1 1", "-4.5 8 0 0", "0 0 0 1"):
        model.infer(array("f", [float(value) for value in values.split()]))
    print(ujson.dumps(list(model.health.counts)))
"""
    assert json.loads(on_board(script, {"m.seal": sealed, **identity.files()})) == [2, 1, 2, 1, 1, 0, 0, 0, 0, 0, 0]


def test_the_floor_rises_with_the_model_that_opened(identity):
    """Only from the slot, and only after it opened."""
    old, new = (seal_anything(signed(tiny_release.body(v), identity), identity, version=v) for v in (8, 9))
    script = """
slots._PATHS = (None, "a.seal", "b.seal")
found = [slots.state()[:2]]
slots.write_state(5, 1)
found.append([outcome("b.seal")[0], slots.state()[:2]])
slots.write_state(5, 2)
found.append([outcome(None)[0], slots.state()[:2]])
slots.write_state(slots.state()[0], 1)
found.append([outcome(None)[0], slots.state()[:2]])
print(ujson.dumps(found))
"""
    found = json.loads(on_board(script, {"a.seal": old, "b.seal": new, **identity.files()}))
    assert found == [[0, 0], ["OK", [5, 1]], ["OK", [9, 2]], ["OK", [9, 2]]]


def test_a_slot_that_does_not_open_gives_way_to_the_other(identity):
    """For good, with the reason kept, and never below the floor; a fault of the board's own moves nothing."""
    good = {v: seal_anything(signed(tiny_release.body(v), identity), identity, version=v) for v in (6, 7)}
    wrong = tiny_release.body(8).replace(tiny_release.OUTPUT, bytes(2))
    bad = {
        "SELF_TEST": seal_anything(signed(wrong, identity), identity, version=8),
        "AUTHENTICATION": good[7][:-1] + bytes([good[7][-1] ^ 1]),
        "FORMAT": good[7][:-1],
        "NO_MODEL": None,
    }
    script = """
def failing(*arguments):
    raise errors.SealError(errors.ENGINE, "planted")
found = []
for name, kept in (("SELF_TEST", "b6"), ("AUTHENTICATION", "b6"), ("FORMAT", "b6"), ("NO_MODEL", "b6")):
    slots._PATHS = (None, name, kept)
    slots.write_state(5, 1)
    found.append([outcome(None)[:2], slots.state()[:2], errors.CODES[slots.state()[3]], slots.state()[2]])
    found.append([outcome(None)[:2], slots.state()[:2]])
slots._PATHS = (None, "SELF_TEST", "b6")
slots.write_state(7, 1)
found.append([outcome(None)[0], slots.state()[:2], slots.state()[2:]])
slots._PATHS = (None, "b7", "b6")
slots.write_state(5, 1)
real, tinyseal.gcm.check_engine = tinyseal.gcm.check_engine, failing
found.append([outcome(None)[0], slots.state()[:2], slots.state()[2:]])
print(ujson.dumps(found))
"""
    files = {name: data for name, data in bad.items() if data is not None}
    files |= {f"b{version}": data for version, data in good.items()}
    found = json.loads(on_board(script, {**files, **identity.files()}))
    for name in bad:
        assert found[:2] == [[["OK", 6], [6, 2], name, 1], [["OK", 6], [6, 2]]]
        del found[:2]
    assert found == [["SELF_TEST", [7, 1], [0, 0]], ["ENGINE", [5, 1], [0, 0]]]
