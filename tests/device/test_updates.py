"""Models that are pushed to the board: what it refuses, the way back, and a reset in the middle."""

import struct

import numpy as np
import pytest
import tiny_release
from cryptography.hazmat.primitives.asymmetric import rsa
from opening import seal_anything
from tinyseal_host import sealing
from tinyseal_host.errors import RefusedError
from tinyseal_host.formats import KeySource

FRAME = np.frombuffer(tiny_release.FRAME, "<f4").reshape(1, -1)
OUTPUT = struct.unpack("2b", tiny_release.OUTPUT)


class Maker:
    """Makes sealed files for the board, the next one always newer; `version` is that of the last."""

    def __init__(self, board):
        self.board = board
        status = board.status()
        self.version = max(1, status["floor"], *(slot["version"] for slot in status["slots"] if slot))

    def release(self, version, signer=None):
        return sealing.sign(tiny_release.body(version), signer or self.board.keys.signing_key)

    def seal(self, release, version, device_id=None):
        """By FORMAT.md, whatever it is."""
        return seal_anything(
            release,
            self.board.keys,
            version=version,
            device_id=device_id or self.board.info.device_id,
            source=KeySource.NVS,
        )

    def good(self):
        """One that the board has to accept."""
        self.version += 1
        return self.seal(self.release(self.version), self.version)


@pytest.fixture(scope="module")
def maker(board):
    return Maker(board)


@pytest.fixture
def version(board, maker):
    """That of a model that is active on the board, and has opened from its slot."""
    board.push(maker.good())
    assert answers(board) == maker.version
    return maker.version


def answers(board):
    """The version of the model that computes what it should."""
    run = board.infer(FRAME)
    assert [result.scores for result in run.results] == [OUTPUT]
    return run.version


def test_what_is_refused_changes_nothing(board, maker, version):
    """Tampered with, another board's, older, unsigned, a stranger's, and sealed as another version than is signed."""
    good = maker.good()
    foreign = board.info.device_id[:-1] + bytes([board.info.device_id[-1] ^ 1])
    stranger = rsa.generate_private_key(65537, 3072)
    next_one = maker.version
    files = {
        "AUTHENTICATION": [
            good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :] for at in (64, len(good) // 2, len(good) - 1)
        ],
        "WRONG_BOARD": [maker.seal(maker.release(next_one), next_one, foreign)],
        "ROLLBACK": [maker.seal(maker.release(version - 1), version - 1)],
        "SIGNATURE": [
            maker.seal(tiny_release.unsigned(next_one), next_one),
            maker.seal(maker.release(next_one, stranger), next_one),
        ],
        "RELEASE": [maker.seal(maker.release(version), next_one)],
    }
    before = board.status()
    for code, sealed in files.items():
        for one in sealed:
            with pytest.raises(RefusedError) as refused:
                board.push(one)
            assert refused.value.name == code
    after = board.status()
    assert {name: after[name] for name in ("floor", "active", "slots")} == {
        name: before[name] for name in ("floor", "active", "slots")
    }
    assert answers(board) == version


def test_the_way_back(board, maker, version):
    """Until the newer model has opened from its slot, and not afterwards."""
    board.push(maker.good())
    assert board.rollback().version == version
    assert answers(board) == version
    board.push(maker.good())
    assert answers(board) == maker.version
    with pytest.raises(RefusedError, match="ROLLBACK"):
        board.rollback()
    assert answers(board) == maker.version


class CutError(Exception):
    """The test's own."""


@pytest.mark.parametrize("pieces", [1, 2])
def test_a_reset_in_an_upload(board, model, frames, maker, pieces):
    """The board comes up with the model that it had; the same push again goes on from there."""
    from tinyseal_host import build

    active = board.infer(frames[:1]).version
    newer = max(active, maker.version) + 1
    maker.version = newer
    release = build(model.path, model.contract, version=newer, keys=board.keys)
    sealed = sealing.seal(release, board.info.device_id, KeySource.NVS, board.keys.master)
    told = []

    def cut(done, total):
        told.append((done, total))
        if len(told) == pieces:
            raise CutError

    with pytest.raises(CutError):
        board.push(sealed, progress=cut)
    assert told[-1][0] < told[-1][1]
    board.reset()
    assert board.infer(frames[:1]).version == active
    again = []
    assert board.push(sealed, progress=lambda *step: again.append(step)).version == newer
    assert again[-1][0] == again[-1][1]
    run = board.infer(frames[:1])
    assert (run.version, run.results[0].scores) == (newer, model.expected(frames[:1])[0][1])


def test_a_reset_while_frames_are_inferred(board, version):
    board.link.restart()
    board.link.start(
        f"import tinyseal\nf = bytearray({tiny_release.FRAME!r})\nm = tinyseal.open()\nwhile True: m.infer(f)"
    )
    board.reset()
    assert answers(board) == version
    assert board.status()["floor"] == version


def test_a_model_that_nobody_uses_closes_by_itself(board, version):
    """By hardware timer 0; the next frame says why."""
    board.link.restart()
    program = f"""
import tinyseal, utime
frame = bytearray({tiny_release.FRAME!r})
with tinyseal.open(keep_ms=400) as model:
    for _ in range(4):
        utime.sleep_ms(200)
        assert model.infer(frame) == tinyseal.OK
    utime.sleep_ms(1000)
    try:
        model.infer(frame)
    except tinyseal.SealError as error:
        print(error)
"""
    assert board.link.run(program).strip() == "CLOSED: no frame for 400 ms"
