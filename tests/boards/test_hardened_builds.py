"""The hardened definitions, held against programs of others: CMake, a C preprocessor, and Espressif's espsecure."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from boards_check import headers
from boards_check.definition import HARDENED, VARIANTS, folders, load, options
from tinyseal_host.keys import KeyKind, generate

KNOWN = options()
BOARDS = [folder.name for folder in folders()]
C3 = "ESP32_GENERIC_C3_SEALED"
STAND_INS = """
set(CMAKE_BINARY_DIR ${CMAKE_CURRENT_LIST_DIR})
include(${MICROPY_BOARD_DIR}/mpconfigboard.cmake)
if(MICROPY_BOARD_VARIANT)
    include(${MICROPY_BOARD_DIR}/mpconfigvariant_${MICROPY_BOARD_VARIANT}.cmake)
endif()
message("${SDKCONFIG_DEFAULTS}")
message("${MICROPY_DEF_BOARD}")
message("${MICROPY_FROZEN_MANIFEST}")
"""


@pytest.mark.skipif(not shutil.which("cmake"), reason="needs cmake")
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("name", BOARDS)
def test_cmake_reads_the_definition_as_the_check_does(name, variant, tmp_path):
    (tmp_path / "boards").mkdir()
    mine = load(HARDENED / name, variant, KNOWN)
    common = tmp_path / "boards" / f"mpconfigboard_{mine.chip}_common.cmake"
    common.write_text(f"set(IDF_TARGET {mine.chip})\nset(SDKCONFIG_DEFAULTS boards/sdkconfig.base)\n")
    (tmp_path / "run.cmake").write_text(STAND_INS)
    chosen = [f"-DMICROPY_BOARD_VARIANT={variant}"] if variant else []
    command = ["cmake", f"-DMICROPY_BOARD_DIR={HARDENED / name}", *chosen, "-P", "run.cmake"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    fragments, macros, manifest = done.stderr.splitlines()
    texts = [path.read_text() for path in map(tmp_path.joinpath, fragments.split(";")[1:])]
    assert texts == [text for _, text in mine.fragments]
    assert macros.split(";") == mine.macros
    assert manifest == str(mine.manifest)


@pytest.mark.skipif(not shutil.which("cmake"), reason="needs cmake")
def test_cmake_stops_at_the_c2(copied, tmp_path):
    (tmp_path / "boards" / "mpconfigboard_esp32c2_common.cmake").write_text("set(IDF_TARGET esp32c2)\n")
    path = copied / C3 / "mpconfigboard.cmake"
    path.write_text(path.read_text().replace("esp32c3", "esp32c2"))
    (tmp_path / "run.cmake").write_text(STAND_INS)
    command = ["cmake", f"-DMICROPY_BOARD_DIR={copied / C3}", "-P", "run.cmake"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode
    assert "the ESP32-C2 has no AES engine and no HMAC peripheral" in done.stderr


@pytest.mark.skipif(not shutil.which("cc"), reason="needs a C compiler")
@pytest.mark.parametrize("variant", VARIANTS)
def test_a_c_preprocessor_reads_the_headers_as_the_check_does(variant, tmp_path):
    board = load(HARDENED / C3, variant, KNOWN)
    stock = tmp_path / "boards" / "ESP32_GENERIC_C3"
    stock.mkdir(parents=True)
    (stock / "mpconfigboard.h").write_text("#define MICROPY_HW_ENABLE_UART_REPL (1)\n")
    guarded = [
        f"#ifndef {name}\n#define {name} (1)\n#endif" if data["guarded"] else f"#define {name} (1)"
        for name, data in KNOWN["macro"].items()
    ]
    (tmp_path / "mpconfigport.h").write_text('#include "mpconfigboard.h"\n' + "\n".join(guarded) + "\n")
    (tmp_path / "all.c").write_text(
        "#ifdef MP_CONFIGFILE\n#include MP_CONFIGFILE\n#else\n#include <mpconfigport.h>\n#endif\n"  # py/mpconfig.h
        + "\n".join(f'"{name}" {name}' for name in KNOWN["macro"])
    )
    command = [
        "cc",
        "-E",
        "-P",
        "-Werror",
        f"-I{tmp_path}",
        f"-I{board.folder}",
        *(f"-D{m}" for m in board.macros),
        "all.c",
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    found = dict(line.split() for line in done.stdout.splitlines() if line.startswith('"'))
    on = {name.strip('"') for name, value in found.items() if value == "(1)"}
    assert on == (set(KNOWN["macro"]) - {"MICROPY_PY_BLUETOOTH"} if variant else set())
    assert list(headers.problems(board, KNOWN)) == []


@pytest.fixture
def keys(tmp_path):
    """A signing key, and its public half."""
    return generate(tmp_path / "keys", [KeyKind.SIGNING])


def test_the_signing_key_is_one_for_secure_boot_v2(keys, tmp_path):
    """By Espressif's own program, which ESP-IDF signs with; see "Building" in boards/hardened/README.md."""
    private, public = keys
    (tmp_path / "micropython.bin").write_bytes(bytes(range(256)) * 256)

    def espsecure(command, *arguments):
        program = Path(sys.executable).with_name("espsecure")
        call = [program, command, "--version", "2", *arguments]
        return subprocess.run(call, cwd=tmp_path, capture_output=True, text=True, check=False)

    signing = ["--keyfile", private, "--output", "micropython-signed.bin", "micropython.bin"]
    assert espsecure("sign-data", *signing).returncode == 0
    checked = espsecure("verify-signature", "--keyfile", public, "micropython-signed.bin")
    assert "Signature block 0 verification successful" in checked.stdout
    signed = bytearray((tmp_path / "micropython-signed.bin").read_bytes())
    signed[100] ^= 1
    (tmp_path / "micropython-signed.bin").write_bytes(signed)
    assert espsecure("verify-signature", "--keyfile", public, "micropython-signed.bin").returncode
