"""The Python API: its names, and that scripts get from it what the command does. README.md's example is run with it."""

import inspect
import subprocess
import sys

import numpy as np
import pytest
import tinyseal_host
from tinyseal_host import Board, Keys, api, build, seal
from tinyseal_host.errors import BoardError, RefusedError, TinysealError
from tinyseal_host.example import expected_outputs, write_example
from tinyseal_host.formats import KeySource
from tinyseal_host.keys import generate


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("api")
    write_example(made)
    generate(made / "keys")
    generate(made / "stranger")
    return made


def release(folder, version, keys="keys"):
    return build(folder / "motion.tflite", folder / "motion.toml", version=version, keys=Keys(folder / keys))


def test_a_board_s_life(folder, tmp_path):
    keys = Keys(folder / "keys")
    told = []
    with Board("sim", state=tmp_path / "board") as board:
        assert board.status() is None
        done = board.deploy(release(folder, 1), keys, progress=lambda *step: told.append(step))
        assert (done.pushed.name, done.pushed.version, done.key_source) == ("motion", 1, KeySource.NVS)
        assert told[-1][0] == told[-1][1] > 10_000
        device_id = board.info.device_id
    with Board("sim", state=str(tmp_path / "board"), devices=[device_id]) as board:
        assert board.push(seal(release(folder, 2), device_id, keys=keys)).slot == "b"
        assert board.rollback().version == 1
        run = board.infer(np.load(folder / "frames.npy"))
        assert [list(result.scores) for result in run.results] == expected_outputs().tolist()
        with pytest.raises(RefusedError, match="SIGNATURE"):
            board.push(seal(release(folder, 3, "stranger"), device_id, keys=station(folder, tmp_path)))
        with pytest.raises(TinysealError, match="has signer"):
            board.deploy(release(folder, 3), Keys(folder / "stranger"))
        assert board.link.run("print(6 * 7)").strip() == "42"
        board.wipe()
        assert board.status() is None


def station(folder, tmp_path):
    """The master key alone: with the signer's at hand, `seal` refuses what the board should."""
    (tmp_path / "station").mkdir()
    (tmp_path / "station" / "master.key").write_bytes((folder / "keys" / "master.key").read_bytes())
    (tmp_path / "station" / "master.key").chmod(0o600)
    return Keys(tmp_path / "station")


def test_what_is_not_this_board_s_is_not_touched(tmp_path):
    board = Board("sim", state=tmp_path / "board", devices=[b"other"])
    with pytest.raises(BoardError, match="wanted 6f74686572"), board:
        raise AssertionError("it was let in")


def test_seal_looks_at_the_signature_where_it_can(folder):
    with pytest.raises(RefusedError, match="not signed"):
        seal(release(folder, 1, "stranger"), b"\x01", keys=Keys(folder / "keys"))
    with pytest.raises(TinysealError, match=r"no signing\.key"):
        build(folder / "motion.tflite", folder / "motion.toml", version=1, keys=Keys(folder / "nowhere"))


def test_every_public_name_has_its_description():
    assert all(getattr(tinyseal_host, name) is getattr(api, name) for name in tinyseal_host.__all__)
    public = [api.Board, api.Keys, api.Deployed, api.build, api.seal, api.sealer]
    methods = [value for name, value in vars(api.Board).items() if not name.startswith("_") and callable(value)]
    assert len(methods) >= 7
    assert all(inspect.getdoc(value) for value in public + methods)
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = tinyseal_host.nothing


def test_the_package_alone_loads_nothing():
    """The virtual board's relay starts with it."""
    code = "import sys, tinyseal_host; print(sorted(m for m in sys.modules if m in ('numpy', 'mpremote', 'rich')))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
