"""`tinyseal burn` on a virtual board with a virtual eFuse: what it shows, asks and refuses; its key opens models."""

import io
import json
import shutil
import sys

import pytest
from tinyseal_host.board.ports import open_port
from tinyseal_host.cli import burn as command
from tinyseal_host.errors import BoardError
from tinyseal_host.formats import KeySource
from tinyseal_host.keys import load_master, provisioned_secret
from tinyseal_host.sim import VirtualBoard

C3 = "burn --port sim --state board --chip esp32c3"
FUSES = ("efuse.bin", "efuse.keys")


@pytest.fixture
def types(monkeypatch):
    """Let the next prompt be answered."""
    return lambda text: monkeypatch.setattr(sys, "stdin", io.StringIO(text))


def board_id(here):
    return json.loads((here / "board" / "board.json").read_bytes())["unique_id"]


@pytest.fixture
def burned(tinyseal, shared, here, types):
    """A board with the owner's key in KEY0, and nothing else on it; the outcome of burning."""
    tinyseal("status --port sim --state board")
    types(board_id(here).upper() + "\n")
    found = tinyseal(C3 + " --keys", shared / "station")
    assert found.status == 0, found.err
    return found


def test_a_dry_run_shows_everything_and_changes_nothing(tinyseal, here):
    found = tinyseal(C3 + " --dry-run")
    assert found.status == 0
    assert found.err == ""
    assert sorted(path.name for path in (here / "board").iterdir()) == ["board.json", "flash.bin", "lock"]
    assert "chip" not in json.loads((here / "board" / "board.json").read_bytes())
    lines = found.out.splitlines()
    rows = {line.split()[0]: line for line in lines if line[:1].strip()}
    assert rows["board"].endswith(board_id(here))
    assert rows["chip"].endswith("esp32c3")
    assert "KEY0" in rows["block"]
    assert "HMAC_UP" in rows["purpose"]
    assert "nobody can read, change or erase" in rows["irreversible"]
    assert "before Secure Boot, which closes RD_DIS" in rows["order"]
    virtual = "espefuse --chip esp32c3 --virt --path-efuse-file board/efuse.bin"
    assert lines[-3:] == [
        f"{virtual} --do-not-confirm burn-key BLOCK_KEY0 KEY.bin HMAC_UP",
        f"{virtual} summary",
        "nothing was burned",
    ]


def test_a_dry_run_as_json(tinyseal, here):
    found = tinyseal(C3 + " --block 3 --dry-run --json").json
    commands = found.pop("commands")
    assert ["BLOCK_KEY3" in command for command in commands] == [True, False]
    assert found == {
        "device_id": board_id(here),
        "chip": "esp32c3",
        "block": "KEY3",
        "purpose": "HMAC_UP",
        "burned": False,
    }


def test_a_dry_run_without_a_port_says_that_it_looked_at_no_chip(tinyseal, here):
    found = tinyseal("burn --device 7c:df:a1:e0:c3:b4 --chip esp32s3 --dry-run")
    assert found.status == 0
    assert "no eFuse was read" in found.err
    assert "KEY0, eFuse block 4, if it is free" in found.out
    assert "espefuse --chip esp32s3 --port PORT --do-not-confirm burn-key BLOCK_KEY0 KEY.bin HMAC_UP" in found.out


@pytest.mark.parametrize("typed", ["", "\n", "no\n", "yes\n", "00{0}\n"])
def test_without_the_board_s_id_nothing_is_burned(tinyseal, shared, here, types, typed):
    tinyseal("status --port sim --state board")
    before = {path.name: path.read_bytes() for path in (here / "board").iterdir()}
    types(typed.format(board_id(here)))
    found = tinyseal(C3 + " --keys", shared / "station")
    assert found.status == 1
    assert f"type the board's id, {board_id(here)}, to burn its key: " in found.err
    assert "wanted the board's id: nothing was burned" in found.err
    assert {path.name: path.read_bytes() for path in (here / "board").iterdir()} == before


def test_the_key_is_burned_kept_for_the_virtual_board_and_shown_nowhere(shared, here, burned):
    assert "KEY0: burned, and protected from reading and writing" in burned.out
    assert "next: tinyseal provision" in burned.out
    root = provisioned_secret(load_master([shared / "station"]), bytes.fromhex(board_id(here)), KeySource.EFUSE)
    path = here / "board" / "efuse.keys"
    assert json.loads(path.read_bytes()) == {"BLOCK_KEY0": root.hex()}
    assert path.stat().st_mode & 0o777 == 0o600
    assert root not in (here / "board" / "efuse.bin").read_bytes()
    assert root.hex() not in burned.out + burned.err


