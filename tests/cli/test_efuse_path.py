"""From burning a key to opening with it, on virtual boards that are chips, with the real espefuse."""

import csv
import hmac
import io
import json
import shutil

import pytest
from tinyseal_host.example import expected_outputs


@pytest.fixture
def burn(tinyseal, shared, monkeypatch):
    """Burn the key of the virtual board in `board`."""

    def run(chip):
        device = tinyseal("status --port sim --state board --json").json["device_id"]
        monkeypatch.setattr("sys.stdin", io.StringIO(device + "\n"))
        return tinyseal(f"burn --port sim --state board --chip {chip} --keys", shared / "keys")

    return run


def infer(tinyseal, shared, state="board"):
    return tinyseal(f"infer --port sim --state {state} -o out.csv", shared / "frames.npy")


def scores():
    with open("out.csv", newline="") as file:
        return [[int(row[f"score_{i}"]) for i in range(4)] for row in csv.DictReader(file)]


@pytest.mark.parametrize("chip", ["esp32s2", "esp32c6"])  # one of each kind of clock registers
def test_a_burned_key_opens_and_nothing_secret_lies_on_the_board(tinyseal, burn, deploy, shared, here, chip):
    found = burn(chip)
    assert found.status == 0, found.err
    assert tinyseal("provision --port sim --state board --keys", shared / "keys").status == 0
    found = deploy(1)
    assert (found.status, found.err) == (0, "")
    assert infer(tinyseal, shared).status == 0
    assert scores() == expected_outputs().tolist()
    assert "key source     efuse" in tinyseal("status --port sim --state board").out
    (burned,) = json.loads((here / "board" / "efuse.keys").read_text()).values()
    root, device = bytes.fromhex(burned), json.loads((here / "board" / "board.json").read_text())["unique_id"]
    derived = hmac.digest(root, b"model-encryption" + bytes.fromhex(device), "sha256")
    for name in ("flash.bin", "nvs.bin", "efuse.bin"):
        data = (here / "board" / name).read_bytes()
        assert not any(key in data for key in (root, root[::-1], derived)), name


def test_all_of_a_board_but_its_chip_opens_nothing(tinyseal, burn, deploy, shared, here):
    """Flash and NVS copied to a chip with another key, to one with a purpose and no key, to one with nothing burned."""
    assert burn("esp32c3").status == 0
    assert tinyseal("provision --port sim --state board --keys", shared / "keys").status == 0
    assert deploy(1).status == 0
    shutil.copytree("board", "clone")
    keys = here / "clone" / "efuse.keys"
    keys.write_text(json.dumps({"BLOCK_KEY0": "11" * 32}))
    found = infer(tinyseal, shared, "clone")
    assert found.status == 3
    assert "AUTHENTICATION" in found.error
    keys.unlink()
    found = infer(tinyseal, shared, "clone")
    assert found.status == 3
    assert "KEY0 holds no key" in found.error
    (here / "clone" / "efuse.bin").unlink()
    found = infer(tinyseal, shared, "clone")
    assert found.status == 3
    assert "no eFuse key for HMAC" in found.error
    assert infer(tinyseal, shared).status == 0
