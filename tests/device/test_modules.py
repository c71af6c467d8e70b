"""That the suite is whole: every module of the package can be loaded on the board and has its tests here."""

from pathlib import Path

from tinyseal_host.board.firmware import load_firmware
from vm import ask, run

_KERNELS = "dots kernels kernels_dot dot_16 dot_32 dot_64 layout net model release fixed_point"
_STEPS = "copy depthwise depthwise3x3 elementwise matrix pool ring softmax"
TESTED = {
    "test_crypto": "ctr gcm ghash hkdf memory rsa sha256",
    "test_efuse": "efuse",
    "test_signatures": "rsa",
    "test_gates": "contract gate gate_more raw",
    "test_kernels": f"{_KERNELS} {' '.join('steps_' + name for name in _STEPS.split())}",
    "test_opening": "__init__ errors keys sealed slots store",
    "test_updates": "keep keys provisioning remote slots store",
}


def test_every_module_has_its_tests(board):
    names = {Path(path).stem for path in load_firmware(board.info.architecture).files}
    assert names <= {name for listed in TESTED.values() for name in listed.split()}
    here = {path.stem for path in Path(__file__).parent.glob("test_*.py")}
    assert set(TESTED) == here - {Path(__file__).stem}


def test_every_module_can_be_loaded(board):
    """All of them at once."""
    names = sorted(Path(path).stem for path in load_firmware(board.info.architecture).files)
    script = """
import gc, sys
for name in question:
    gc.collect()
    __import__("tinyseal" if name == "__init__" else "tinyseal." + name)
print(ujson.dumps([name for name in question if name != "__init__" and "tinyseal." + name not in sys.modules]))
"""
    assert ask(script, names) == []


def test_the_scripts_run_on_the_board(board):
    """And not on this computer; what is on it is what this package carries, and the fixtures' model is no other's."""
    found = ask("import umachine\nprint(ujson.dumps(hexlify(umachine.unique_id()).decode()))", None)
    assert found == board.info.device_id.hex()
    assert board.provision(board.keys).firmware.sent == 0


def test_files_that_stay_are_sent_once(board, kept):
    """By their hash: what is on the board is not sent again, and an altered file is."""
    script = "with open('data') as file:\n    print(len(file.read()))"
    sizes = []
    for data in (b"a" * 9000, b"a" * 9000, b"b" * 9000):
        board.transcript.clear()
        assert run(script, files={"data": data}) == "9000\n"
        sizes.append("_q.write" in board.transcript.text())
    assert sizes[1:] == [False, True]


def test_no_other_file_stays(scripts):
    before = scripts.folders()
    assert run("print(1)", files={"data": b"x"}) == "1\n"
    assert scripts.folders() == before