def test_a_burned_board_is_provisioned_with_its_key_unasked(tinyseal, deploy, seal, shared, here, burned):
    assert deploy(1).status == 0
    assert tinyseal("status --port sim --state board --json").json["key_source"] == "efuse"
    assert "40 accepted" in tinyseal("infer --port sim --state board -o out.csv", shared / "frames.npy").out
    sealed = seal("m.seal", shared / "motion.tsm", more=("--key-source", "efuse"))
    assert "active in slot b" in tinyseal(f"push {sealed} --port sim --state board").out
    assert tinyseal(f"open {sealed} -o again.tsm --keys", shared / "keys").status == 0
    assert (here / "again.tsm").read_bytes() == (shared / "motion.tsm").read_bytes()
    sealed = seal("k.seal", shared / "motion.tsm")  # the registry knows that its key was burned
    assert tinyseal(f"inspect {sealed} --json").json["key_source"] == "efuse"
    sealed = seal("n.seal", shared / "motion.tsm", more=("--key-source", "nvs"))  # a key that it does not have
    found = tinyseal(f"push {sealed} --port sim --state board")
    assert (found.status, "NO_KEY" in found.error) == (3, True)


def test_a_provisioned_board_goes_on_with_the_burned_key(tinyseal, deploy, shared, here, types):
    assert deploy(1).status == 0
    types(board_id(here))
    found = tinyseal(C3 + " --json --keys", shared / "station")
    assert (found.json["burned"], found.json["key_source"]) == (True, "efuse")
    status = tinyseal("status --port sim --state board --json").json
    assert (status["key_source"], status["active"]) == ("efuse", 1)
    found = tinyseal("infer --port sim --state board -o out.csv", shared / "frames.npy")
    assert (found.status, "NO_KEY" in found.error) == (3, True)  # sealed with what was erased
    assert deploy(2).status == 0
    assert "40 accepted" in tinyseal("infer --port sim --state board -o out.csv", shared / "frames.npy").out
    refused = tinyseal("provision --key-source nvs --port sim --state board --keys", shared / "keys")
    assert refused.hint == "--key-source efuse"


def test_another_master_key_is_not_the_burned_one(tinyseal, shared, here, burned):
    found = tinyseal("provision --key-source efuse --port sim --state board --keys", shared / "stranger")
    assert found.error == "the board has no key in eFuse, or none from this master key"
    assert tinyseal("status --port sim --state board --json").json["key_source"] is None


def test_a_block_in_use_and_a_second_key_are_refused(tinyseal, shared, here, burned, types):
    before = [(here / "board" / name).read_bytes() for name in FUSES]
    types(board_id(here))
    again = tinyseal("burn --port sim --state board --keys", shared / "station")
    assert again.error == "KEY0 has the purpose HMAC_UP already, and a board uses the lowest such block"
    again = tinyseal("burn --block 0 --port sim --state board --keys", shared / "station")
    assert again.error.startswith("KEY0 is in use: purpose HMAC_UP, protected from reading")
    assert [(here / "board" / name).read_bytes() for name in FUSES] == before


@pytest.mark.parametrize("chip", ["esp32", "esp32c2"])
def test_chips_without_the_peripheral_are_refused(tinyseal, shared, here, chip):
    found = tinyseal(f"burn --port sim --state board --chip {chip} --keys", shared / "station")
    assert (found.status, found.error) == (1, f"the {chip} has no HMAC peripheral: its key stays in NVS")
    assert not (here / "board" / "efuse.bin").exists()


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("burn --port sim --state board --chip esp32c3", "no key folder is named"),
        ("burn --device 00ff --chip esp32c3 --keys {keys}", "no port is named"),
        ("burn --dry-run", "no board is named"),
        ("burn --device 00ff --dry-run", "no board is named"),
        ("burn --port sim --chip esp32c3 --dry-run", "the eFuse of a virtual board that is forgotten at the end"),
        ("burn --port sim --state board --dry-run", 'the board does not name its chip: "tinyseal virtual board"'),
        ("burn --port /dev/none --state board --dry-run", "--state belongs to --port sim, got --port /dev/none"),
    ],
)
def test_command_lines_that_cannot_be_meant(tinyseal, shared, here, line, error):
    found = tinyseal(line.format(keys=shared / "station"))
    assert (found.status, found.error) == (2, error)


