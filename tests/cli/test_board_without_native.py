"""A board without the native emitter: plain kernels get there by themselves, give the same bytes, and are named."""

import csv

import pytest
from tinyseal_host.board.transport import connect
from tinyseal_host.example import expected_outputs
from tinyseal_host.sim import VirtualBoard

PLAIN = "--port sim --state board --no-native"


def test_from_deploy_to_status(tinyseal, deploy, shared, here):
    assert deploy(1, "--no-native").status == 0
    found = tinyseal(f"infer {PLAIN} -o out.csv", shared / "frames.npy")
    assert "40 frames, 40 accepted" in found.out
    with open("out.csv", newline="") as file:
        rows = [[int(row[f"score_{i}"]) for i in range(4)] for row in csv.DictReader(file)]
    assert rows == expected_outputs().tolist()
    lines = tinyseal(f"status {PLAIN}").out.splitlines()
    assert lines[0].endswith(", bytecode")
    assert "kernels        plain Python: no native emitter on this board; slow" in lines
    about = tinyseal(f"status {PLAIN} --json").json
    assert (about["architecture"], about["kernels"], about["active"]) == ("bytecode", "plain", 1)


def test_such_a_board_has_nothing_that_it_could_not_load(tinyseal, shared, here):
    """Byte 2 of a `.mpy` has the architecture above its lowest two bits; a board without the emitter takes only 0."""
    assert tinyseal(f"provision {PLAIN} --keys", shared / "keys").status == 0
    script = (
        "import os, ujson\nfound = {}\nfor name in os.listdir('/lib/tinyseal'):\n"
        "    with open('/lib/tinyseal/' + name, 'rb') as file:\n        found[name] = file.read(3)[2] >> 2\n"
        "print(ujson.dumps(found))"
    )
    with VirtualBoard(here / "board", native=False) as board, connect(board.port) as link:
        found = link.json(script)
    assert set(found.values()) == {0}
    assert {"kernels.mpy", "fixed_point.mpy"} <= set(found)


def test_the_same_board_after_another_build_of_micropython(tinyseal, deploy, shared, here):
    """The model stays, and the kernels change with the next command that brings the firmware."""
    assert deploy(1, "--no-native").status == 0
    native = tinyseal("provision --port sim --state board --json --keys", shared / "keys").json
    assert (native["kernels"], native["removed"]) == ("native", 1)  # what only the plain kernels need
    assert native["sent"] > 5
    status = tinyseal("status --port sim --state board")
    assert "kernels        native" in status.out.splitlines()
    assert "40 accepted" in tinyseal("infer --port sim --state board -o out.csv", shared / "frames.npy").out


@pytest.mark.parametrize("port", ["/dev/null", "auto"])
def test_the_option_belongs_to_a_virtual_board(tinyseal, port):
    refused = tinyseal(f"status --port {port} --no-native")
    assert refused.status == 2
    assert refused.error == f"--state, --heap and --no-native belong to --port sim, got --port {port}"


def test_a_board_that_is_up_stays_what_it_is(tinyseal, here):
    with VirtualBoard(here / "board"):
        refused = tinyseal(f"status {PLAIN}")
        assert refused.status == 2
        assert "is up already, so --no-native comes too late" in refused.error
