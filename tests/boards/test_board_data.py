"""Every board.json: exactly the keys that boards/README.md explains, sane values, and what the chips' manuals say."""

import inspect
import json
import re
from pathlib import Path

import pytest
from firmware_sources import firmware_module
from tinyseal_host.bench.result import read_result
from tinyseal_host.formats import KeySource
from tinyseal_host.sim import VirtualBoard

ROOT = Path(__file__).parents[2]
BOARDS = {path.parent.name: json.loads(path.read_bytes()) for path in sorted((ROOT / "boards").glob("*/board.json"))}
README = (ROOT / "boards" / "README.md").read_text(encoding="utf-8")

# Chip: where its ROM looks for the bootloader in flash (esptool's BOOTLOADER_FLASH_OFFSET), instruction set, and
# whether there is an HMAC peripheral.
CHIPS = {
    "esp32": (0x1000, "xtensawin", False),
    "esp32s2": (0x1000, "xtensawin", True),
    "esp32s3": (0, "xtensawin", True),
    "esp32c3": (0, "rv32imc", True),
    "esp32c6": (0, "rv32imc", True),
}


def keys(data, prefix=""):
    """All keys, nested ones with a dot."""
    found = set()
    for key, value in data.items():
        found |= keys(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key}
    return found


def test_every_folder_has_its_data():
    folders = sorted(path.name for path in (ROOT / "boards").iterdir() if path.is_dir())
    assert folders == sorted({*BOARDS, "hardened"})  # definitions for MicroPython's build, test_hardened.py
    assert {"VIRTUAL", "ESP32_GENERIC"} <= set(folders)


@pytest.mark.parametrize("board", BOARDS)
def test_exactly_the_keys_that_the_readme_explains(board):
    explained = re.findall(r"^\| `([a-z_.]+)` \|", README, re.MULTILINE)
    assert len(explained) == len(set(explained))
    assert keys(BOARDS[board]) == set(explained)


@pytest.mark.parametrize("board", BOARDS)
def test_values_are_sane(board):
    data = BOARDS[board]
    for key in ("port", "mcu", "product", "vendor"):
        assert isinstance(data[key], str)
        assert data[key].strip() == data[key] != ""
    assert data["url"] is None or data["url"].startswith("https://")
    heap = data["heap"]
    assert isinstance(heap["source"], str)
    assert heap["source"]
    for size in (heap["free_bytes"], heap["largest_block_bytes"]):
        assert size is None or (type(size) is int and 32_000 < size < 400_000)
    if heap["free_bytes"] is not None and heap["largest_block_bytes"] is not None:
        assert heap["largest_block_bytes"] <= heap["free_bytes"]


@pytest.mark.parametrize("board", BOARDS)
def test_architecture_is_one_that_is_built(board):
    assert BOARDS[board]["mpy_architecture"] in firmware_module("package_sources").NATIVE


def test_every_architecture_that_is_built_has_a_board():
    assert {data["mpy_architecture"] for data in BOARDS.values()} == set(firmware_module("package_sources").NATIVE)


@pytest.mark.parametrize("board", BOARDS)
def test_key_sources_are_format_md_s(board):
    sources = BOARDS[board]["key_sources"]
    assert len(sources) == len(set(sources))
    assert set(sources) <= {source.name.lower() for source in KeySource}
    assert sources == [source for source in ("efuse", "nvs", "file") if source in sources]  # best first
    assert sources[-1] == "file"


@pytest.mark.parametrize("board", [board for board in BOARDS if board != "VIRTUAL"])
def test_a_chip_is_what_its_maker_says(board):
    data = BOARDS[board]
    offset, architecture, hmac = CHIPS[data["mcu"]]
    assert data["port"] == "esp32"
    assert int(data["deploy_options"]["flash_offset"], 16) == offset
    assert data["mpy_architecture"] == architecture
    assert ("efuse" in data["key_sources"]) == hmac
    suffix = data["mcu"].removeprefix("esp32").upper()
    assert board == "_".join(["ESP32_GENERIC", suffix] if suffix else ["ESP32_GENERIC"])


# What firmware of 1.22 to 1.29 says of itself.
MACHINES = {
    "Generic ESP32 module with ESP32": ["ESP32_GENERIC"],
    "Generic ESP32 module with SPIRAM with ESP32": ["ESP32_GENERIC"],
    "Generic ESP32S2 module with ESP32-S2": ["ESP32_GENERIC_S2"],
    "Generic ESP32S3 module with ESP32S3": ["ESP32_GENERIC_S3"],
    "Generic ESP32S3 module with Octal-SPIRAM with ESP32S3": ["ESP32_GENERIC_S3"],
    "ESP32C3 module with ESP32C3": ["ESP32_GENERIC_C3"],
    "ESP32C6 module with ESP32C6": ["ESP32_GENERIC_C6"],
    "tinyseal virtual board": ["VIRTUAL"],
    "tinyseal virtual board with ESP32C3": ["VIRTUAL"],
    "Generic ESP32P4 with pre revision 3 chip with ESP32-P4": [],
    "linux [GCC 14.2.1] version": [],
}


@pytest.mark.parametrize(("machine", "boards"), MACHINES.items())
def test_a_board_is_known_by_what_it_calls_itself(machine, boards):
    found = [name for name, data in BOARDS.items() if any(re.search(pattern, machine) for pattern in data["machine"])]
    assert found == boards


def test_the_virtual_board_is_what_the_simulator_starts():
    data = BOARDS["VIRTUAL"]
    heap_kib = inspect.signature(VirtualBoard).parameters["heap_kib"].default
    assert data["heap"]["free_bytes"] == heap_kib * 1024
    assert data["deploy_options"]["flash_offset"] is None
    settings = ROOT / "host" / "tinyseal_host" / "sim" / "vm" / "settings.py"
    name = re.search(r'^MACHINE = "(.*?)"', settings.read_text(encoding="utf-8"), re.MULTILINE)[1]
    assert any(re.search(pattern, name) for pattern in data["machine"])


@pytest.mark.parametrize("board", [board for board in BOARDS if board != "VIRTUAL"])
def test_results_are_of_this_board(board):
    folder = ROOT / "boards" / board / "results"
    assert "tinyseal bench" in (folder / "README.md").read_text(encoding="utf-8")
    for path in folder.iterdir():
        if path.name != "README.md":
            assert path.suffix == ".json"
            measured = read_result(path)
            assert (measured.board["board"], measured.virtual) == (board, False)
            assert measured.clock_hz is not None
            assert (
                path.name == f"{measured.clock_hz // 10**6}mhz-{measured.board['micropython']}-{measured.package}.json"
            )
