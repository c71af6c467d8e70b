"""Burning into virtual eFuses by the real espefuse, for every chip: what is written, and what is refused."""

import hashlib
import json
import os
import stat
import subprocess
import sys

import pytest
from tinyseal_host import burning
from tinyseal_host.burning import espefuse
from tinyseal_host.errors import BoardError, TinysealError

KEY = hashlib.sha256(b"a root key for the tests").digest()
ALL = pytest.mark.parametrize("chip", burning.CHIPS)


@pytest.fixture
def virtual(tmp_path):
    """An eFuse file of that chip, that is not there yet."""
    return lambda chip: burning.Espefuse(chip, virtual=tmp_path / "efuse.bin")


def by_hand(chip, *arguments):
    """The real espefuse without any code of ours."""
    command = [sys.executable, "-m", "espefuse", "--chip", chip.chip, "--virt", "--path-efuse-file", chip.virtual]
    command += ["--do-not-confirm", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@ALL
def test_a_key_is_burned_once_with_its_purpose_and_both_protections(virtual, chip):
    chip = virtual(chip)
    assert burning.choose_block(burning.look(chip)) == 0
    assert not chip.virtual.exists()  # a look makes nothing
    chip.burn(0, KEY)
    fuses = burning.look(chip)
    burning.verify(fuses, 0)
    summary = chip.summary()
    assert summary["KEY_PURPOSE_0"]["value"] == "HMAC_UP"
    assert summary["RD_DIS"]["value"] == 1
    assert set(summary["BLOCK_KEY0"]["value"].split()) == {"??"}
    with pytest.raises(TinysealError, match="KEY0 is in use: purpose HMAC_UP, protected from reading") as refused:
        burning.choose_block(fuses, 0)
    assert refused.value.hint == "free: KEY1, KEY2, KEY3, KEY4, KEY5"
    with pytest.raises(TinysealError, match="KEY0 has the purpose HMAC_UP already"):
        burning.choose_block(fuses)
    with pytest.raises(TinysealError, match="espefuse: BLOCK_KEY0 is read-protected"):  # even if we had not looked
        chip.burn(0, KEY)


def test_the_key_lies_in_the_block_in_the_file_s_order(virtual):
    """In a block that is not protected, so that it can be seen."""
    chip = virtual("esp32c3")
    path = chip.virtual.with_name("key")
    path.write_bytes(KEY)
    assert by_hand(chip, "burn-key", "--no-read-protect", "BLOCK_KEY3", path, "HMAC_UP").returncode == 0
    assert bytes.fromhex(chip.summary()["BLOCK_KEY3"]["value"].replace(" ", "")) == KEY
    with pytest.raises(TinysealError, match="KEY3 is not as it should be: purpose HMAC_UP, not empty, prot"):
        burning.verify(burning.look(chip), 3)


@ALL
def test_a_closed_rd_dis_is_refused(virtual, chip):
    chip = virtual(chip)
    assert by_hand(chip, "write-protect-efuse", "RD_DIS").returncode == 0
    with pytest.raises(TinysealError, match="RD_DIS is closed for writing") as refused:
        burning.choose_block(burning.look(chip))
    assert "Secure Boot" in refused.value.hint
    before = chip.virtual.read_bytes()
    with pytest.raises(TinysealError, match="cannot be read-disabled"):
        chip.burn(0, KEY)
    assert chip.virtual.read_bytes() == before


def test_blocks_in_use_are_passed_by(virtual):
    chip = virtual("esp32c3")
    path = chip.virtual.with_name("key")
    path.write_bytes(KEY)
    assert by_hand(chip, "burn-key", "BLOCK_KEY0", path, "SECURE_BOOT_DIGEST0").returncode == 0  # stays readable
    assert by_hand(chip, "write-protect-efuse", "BLOCK_KEY1").returncode == 0
    assert by_hand(chip, "burn-key", "BLOCK_KEY4", path, "HMAC_UP").returncode == 0
    fuses = burning.look(chip)
    assert burning.choose_block(fuses) == 2
    assert burning.choose_block(fuses, 3) == 3
    for block, why in ((0, "SECURE_BOOT_DIGEST0, not empty"), (1, "USER, protected from writing"), (4, "HMAC_UP")):
        with pytest.raises(TinysealError, match=f"KEY{block} is in use: purpose {why}"):
            burning.choose_block(fuses, block)
    with pytest.raises(TinysealError, match="KEY4 has the purpose HMAC_UP already"):
        burning.choose_block(fuses, 5)


def test_no_block_is_free(virtual):
    chip = virtual("esp32c3")
    blocks = [f"BLOCK_KEY{block}" for block in range(6)]
    assert by_hand(chip, "write-protect-efuse", *blocks).returncode == 0
    with pytest.raises(TinysealError, match="none of the 6 key blocks is free"):
        burning.choose_block(burning.look(chip))


@pytest.mark.parametrize("chip", ["esp32", "esp32c2"])
def test_chips_without_the_peripheral_are_refused_by_us_and_by_espefuse(virtual, chip):
    with pytest.raises(TinysealError, match=f"the {chip} has no HMAC peripheral"):
        burning.check_chip(chip)
    with pytest.raises(TinysealError, match=r"^espefuse: [^│─╭]*HMAC_UP[^│─╭]*$"):
        virtual(chip).burn(0, KEY)


def test_a_chip_that_nobody_knows_is_refused():
    with pytest.raises(TinysealError, match='got chip "esp8266", wanted one of esp32s2, '):
        burning.check_chip("esp8266")
    for chip in burning.CHIPS:
        burning.check_chip(chip)


@pytest.mark.parametrize(
    ("machine", "chip"),
    [
        ("Generic ESP32C3 module with ESP32C3", "esp32c3"),
        ("TinyS2 with ESP32-S2-FN4R2", "esp32s2"),
        ("Generic ESP32S3 module with Octal-SPIRAM with ESP32S3", "esp32s3"),
        ("Generic ESP32 module with ESP32", "esp32"),
        ("Generic ESP32 module with SPIRAM with ESP32-PICO-V3-02", "esp32"),
        ("Board with S3 in its name with ESP32-C6-MINI-1", "esp32c6"),
        ("Board with ESP32C61", None),
        ("Board with ESP32S3FN8", "esp32s3"),
        ("tinyseal virtual board", None),
        ("Raspberry Pi Pico with RP2040", None),
    ],
)
def test_the_chip_that_micropython_names(machine, chip):
    assert burning.chip_of(machine) == chip


@pytest.mark.parametrize("fails", [False, True])
def test_the_key_is_in_a_file_of_ours_alone_that_is_wiped(virtual, monkeypatch, fails):
    """The file's own second name shows what is left of it."""
    seen = {}

    def run(self, command, failure):
        path = next(word for word in command if word.endswith("KEY.bin"))
        seen.update(path=path, mode=stat.S_IMODE(os.stat(path).st_mode), command=command)
        seen["folder"] = stat.S_IMODE(os.stat(os.path.dirname(path)).st_mode)
        with open(path, "rb") as file:
            seen["key"] = file.read()
        os.link(path, self.virtual)
        if fails:
            raise failure("espefuse: no")

    monkeypatch.setattr(burning.Espefuse, "_run", run)
    chip = virtual("esp32c3")
    if fails:
        with pytest.raises(TinysealError, match="no"):
            chip.burn(2, KEY)
    else:
        chip.burn(2, KEY)
    assert (seen["key"], seen["mode"], seen["folder"]) == (KEY, 0o600, 0o700)
    assert not any(KEY.hex() in word for word in seen["command"])
    assert not os.path.exists(os.path.dirname(seen["path"]))
    assert chip.virtual.read_bytes() == bytes(32)


def test_a_missing_espefuse_is_named_with_what_to_install(virtual, monkeypatch):
    monkeypatch.setattr(espefuse.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(espefuse.shutil, "which", lambda name: None)
    with pytest.raises(TinysealError, match="espefuse is not installed") as refused:
        virtual("esp32c3").summary()
    assert refused.value.hint == "pip install 'tinyseal-host[burn]'"


def test_an_espefuse_on_the_path_is_taken(virtual, monkeypatch, tmp_path):
    script = tmp_path / "espefuse"
    script.write_text(f'#!/bin/sh\nexec {sys.executable} -m espefuse "$@"\n')
    script.chmod(0o755)
    monkeypatch.setattr(espefuse.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert burning.choose_block(burning.look(virtual("esp32c3"))) == 0


def test_a_port_without_a_chip_is_no_board(tmp_path):
    with pytest.raises(BoardError, match="espefuse: ") as refused:
        burning.Espefuse("esp32c3", port=str(tmp_path / "none")).summary()
    assert "\n" not in refused.value.message


@pytest.mark.parametrize("lost", ["BLOCK_KEY5", "KEY_PURPOSE_0", "MAC", "RD_DIS"])
def test_a_summary_that_lacks_something_is_refused(virtual, lost):
    summary = virtual("esp32s2").summary()
    assert burning.parse_fuses(json.loads(json.dumps(summary))).protectable
    del summary[lost]
    with pytest.raises(TinysealError, match="not that of a chip with six key blocks"):
        burning.parse_fuses(summary)


def test_the_commands_are_those_of_a_person():
    chip = burning.Espefuse("esp32s3", port="/dev/ttyUSB0")
    assert chip.burning(2) == [
        *("espefuse", "--chip", "esp32s3", "--port", "/dev/ttyUSB0", "--do-not-confirm"),
        *("burn-key", "BLOCK_KEY2", "KEY.bin", "HMAC_UP"),
    ]