def test_what_the_board_says_of_itself_counts(tinyseal, shared, here, burned):
    found = tinyseal("burn --port sim --state board --chip esp32s3 --dry-run")
    assert found.error == "the board is an esp32c3, --chip names esp32s3"
    found = tinyseal("burn --port sim --state board --device 00ff --dry-run")
    assert found.error == f"the board is {board_id(here)}, --device names 00ff"


def test_a_board_that_does_not_come_back_is_burned_all_the_same(tinyseal, shared, here, types, monkeypatch):
    tinyseal("status --port sim --state board")
    asked = []

    def once(*arguments, **options):
        asked.append(arguments)
        if len(asked) > 1:
            raise BoardError("/dev/none: no such port")
        return open_port(*arguments, **options)

    monkeypatch.setattr(command, "open_port", once)
    types(board_id(here))
    found = tinyseal(C3 + " --keys", shared / "station")
    assert found.status == 0
    assert "KEY0: burned" in found.out
    assert "/dev/none: no such port; tinyseal provision --key-source efuse lets the board use the key" in found.err


def test_a_board_that_derives_another_key_fails(tinyseal, deploy, shared, here, types, monkeypatch):
    assert deploy(1).status == 0
    monkeypatch.setattr(command, "provisioned_secret", lambda *_: b"another key than it should be..!")
    types(board_id(here))
    found = tinyseal(C3 + " --keys", shared / "station")
    assert found.status == 1
    assert "the board derives another key than was burned, and goes on as before" in found.err
    assert tinyseal("status --port sim --state board --json").json["key_source"] == "nvs"


def test_a_virtual_board_that_is_up_has_to_end_first(tinyseal, shared, here, types):
    with VirtualBoard(here / "board"):
        found = tinyseal(C3 + " --keys", shared / "station")
        assert (found.status, found.error) == (1, "the virtual board in board is up")
        assert found.hint == "end its tinyseal sim first"
        assert tinyseal(C3 + " --dry-run").status == 0
    assert not (here / "board" / "efuse.bin").exists()


def test_the_registry_remembers_it_and_seal_goes_by_that(tinyseal, shared, here, types):
    keys = shutil.copytree(shared / "keys", here / "own", ignore=shutil.ignore_patterns("boards.toml"))
    tinyseal("status --port sim --state board")
    types(board_id(here))
    assert tinyseal(C3 + " --block 1 --keys", keys).status == 0
    (row,) = tinyseal("boards own --json").json["boards"]
    assert (row["device_id"], row["chip"], row["efuse_key"]) == (board_id(here), "esp32c3", "KEY1")
    assert "key_source" not in row  # it has no keys yet
    release = shared / "motion.tsm"
    assert tinyseal(f"seal {release} --device {board_id(here)} --keys own -o one.seal").status == 0
    assert tinyseal("inspect one.seal --json").json["key_source"] == "efuse"
    other = "24dcc3a1b2c4"
    found = tinyseal(f"seal {release} --device {board_id(here)} --device {other} --keys own -o many --json").json
    sources = {file["device_id"]: file["key_source"] for file in found["files"]}
    assert (sources, found["key_source"]) == ({board_id(here): "efuse", other: "nvs"}, None)
    assert tinyseal("provision --port sim --state board --keys own").status == 0
    assert tinyseal("boards own --json").json["boards"][0]["key_source"] == "efuse"
    assert tinyseal("push one.seal --port sim --state board").status == 0


def test_a_registry_with_a_key_source_that_there_is_not_is_told(tinyseal, shared, here):
    keys = shutil.copytree(shared / "keys", here / "own")
    (keys / "boards.toml").write_text('["00ff"]\nkey_source = "pocket"\n')
    found = tinyseal(f"seal {shared / 'motion.tsm'} --device 00ff --keys own -o one.seal")
    assert (found.status, found.error) == (1, 'boards.toml: key_source of 00ff is "pocket", wanted nvs, efuse or file')
    assert tinyseal(f"seal {shared / 'motion.tsm'} --device 00ff --key-source nvs --keys own -o one.seal").status == 0
