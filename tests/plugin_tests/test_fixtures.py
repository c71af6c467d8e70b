"""The fixtures, marks and options of the plugin in a project of its user's."""

import subprocess
import sys

import numpy as np
from tinyseal_host import Keys
from tinyseal_host.example import write_example
from tinyseal_host.keys import generate, signer_fingerprint
from tinyseal_host.sim import VirtualBoard

MARKED = """
import pytest

def test_board(board):
    assert board.status()["package"]

@pytest.mark.real_board
def test_real(board):
    pass

@pytest.mark.real_board
def test_real_alone():
    pass

@pytest.mark.target("esp32c3", "esp32s3")
def test_chip(board):
    pass

@pytest.mark.target("x64")
def test_this_chip(board):
    pass

@pytest.mark.target("esp32c3")
def test_chip_alone():
    pass

def test_without_board():
    pass
"""


def test_without_options(project):
    """A virtual board for the session; what needs a real one is skipped, and says so."""
    (project.folder / "pytest.ini").write_text("[pytest]\naddopts = --strict-markers -p no:cacheprovider\n")
    run = project.pytest(MARKED)
    assert (run.status, run.counted()) == (0, (7, 0, 0, 4)), run.said
    assert run.said.count("needs a real board, and there is none: --port, or ESPPORT") == 2
    found = run.properties("test_board")
    assert f"needs esp32c3 or esp32s3, board {found['board_id']} has x64" in run.said
    assert "needs esp32c3, and --target names no chip" in run.said
    assert run.properties("test_this_chip") == found
    assert (found["chip"], found["micropython_version"], found["tinyseal_version"]) == ("x64", "1.29.0", "0.1.0")
    assert len(bytes.fromhex(found["board_id"])) == 6
    assert run.properties("test_without_board") == {}
    assert f"{found['board_id']}  x64, MicroPython 1.29.0, package 0.1.0: 2 tests\n" in run.said


MODEL = """
import numpy as np
from tinyseal_host.example import expected_outputs

def test_model(model, frames, board):
    assert (model.name, model.version, model.labels[0]) == ("motion", 1, "standing")
    assert model.board is board
    some = np.array(frames[:3])
    some[1, 7] = np.nan
    run = model.infer(some)
    assert [(r.status, r.scores) for r in run.results] == model.expected(some)
    assert [list(r.scores) for r in run.results] == [expected_outputs()[0].tolist(), [], expected_outputs()[2].tolist()]

def test_after_a_reset(model, board, frames):
    board.reset()
    assert model.infer(frames[:1]).results[0].label == "standing"
"""


def test_the_example_is_the_model(project):
    run = project.pytest(MODEL)
    assert run.counted() == (2, 0, 0, 0), run.said


def test_a_model_of_the_project_s_own(project):
    """On a board whose state is kept, twice: with the keys that the project has, and in the same version."""
    write_example(project.folder / "data")
    (project.folder / "data" / "motion.tflite").rename(project.folder / "data" / "own.tflite")
    np.save(project.folder / "few.npy", np.load(project.folder / "data" / "frames.npy")[:2])
    (project.folder / "pytest.ini").write_text(
        "[pytest]\ntinyseal_model = data/own.tflite\ntinyseal_contract = data/motion.toml\n"
        "tinyseal_frames = few.npy\ntinyseal_keys = keys\n"
    )
    own = Keys(project.folder / "keys")
    tests = f"""
def test_own(model, frames, board):
    assert (model.name, model.version, len(frames)) == ("own", 1, 2)
    assert board.status()["signer"].startswith("{signer_fingerprint(own.signer)}")
    assert len(model.infer(frames).results) == 2
"""
    ids = []
    for _ in range(2):
        run = project.pytest(tests, "--state", "state", "-q")
        assert (run.status, run.counted()) == (0, (1, 0, 0, 0)), run.said
        assert " boards " not in run.said
        ids.append(run.properties("test_own")["board_id"])
    assert ids[0] == ids[1]
    (project.folder / "pytest.ini").write_text("[pytest]\ntinyseal_model = data/own.tflite\n")
    run = project.pytest(tests)
    assert run.counted() == (1, 0, 1, 0)
    assert "tinyseal: error: tinyseal_model and tinyseal_contract belong together" in run.said


