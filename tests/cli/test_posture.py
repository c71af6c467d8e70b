"""What `tinyseal doctor` says of a board's protection, held against what was done to the board."""

import io

import pytest
from tinyseal_host.board.posture import parse_fuses
from tinyseal_host.board.transport import connect
from tinyseal_host.burning import CHIPS, Espefuse, burn_virtually
from tinyseal_host.sim import VirtualBoard

LINE = "doctor --port sim --state board"


def posture(tinyseal):
    return tinyseal(f"{LINE} --json").json["posture"]


def test_a_new_board(tinyseal, here):
    assert posture(tinyseal) == {
        "key_source": None,
        "key_block": None,
        "secure_boot": None,
        "flash_encryption": None,
        "download_mode": None,
        "version_floor": None,
        "repl": "open",
        "package": None,
        "shadowing_files": [],
    }


def test_a_board_with_its_key_in_nvs(tinyseal, deploy, here):
    assert deploy(3).status == 0
    found = posture(tinyseal)
    assert (found["key_source"], found["key_block"], found["package"]) == ("nvs", None, "files")
    assert posture(tinyseal)["version_floor"] == 3  # it has risen as the doctor opened the model


@pytest.mark.parametrize("chip", CHIPS)
def test_a_board_with_its_key_in_efuse(tinyseal, deploy, shared, here, monkeypatch, chip):
    device = tinyseal("status --port sim --state board --json").json["device_id"]
    monkeypatch.setattr("sys.stdin", io.StringIO(device + "\n"))
    line = f"burn --port sim --state board --chip {chip} --block 2 --keys"
    assert tinyseal(line, shared / "station").status == 0
    found = posture(tinyseal)
    block = {"block": "KEY2", "purpose": "HMAC_UP", "readable": False, "writeable": False, "purpose_writeable": False}
    assert found["key_block"] == block
    assert (found["secure_boot"], found["flash_encryption"], found["download_mode"]) == (False, False, "open")
    if chip == CHIPS[0]:
        assert deploy(1).status == 0
        assert posture(tinyseal)["key_source"] == "efuse"
        said = tinyseal(LINE).out
        assert "KEY2, purpose HMAC_UP, protected from reading, protected from writing" in said
        assert "efuse: the key stays in the chip" in said


BURNS = {
    "secure_boot": ("burn-efuse", "SECURE_BOOT_EN", "1"),
    "flash_encryption": ("burn-efuse", "SPI_BOOT_CRYPT_CNT", "1"),
    "download_mode": ("burn-efuse", "DIS_DOWNLOAD_MODE", "1"),
}


def words(path):
    """EFUSE_RD_WR_DIS and the four words after it, of the registers that espefuse keeps from the last byte on."""
    registers = path.read_bytes()[::-1]
    return [int.from_bytes(registers[at : at + 4], "little") for at in range(0x2C, 0x40, 4)]


@pytest.mark.parametrize("what", BURNS)
@pytest.mark.parametrize("chip", CHIPS)
def test_what_espefuse_burns_is_read_as_that(here, chip, what):
    path = here / "efuse.bin"
    fuses = Espefuse(chip, virtual=path)
    fuses.summary()
    before = parse_fuses(words(path))
    assert (before.key_block, before.secure_boot, before.flash_encryption, before.download_mode) == (
        None,
        False,
        False,
        True,
    )
    fuses._run(fuses.command("--do-not-confirm", *BURNS[what]), AssertionError)
    after = parse_fuses(words(path))
    changed = [name for name in BURNS if getattr(after, name) != getattr(before, name)]
    assert changed == [what]


@pytest.mark.parametrize(
    ("arguments", "readable", "writeable"),
    [(("--no-read-protect",), True, False), (("--no-write-protect",), False, True), ((), False, False)],
)
def test_a_block_without_its_protections_is_told(here, arguments, readable, writeable):
    path, key = here / "efuse.bin", here / "key"
    key.write_bytes(bytes(range(32)))
    fuses = Espefuse("esp32c3", virtual=path)
    fuses._run(
        fuses.command("--do-not-confirm", "burn-key", "BLOCK_KEY3", str(key), "HMAC_UP", *arguments), AssertionError
    )
    block = parse_fuses(words(path)).key_block
    assert (block.number, block.readable, block.writeable) == (3, readable, writeable)
    assert block.sound == (not readable and not writeable)


def test_the_lowest_block_counts(here):
    for number in (4, 1):
        burn_virtually(here / "state", Espefuse("esp32s3", virtual=here / "state" / "efuse.bin"), number, bytes(32))
    assert parse_fuses(words(here / "state" / "efuse.bin")).key_block.number == 1


SHADOWS = {
    "/struct.py": ["/struct.py"],
    "/lib/time.py": ["/lib/time.py"],
    "/main.py": [],
    "/struct.txt": [],
}


@pytest.mark.parametrize("path", SHADOWS)
def test_files_that_shadow_built_in_modules(tinyseal, here, path):
    with VirtualBoard(here / "board") as board, connect(board.port) as link:
        link.run(f"import uos\ntry: uos.mkdir('/lib')\nexcept OSError: pass\nopen({path!r}, 'w').close()")
    assert posture(tinyseal)["shadowing_files"] == SHADOWS[path]


_RUNS = """
open('/mine.py', 'w').close()
with open('/umine.py', 'w') as file: file.write("open('/ran', 'w').close()")
"""


def test_to_look_for_them_runs_none_of_them(tinyseal, here):
    with VirtualBoard(here / "board") as board, connect(board.port) as link:
        link.run(_RUNS)
    assert posture(tinyseal)["shadowing_files"] == []
    with VirtualBoard(here / "board") as board, connect(board.port) as link:
        assert "ran" not in link.json("import uos, ujson; print(ujson.dumps(uos.listdir('/')))")
