"""A model that the board has no memory for is refused before anything of it is sent."""

from pathlib import Path

import numpy as np
import pytest
from tflite_writer import TfliteWriter, options
from tinyseal_host import keys, sealing
from tinyseal_host.board import provisioning, updates
from tinyseal_host.board.transport import connect
from tinyseal_host.errors import Refusal, RefusedError
from tinyseal_host.formats import KeySource, parse_release
from tinyseal_host.sim import VirtualBoard

CONTRACT = 'type = "float32"\nlength = 600\nrange = [-12.8, 12.7]\nzero_ratio = 1.0\n'


def wide():
    """125,600 bytes of dot table, 200 rows of 608 weights and 5 words, and next to no arena.

    Beside input and output that has 288 bytes of units and, for 128 rows at a time, 512 of sums.
    """
    writer = TfliteWriter()
    entry, result = writer.tensor((1, 600), scale=0.1), writer.tensor((1, 200), scale=0.1)
    weights = writer.constant(np.ones((200, 600), np.int8), scale=0.001)
    writer.operator("FULLY_CONNECTED", [entry, weights], [result], options("FullyConnectedOptions"))
    return writer.finish([entry], [result])


def tall():
    """100,000 bytes of arena and next to no weights."""
    writer = TfliteWriter()
    entry, padded, result = (writer.tensor(shape, scale=0.1) for shape in ((1, 600, 1), (1, 100_000, 1), (1, 1)))
    around = writer.constant(np.array([[0, 0], [0, 99_400], [0, 0]], np.int32))
    writer.operator("PAD", [entry, around], [padded])
    axes = writer.constant(np.array([1], np.int32))
    writer.operator("MEAN", [padded, axes], [result], options("ReducerOptions"))
    return writer.finish([entry], [result])


def numbers(text):
    """Needed for the release, needed for the arena, free, free in one piece."""
    words = text.replace(",", "").replace(")", "").split()
    return [int(word) for word in words if word.isdecimal() and word != "12"]


@pytest.mark.parametrize(("make", "release", "arena"), [(wide, 125_600, 1_600), (tall, 3_500, 100_600)])
def test_deploy_refuses_and_changes_nothing(tinyseal, deploy, shared, here, make, release, arena):
    Path("big.tflite").write_bytes(make())
    Path("big.toml").write_text(CONTRACT)
    line = "deploy big.tflite --contract big.toml --version 3 --port sim --state board --heap 160 --keys"
    refused = tinyseal(line, shared / "keys")
    assert refused.status == 1
    assert "MEMORY" in refused.error
    needed, for_arena, free, in_one_piece = numbers(refused.error)
    assert release <= needed < release + 10_000
    assert for_arena == arena
    assert free > 50_000
    assert free / 2 < in_one_piece <= free
    assert refused.hint
    assert tinyseal("status --port sim --state board --json").json["key_source"] is None
    assert deploy(2).status == 0
    before = tinyseal("status --port sim --state board --json").json
    again = tinyseal(line, shared / "keys")
    assert (again.status, numbers(again.error)[:2]) == (1, [needed, for_arena])
    after = tinyseal("status --port sim --state board --json").json
    assert {**after, "heap_free": 0} == {**before, "heap_free": 0}
    assert tinyseal(line.replace("--heap 160", "--heap 512"), shared / "keys").status == 0


def test_push_refuses_for_what_a_sealed_file_says_of_itself(tinyseal, deploy, seal, shared, here):
    assert deploy(2).status == 0
    for name, make in (("wide", wide), ("tall", tall)):
        Path(f"{name}.tflite").write_bytes(make())
        Path(f"{name}.toml").write_text(CONTRACT)
        line = f"build {name}.tflite --contract {name}.toml --version 3 --keys"
        assert tinyseal(line, shared / "keys").status == 0
        seal(f"{name}.seal", f"{name}.tsm")
    refused = tinyseal("push wide.seal --port sim --state board --heap 160")
    assert refused.status == 1
    needed, for_arena, _, _ = numbers(refused.error)
    assert (needed, for_arena) == (Path("wide.tsm").stat().st_size, 0)
    opened = tinyseal("push tall.seal --port sim --state board --heap 160")
    assert (opened.status, "arena of 100600 bytes" in opened.error) == (1, True)
    status = tinyseal("status --port sim --state board --json").json
    assert (status["active"], status["slots"][1]) == (1, None)


def test_what_would_open_is_not_refused(shared, here):
    """Around the least heap with which the example opens, both verdicts; the check may allow up to 4 KiB less."""
    folders = [shared / "keys"]
    release = (shared / "motion.tsm").read_bytes()
    verdicts = {}
    for heap_kib in (512, *range(116, 140, 4)):
        with VirtualBoard("board", heap_kib=heap_kib) as board, connect(board.port) as link:
            if heap_kib == 512:
                info = provisioning.describe(link)
                provisioning.send_firmware(link, info)
                master, signer = keys.load_master(folders), keys.load_signer(folders, lambda _: "")
                provisioning.write_keys(link, info, master=master, signer=signer)
                sealed = sealing.seal(release, info.device_id, KeySource.NVS, master)
            verdicts[heap_kib] = [
                outcome(updates.check_room, link, len(release), parse_release(release)),
                outcome(updates.push, link, sealed),
            ]
    kinds = list(verdicts.values())
    assert [True, True] in kinds[1:]
    assert [False, False] in kinds
    assert [False, True] not in kinds
    assert kinds.count([True, False]) <= 1, verdicts


def outcome(function, *arguments):
    """Whether the board has room."""
    try:
        function(*arguments)
    except RefusedError as error:
        if error.code != Refusal.MEMORY:
            raise
        return False
    return True