def test_several_boards(project):
    """Each test on each; by --state twice."""
    run = project.pytest(MARKED, "--state", "a", "--state", "b", "--target", "x64")
    assert (run.status, run.counted()) == (0, (11, 0, 0, 6)), run.said
    ids = {run.properties(f"test_board[sim {name}]")["board_id"] for name in "ab"}
    assert len(ids) == 2
    assert run.properties("test_this_chip[sim a]")["board_id"] in ids
    assert "needs esp32c3 or esp32s3, --target is x64" in run.said


def test_a_port_that_is_named(project, tmp_path):
    """By ESPPORT and by --port; a virtual board there is no real one. Keys are made, and kept for the next time."""
    (project.folder / "pytest.ini").write_text("[pytest]\naddopts = --strict-markers\n")
    (project.folder / "keys").rename(tmp_path / "keys")
    with VirtualBoard(tmp_path / "board") as board:
        run = project.pytest(MARKED, ESPPORT=board.port)
        assert (run.status, run.counted()) == (0, (7, 0, 0, 3)), run.said
        assert f"needs a real board, {run.properties('test_board')['board_id']} is a virtual one" in run.said
        run = project.pytest(MARKED, "--port", board.port, ESPPORT="/dev/none")
        assert (run.status, run.counted()) == (0, (7, 0, 0, 3)), run.said
        assert f"rootdir: {project.folder}\nconfigfile: pytest.ini\n" in run.said  # and not that of /dev
        run = project.pytest(MARKED, "--port", board.port, "--target", "ESP32-C3")
        assert run.counted() == (7, 0, 3, 1), run.said
        assert "has chip x64, --target is ESP32-C3" in run.said
        generate(project.folder / "keys")
        run = project.pytest(MARKED, "--port", board.port)
        assert run.counted() == (7, 0, 4, 1), run.said
        assert "tinyseal: error: the board has signer" in run.said
        run = project.pytest(MARKED, "-n", "2", "--port", board.port)
        assert f"tinyseal: error: {board.port} cannot be shared by 2 processes of pytest\n" in run.said
        assert "tinyseal: hint: pytest -n 0" in run.said


def test_ports_that_are_none(project):
    """Told by the tests that need one, in a line and a hint, and without a traceback."""
    for options, said in (
        (["--port", "/dev/ttyNONE7"], "/dev/ttyNONE7: no such file or directory\ntinyseal: hint: found:"),
        (["--port", "all"], "no board on USB\ntinyseal: hint:"),
        (["--port", "/dev/ttyNONE7", "--state", "a"], "--state, --heap and --no-native belong to --port sim"),
    ):
        run = project.pytest(MARKED, *options)
        assert (run.status, run.counted()) == (1, (7, 0, 4, 1)), run.said
        assert run.said.count(f"tinyseal: error: {said}") == 4
        assert "exception" not in run.said


def test_workers_have_a_board_each(project):
    run = project.pytest(
        "import pytest\n@pytest.mark.parametrize('n', range(6))\ndef test_it(board, n): pass", "-n", "2"
    )
    assert (run.status, run.counted()) == (0, (6, 0, 0, 0)), run.said
    ids = {run.properties(f"test_it[{n}]")["board_id"] for n in range(6)}
    assert 1 <= len(ids) <= 2
    assert all(f"{name}  x64, MicroPython" in run.said for name in ids)


def test_whoever_has_no_board_pays_nothing():
    """The plugin is in every pytest that finds it."""
    code = "import sys, tinyseal_host.testing.plugin as _; print(sorted({'numpy', 'mpremote'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
